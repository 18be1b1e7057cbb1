"""Files for the user: written whole, or not at all."""

import os
import tempfile
from pathlib import Path

from snncc_ir import fail, why


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file beside its place and renames it; raises SNN050 when the disk refuses.

    What stood at `path` is replaced only by the whole new content.
    """
    partial: str | None = None
    try:
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
        partial = None
    except OSError as error:
        raise fail(
            "SNN050",
            f"the file cannot be written: {why(error)}",
            str(path),
            "another place that you may write to, or free some space; nothing was changed",
        ) from None
    finally:
        if partial is not None:
            os.unlink(partial)
