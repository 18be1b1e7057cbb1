"""Compiled runtime files are kept, found again, and forgotten."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from snncc_backends import objects
from snncc_backends.native import compiler
from snncc_backends.objects import KEPT, object_of
from snncc_ir import SnnccError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    try:
        compiler()
    except SnnccError:
        pytest.skip("no C compiler is here")
    monkeypatch.setenv("SNNCC_CACHE", str(tmp_path / "cache"))
    objects._folder.cache_clear()
    yield tmp_path
    objects._folder.cache_clear()


def write(folder: Path, number: int) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    source, header = folder / "one.c", folder / "one.h"
    source.write_text('#include "one.h"\nint one(void) { return ONE; }\n', "utf-8")
    header.write_text(f"#define ONE {number}\n", "utf-8")
    return source, header


def test_the_same_source_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = (*compiler(), "-O1")
    source, header = write(folder / "a", 1)
    made = object_of(source, [header], line)
    again = write(folder / "b", 1)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", lambda *given, **more: pytest.fail("compiles again"))
        assert object_of(again[0], [again[1]], line) == made
    other = write(folder / "b", 2)
    assert object_of(other[0], [other[1]], line) != made, "another header"
    assert object_of(source, [header], (*compiler(), "-O0")) != made, "other flags"
    assert {path.suffix for path in made.parent.iterdir()} == {".o"}


def test_what_fails_leaves_nothing(folder: Path) -> None:
    source, header = write(folder / "a", 1)
    header.write_text("#error no", "utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        object_of(source, [header], tuple(compiler()))
    assert not list((folder / "cache" / "objects").iterdir())


def test_what_nobody_asks_for_is_forgotten(folder: Path) -> None:
    line = tuple(compiler())
    old = object_of(*_listed(write(folder / "a", 1)), line)
    used = object_of(*_listed(write(folder / "a", 2)), line)
    for path in (old, used):
        os.utime(path, (0, time.time() - KEPT - 60))
    object_of(*_listed(write(folder / "a", 2)), line)  # asked for: kept
    object_of(*_listed(write(folder / "a", 3)), line)
    assert used.exists()
    assert not old.exists()


def test_a_cache_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_bytes(b"")
    monkeypatch.setenv("SNNCC_CACHE", str(folder / "file"))
    objects._folder.cache_clear()
    made = object_of(*_listed(write(folder / "a", 1)), tuple(compiler()))
    assert made.exists()
    assert folder not in made.parents
    shutil.rmtree(made.parent)


def _listed(files: tuple[Path, Path]) -> tuple[Path, list[Path]]:
    return files[0], [files[1]]
