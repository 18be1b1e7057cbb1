"""The folder of a report: where it is, and when it may be replaced."""

import json
from pathlib import Path

from snncc_ir import SnnccError, fail

HTML, JSON = "report.html", "report.json"
FORMAT = 1
KIND = "snncc report"
"""How report.json says what it is; a bundle's report.json does not."""


def beside(bundle: Path) -> Path:
    """Where the report of a bundle goes unless it is said."""
    place = bundle.absolute()
    return place.with_name(f"{place.name}-report")


def check_report_place(folder: Path, force: bool) -> None:
    """Raises SNN050 when a report may not be written to `folder`."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise _refused(
            folder,
            "the output is a file, should be a folder",
            "another name with -o; files are never replaced by reports",
        )
    found = {path.name for path in folder.iterdir()}
    if not found:
        return
    if not found <= {HTML, JSON} or not _is_report(folder / JSON):
        raise _refused(
            folder,
            "the output folder exists and is no report, so it is left alone",
            "another folder with -o, or an empty one",
        )
    if not force:
        raise _refused(
            folder,
            "the output folder holds a report already",
            "--force to replace it, or another folder with -o",
        )


def _is_report(path: Path) -> bool:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("kind") == KIND


def _refused(folder: Path, message: str, hint: str) -> SnnccError:
    return fail("SNN050", message, str(folder), hint)
