"""snncc as a user has it: its wheel, built from the checkout, in an environment of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = ("snncc", "ir", "backends", "templates", "pyproject.toml", "README.md", "LICENSE")
"""What a wheel is made of."""


@dataclass(frozen=True)
class Installed:
    """folder: of the environment, whose programs are in bin/."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
        """A command line in a folder; stderr is in stdout, as on a terminal."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={
                **environment,
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{environment['PATH']}",
                "VIRTUAL_ENV": str(self.folder),
                "CFLAGS": "-O1",  # of `make` in a bundle: what it makes is looked at, not its speed
            },
        )  # fmt: skip


def install(place: Path) -> Installed:
    """Skips, saying so, where the wheel cannot be built.

    Dependencies are those of the environment that runs the tests: its folder of packages is on the
    path, its .pth files are not, so that an editable snncc in it is out of reach.
    """
    source = place / "source"
    for name in SOURCES:
        path = ROOT / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, _parent(source / name))
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "-w", str(place), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wheels = list(place.glob("snncc-*.whl"))
    if built.returncode or len(wheels) != 1:
        pytest.skip(f"the wheel cannot be built here: {built.stderr.strip()[-300:]}")
    folder = place / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    found = Installed(folder)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(found.python), "install", "-q", "--no-deps",
         "--no-index", "--disable-pip-version-check", str(wheels[0])],
        check=True,
    )  # fmt: skip
    packages = Path(
        subprocess.run(
            [str(found.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(sorted(paths)) + "\n", encoding="utf-8")
    return found


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
