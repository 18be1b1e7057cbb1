"""A plug-in as if it were installed: its sources and its entry points on the path."""

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snncc_backends.registry import GROUP


def write_metadata(package: Path, site: Path) -> None:
    """Writes the .dist-info of the project in `package` into `site`, as installers do."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(about, encoding="utf-8")
    points = "".join(f"{k} = {v}\n" for k, v in project["entry-points"][GROUP].items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}", encoding="utf-8")


@contextmanager
def installed(package: Path, site: Path) -> Iterator[None]:
    """Makes the package in a folder importable, in this process and in those that it starts."""
    write_metadata(package, site)
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.syspath_prepend(package)
        # snncc itself may be on this path only, too
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or ".").is_relative_to(package):
            del sys.modules[name]
