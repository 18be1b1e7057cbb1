"""Object files of C sources that are the same for many networks: compiled once, and kept.

They are in the user's cache folder, or in $SNNCC_CACHE; where neither can be written to, in a
temporary folder that goes with the process. A file's name is the hash of all that it depends on,
so that nothing in there can be out of date; those that were not asked for in a while are removed.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

KEPT = 30 * 86400
"""Seconds for which a file is kept that nobody asks for."""


def object_of(source: Path, headers: Sequence[Path], line: tuple[str, ...]) -> Path:
    """The object file of a source, compiled by the command `line` unless it is there already.

    headers: those that the source includes. Raises `subprocess.CalledProcessError`.
    """
    state = sha256("\0".join(line).encode())
    state.update(_predefined(line))
    for path in [source, *headers]:
        state.update(path.read_bytes())
    made = _folder() / f"{state.hexdigest()}.o"
    if made.exists():
        os.utime(made)
        return made
    handle, name = tempfile.mkstemp(suffix=".unfinished", dir=made.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        command = [*line, "-c", "-o", name, str(source)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        unfinished.replace(made)
    finally:
        unfinished.unlink(missing_ok=True)
    _forget(made.parent)
    return made


@cache
def _predefined(line: tuple[str, ...]) -> bytes:
    """The macros that the compiler defines by itself: its version, and the machine that it compiles
    for, which `-march=native` does not name. Without them nothing is shared among processes."""
    command = [*line, "-dM", "-E", "-x", "c", os.devnull]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout if not done.returncode else os.urandom(16)


@cache
def _folder() -> Path:
    given = os.environ.get("SNNCC_CACHE")
    folder = (Path(given) if given else user_cache_path("snncc", appauthor=False)) / "objects"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="snncc-objects-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder


def _forget(folder: Path) -> None:
    """Removes what was not asked for in a while."""
    for path in folder.iterdir():
        try:
            if time.time() - path.stat().st_mtime > KEPT:
                path.unlink()
        except OSError:  # another process was faster
            continue
