"""The simulator takes no more instructions than it did."""

import platform
import shutil

import pytest

from benchmarks.instructions import FALLEN, GROWN, OTHER_COMPILER, changes, compare


def test_what_is_a_change() -> None:
    stored = {"a": 1.0, "b": 2.0}
    assert not changes(stored, {"a": 1 + GROWN * 0.9, "b": 2 - 2 * FALLEN * 0.9}, True)
    assert len(changes(stored, {"a": 1 + GROWN * 1.1, "b": 2 - 2 * FALLEN * 1.1}, True)) == 2
    assert not changes(stored, {"a": 1 + GROWN * 1.1, "b": 2.0}, False)
    assert changes(stored, {"a": 1 + OTHER_COMPILER * 1.1, "b": 2.0}, False)
    assert changes(stored, {"a": 1.0}, True) == ["b is not in the file"]


def test_instructions_are_as_written_down() -> None:
    if not shutil.which("valgrind") or not shutil.which("cc"):
        pytest.skip("valgrind, or a C compiler, is not here")
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the ratios are those of x86-64")
    assert compare() == []
