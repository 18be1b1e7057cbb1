"""What has to hold of a backend's files and results; each check fails the test in words."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import NoReturn, ParamSpec, TypeVar

import numpy as np
import pytest

from snncc_backends import Backend, Estimate, Execution, Runner
from snncc_backends.bundle import MANIFEST, NETWORK, REPORT, TENSORS, VECTORS
from snncc_ir import Array, Diagnostic, Graph, SnnccError

RESERVED = {MANIFEST, NETWORK, TENSORS, REPORT, VECTORS}
SHORTEST_PATH = 5
"""Characters; shorter ones may stand in a file by chance."""

P = ParamSpec("P")
T = TypeVar("T")


def wrong(message: str) -> NoReturn:
    """Fails the test; the message is all that is shown."""
    pytest.fail(message, pytrace=False)


def without_traceback(
    what: str, do: Callable[P, T], *args: P.args, **named: P.kwargs
) -> T | SnnccError:
    """The result, or the SnnccError that was raised; anything else fails the test."""
    try:
        return do(*args, **named)
    except SnnccError as error:
        return error
    except Exception as error:  # whatever a backend raises is what is looked for
        wrong(f"{what} raises {type(error).__name__}: {error}; should be a SnnccError")


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """Puts files into a folder; returns it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def check_findings(what: str, findings: Iterable[Diagnostic], place: bool = True) -> None:
    """Refusals are SNN041, and say where and what to do."""
    for found in findings:
        if found.code != "SNN041":
            wrong(f"{what} is refused with {found.code}, should be SNN041: {found.message}")
        for name, text in (("message", found.message), ("hint", found.hint)):
            if not text:
                wrong(f"{what} is refused without a {name}: {found.message or found.hint}")
        if place and not found.place:
            wrong(f"{what} is refused without a place: {found.message}")


def check_files(what: str, files: Mapping[str, bytes]) -> None:
    """Relative names with '/', and neither paths of this machine nor the date in them."""
    if not files:
        wrong(f"{what}: no file is emitted, so there is nothing that could run")
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name:
            wrong(f"{what}: the file name '{name}' should be relative, with '/'")
        if name in RESERVED:
            wrong(f"{what}: the file name '{name}' is one of the bundle's own")
        if not isinstance(content, bytes):
            wrong(f"{what}: {name} is {type(content).__name__}, should be bytes")
        for found in _traces():
            if found.encode() in content:
                wrong(f"{what}: {name} holds '{found}', which is another elsewhere or tomorrow")


def _traces() -> Iterator[str]:
    for path in (os.getcwd(), str(Path.home()), tempfile.gettempdir()):
        if len(path) >= SHORTEST_PATH:
            yield f"{path}/"
    now = datetime.now()
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%b %d %Y", "%a %b %d"):
        yield now.strftime(form)


def check_same_files(
    what: str, how: str, first: Mapping[str, object], second: Mapping[str, object]
) -> None:
    """Two emissions of one network."""
    if first.keys() != second.keys():
        names = ", ".join(sorted(first.keys() ^ second.keys()))
        wrong(f"{what}: {how} gives other files: {names}")
    differing = [name for name in first if first[name] != second[name]]
    if differing:
        wrong(f"{what}: {how} gives other bytes in {', '.join(differing)}")


def difference(found: Execution, expected: Execution) -> str:
    """The first difference, in words; empty when everything is as expected."""
    if found.steps != expected.steps:
        return f"{found.steps} steps were run, should be {expected.steps}"
    if expected.steps_used is not None:
        if found.steps_used is None:
            return "the steps that each sample used are not told"
        text = _difference("steps used", found.steps_used, expected.steps_used)
        if text:
            return text
    for kind, own, right in (
        ("spikes of '{}'", found.spikes, expected.spikes),
        ("spike counts of '{}'", found.spike_counts, expected.spike_counts),
        ("totals of '{}'", found.totals, expected.totals),
    ):
        for name, array in right.items():
            if name not in own:
                return f"there are no {kind.format(name)}"
            text = _difference(kind.format(name), own[name], array)
            if text:
                return text
    return ""


def _difference(what: str, found: Array, expected: Array) -> str:
    if found.shape != expected.shape:
        return f"the {what} have shape {found.shape}, should be {expected.shape}"
    differing = np.argwhere(found != expected)
    if not len(differing):
        return ""
    first = tuple(differing[0].tolist())
    return (
        f"{len(differing)} of {expected.size} {what} differ, first at {first} (sample, step, "
        f"neuron): {found[first]}, should be {expected[first]}"
    )


def check_estimate(what: str, estimate: Estimate | None) -> None:
    """Energies and times are finite and not negative."""
    if estimate is None:
        return
    numbers = {
        "microjoules": estimate.microjoules,
        "milliseconds": estimate.milliseconds,
        "saturations": estimate.saturations,
        **{f"part '{name}'": value for name, value in estimate.parts.items()},
        **{f"layer '{name}'": value for name, value in estimate.layers.items()},
    }
    for name, value in numbers.items():
        if not isfinite(value) or value < 0:
            wrong(f"{what}: the estimate's {name} is {value}, should be finite and at least 0")


def check_summary(what: str, summary: Mapping[str, float]) -> None:
    """Key figures are finite."""
    for name, value in summary.items():
        if not isinstance(value, int | float) or not isfinite(value):
            wrong(f"{what}: the key figure '{name}' is {value}, should be a finite number")


def loaded(what: str, chip: Backend, folder: Path, graph: Graph) -> Runner:
    """The runner of a folder; the test is skipped where this machine cannot run it."""
    runner = without_traceback(f"{what}: loading", chip.load, folder, graph)
    if isinstance(runner, SnnccError):
        if all(found.code == "SNN052" for found in runner.diagnostics):
            pytest.skip(f"the files cannot be run here: {runner}")
        wrong(f"{what}: the files that were emitted are not loaded: {runner}")
    return runner
