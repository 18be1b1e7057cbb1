"""The package that `snncc new-backend` writes: a small backend that works, to be changed."""

import re
import tomllib
from pathlib import Path

from snncc_backends import INTERFACE, targets, write_folder
from snncc_backends.registry import BUILT_IN
from snncc_ir import SnnccError, fail
from snncc_templates import render

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_NAME = 20
PARTS = ("ir", "templates", "backends")
"""Packages of snncc itself, snncc_*."""
CODES = ("rate", "ttfs", "radix")
"""Whose settings have the name that the target's own would get."""


def check_name(name: str) -> None:
    """Raises SNN042 for what cannot be the name of a new target."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise fail(
            "SNN042",
            f"the name is '{name[:40]}', should be at most {LONGEST_NAME} small letters, digits "
            "and single '_', a letter first",
            hint=f"`snncc new-backend {_suggested(name)}`",
        )
    if name in PARTS or name in CODES or name in BUILT_IN:
        raise _taken(name)


def _taken(name: str) -> SnnccError:
    return fail(
        "SNN042",
        f"the name is '{name}', should be one that snncc and its targets do not have",
        hint=f"`snncc new-backend my_{name}`; `snncc targets` lists those that there are",
    )


def _suggested(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:LONGEST_NAME].strip("_")
    return plain or "mychip"


def package(name: str) -> dict[str, bytes]:
    """The files of a new backend, by relative path. Raises SNN042 for a name that is none."""
    check_name(name)
    folder = f"snncc_{name}"
    values = {
        "name": name,
        "title": "".join(part.capitalize() for part in name.split("_")),
        "package": folder,
        "distribution": folder.replace("_", "-"),
        "interface": INTERFACE,
    }
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        **{
            f"{folder}/{module}.py": f"{module}.py"
            for module in ("__init__", "backend", "emit", "rules", "runner", "settings")
        },
        f"{folder}/templates/network.json.j2": "network.json",
        "tests/test_conformance.py": "test_conformance.py",
    }
    made = {
        path: render(f"backend/{template}.j2", **values).encode()
        for path, template in files.items()
    }
    return {**made, f"{folder}/py.typed": b""}


def new_backend(name: str, place: Path, force: bool = False) -> tuple[str, ...]:
    """Writes the package into `place`, all of it or nothing; returns the paths of its files.

    What is there is replaced only with `force`, and only when it is a package of that name.
    Raises SNN042 for the name, SNN050 for the place.
    """
    files = package(name)
    own = _project(place) == f"snncc-{name.replace('_', '-')}"
    if name in targets() and not own:
        raise _taken(name)
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        if not own:
            raise fail(
                "SNN050",
                "the output is there already and is no package of that name, so it is left alone",
                str(place),
                "another folder with -o",
            )
        if not force:
            raise fail(
                "SNN050",
                "the package is there already",
                str(place),
                "--force to begin anew, which loses what was changed, or another folder with -o",
            )
    write_folder(place, files, "the package")
    return tuple(sorted(files))


def _project(place: Path) -> str:
    """The name in a folder's pyproject.toml; empty without one."""
    try:
        found = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
        return str(found["project"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
