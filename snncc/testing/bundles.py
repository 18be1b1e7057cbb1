"""Bundles of small ONNX models, and files that are not what they were."""

import shutil
from pathlib import Path

import numpy as np

import snncc
from snncc.options import without_samples
from snncc.testing.checks import (
    RESERVED,
    check_files,
    check_findings,
    check_same_files,
    difference,
    loaded,
    without_traceback,
    wrong,
)
from snncc.testing.models import MODELS, samples
from snncc.testing.networks import inputs
from snncc_backends import Backend, OracleRunner, Settings
from snncc_backends.bundle import MANIFEST, digest
from snncc_ir import Graph, SnnccError

CALIBRATION, TESTED = 24, 6
FLIPPED = 8
"""Places of an image at which a bit is turned."""


def compiled(
    chip: Backend, model: str, settings: Settings, folder: Path
) -> snncc.Bundle | SnnccError:
    """A bundle of one of the models, in `folder`/bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    write, shape = MODELS[model]
    path = write(folder)
    return without_traceback(
        f"compiling {model}",
        lambda: snncc.compile(
            path,
            target=chip.name,
            settings=without_samples(settings),
            calibration=samples(shape, CALIBRATION),
            output=folder / "bundle",
        ),
    )


def check_bundle(chip: Backend, model: str, settings: Settings, folder: Path) -> None:
    """A model is refused by a rule, or compiled, the same twice, read back, and exact."""
    what = f"{model}, coding {settings.coding}"
    made = compiled(chip, model, settings, folder)
    if isinstance(made, SnnccError):
        check_findings(what, made.diagnostics, place=False)
        return
    again = compiled(chip, model, settings, folder / "again")
    if isinstance(again, SnnccError):
        wrong(f"{what} is compiled once, and then refused: {again}")
    check_same_files(what, "compiling twice", _files(made.folder), _files(again.folder))
    check_files(what, {name: _files(made.folder)[name] for name in _own(made)})
    bundle = snncc.Bundle.load(folder / "bundle")
    listed = bundle.files.table("files")
    for name, content in _files(bundle.folder).items():
        if name != MANIFEST and listed.get(name) != digest(content):
            wrong(f"{what}: the manifest has another hash for {name}")
    loaded(what, chip, bundle.folder, bundle.graph)
    data = samples(MODELS[model][1], TESTED, seed=8)
    outputs = bundle.run(data).outputs()
    for name, numbers in outputs.items():
        if len(numbers) != TESTED or not np.isfinite(numbers).all():
            wrong(f"{what}: the output '{name}' is not {TESTED} finite results")
    verified = bundle.verify(folder / f"{model}.onnx", data, exact=TESTED)
    if not verified.holds:
        text = verified.vectors.difference or (verified.exact and verified.exact.difference)
        wrong(f"{what}: `snncc verify --exact` finds a difference: {text}")


def check_damage(chip: Backend, settings: Settings, folder: Path) -> None:
    """Each of the target's files, changed or cut off; then all of them emptied at once."""
    bundle = _any_bundle(chip, settings, folder)
    names = _own(bundle)
    for name in names:
        place = _copy(bundle, folder / "changed")
        content = (place / name).read_bytes()
        (place / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if content else b"1")
        found = without_traceback(name, snncc.Bundle.load, place)
        if not isinstance(found, SnnccError):
            wrong(f"a bundle with another {name} is read, should be refused with SNN051")
        place = _copy(bundle, folder / "cut")
        (place / name).write_bytes(content[: len(content) // 2])
        text = _outcome(f"{name} is cut off", chip, bundle, place)
        if text:
            wrong(f"{name} is cut off, and the results are others without a word: {text}")
    place = _copy(bundle, folder / "emptied")
    for name in names:
        (place / name).write_bytes(b"")
    if _outcome("all files are empty", chip, bundle, place) is not None:
        wrong("all files are empty, and the runner still runs: it does not run its files")
    _check_image(chip, bundle, folder)


def _check_image(chip: Backend, bundle: snncc.Bundle, folder: Path) -> None:
    """Text and back; and a bit turned here and there is refused, or does not matter."""
    if chip.image is None:
        return
    image = chip.image
    content = bundle.files.file(image.path)
    if not content.startswith(image.magic):
        wrong(f"{image.path} should start with {image.magic!r}")
    text = image.disassemble(content, image.path)
    if image.assemble(text, "text") != content:
        wrong(f"{image.path}, disassembled and assembled again, has other bytes")
    if image.differences(content, content, ("first", "second")):
        wrong(f"{image.path} differs from itself, says the backend")
    for place in np.linspace(0, len(content) - 1, FLIPPED, dtype=int).tolist():
        damaged = content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
        what = f"{image.path}, a bit of byte {place} turned"
        without_traceback(f"{what}: disassembling", image.disassemble, damaged, "image")
        at = _copy(bundle, folder / "flipped")
        (at / image.path).write_bytes(damaged)
        text = _outcome(what, chip, bundle, at) or ""
        if text:
            wrong(f"{what}, and the results are others without a word: {text}")


def check_runs_files(what: str, chip: Backend, folder: Path, graph: Graph, other: Graph) -> None:
    """The files of `graph`, loaded with `other` (same names and shapes, other weights)."""
    given = inputs(graph)
    expected = OracleRunner(graph).run(given, record=True)
    wanted = OracleRunner(other).run(given, record=True)
    if not difference(wanted, expected):
        raise AssertionError("two networks of the family differ in what they send")

    def run() -> str:
        found = chip.load(folder, other).run(given, record=True)
        if not difference(found, wanted):
            return "it runs the graph, which is only to name and shape the results"
        return difference(found, expected)

    text = without_traceback(f"{what}: running", run)
    if isinstance(text, str) and text:
        wrong(f"{what}: the runner does not run the files alone: {text}")


def _any_bundle(chip: Backend, settings: Settings, folder: Path) -> snncc.Bundle:
    """The first of the models that the backend takes."""
    made: snncc.Bundle | SnnccError | None = None
    for model in MODELS:
        made = compiled(chip, model, settings, folder / model)
        if isinstance(made, snncc.Bundle):
            return made
    wrong(f"no model can be compiled in coding {settings.coding}: {made}")


def _outcome(what: str, chip: Backend, bundle: snncc.Bundle, folder: Path) -> str | None:
    """How the results of a folder's files differ from the network's; None when it is refused."""
    (node,) = bundle.graph.inputs
    given = {node.name: samples(node.type.shape, TESTED, seed=8)}

    def run() -> str:
        found = chip.load(folder, bundle.graph).run(given, record=True)
        return difference(found, OracleRunner(bundle.graph).run(given, record=True))

    text = without_traceback(what, run)
    return None if isinstance(text, SnnccError) else text


def _copy(bundle: snncc.Bundle, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(bundle.folder, folder))


def _own(bundle: snncc.Bundle) -> list[str]:
    """The target's own files."""
    return [name for name in bundle.files.table("files") if name not in RESERVED]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
