"""Every file of the corpus: taken, and then right, or refused with the code that it should be.

`tests/corpus/README.md` says what the files are and how one is added.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import snncc
import snncc.activity
import snncc_backends.native
from snncc.onnx import Imported, import_model
from snncc_backends import OracleRunner
from snncc_ir import CATALOG, SnnccError, ValueRunner
from tests.corpus.reference import reference

CORPUS = Path(__file__).parent
SAMPLES = 4
"""Seeded noise for each file; of these EXACT are run spike by spike."""
EXACT = 1
CHEAP: Mapping[str, Mapping[str, object]] = {
    "c": {"steps": 4, "calibrate": "off"},
    "ttfs28": {"steps": 12, "rounding": "nearest", "error": "weight", "bias": "keep"},
    "loihi": {"steps": 4, "calibrate": "off"},
}
"""What is compiled is tested elsewhere; here it is that it is compiled."""

Array = npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class File:
    """An entry of a corpus.json; its fields are explained in tests/corpus/README.md."""

    path: Path
    architecture: str
    targets: Mapping[str, str]
    refused: str | None
    tolerance: float
    approximate: bool
    notes: str

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"


def files() -> list[File]:
    return [
        File(path=index.parent / f"{name}.onnx", **entry)
        for index in sorted(CORPUS.glob("*/corpus.json"))
        for name, entry in json.loads(index.read_text(encoding="utf-8"))["files"].items()
    ]


FILES = files()
TAKEN = [file for file in FILES if file.refused is None]


def name_of(file: object) -> str:
    return file.name if isinstance(file, File) else str(file)


def test_the_corpus_is_described() -> None:
    """No file without an entry, no entry without a file, and no code that there is not."""
    listed = [file.path for file in FILES]
    assert sorted(listed) == sorted(CORPUS.glob("*/*.onnx"))
    for file in FILES:
        codes = {file.refused} if file.refused else set(file.targets.values()) - {"ok"}
        assert codes <= set(CATALOG), file.name
        assert set(file.targets) == (set() if file.refused else set(CHEAP)), file.name


@pytest.mark.parametrize("file", [file for file in FILES if file.refused], ids=name_of)
def test_refused(file: File) -> None:
    """With the expected code, and something to try for each thing that is found."""
    with pytest.raises(SnnccError) as caught:
        import_model(file.path)
    assert file.refused in {diagnostic.code for diagnostic in caught.value.diagnostics}
    assert all(diagnostic.hint for diagnostic in caught.value.diagnostics)


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Iterator[None]:
    """C programs that run for milliseconds are not optimized; the oracle counts few samples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snncc_backends.native, "FAST", ("-O0",))
        patch.setattr(snncc_backends.native, "NATIVE", "-O0")
        patch.setattr(snncc.activity, "simulator", lambda graph, *_: OracleRunner(graph))
        yield


@cache
def imported(file: File) -> Imported:
    return import_model(file.path, approximate=file.approximate)


@cache
def samples_of(file: File) -> tuple[dict[str, Array], dict[str, Array]]:
    """Inputs by their names in the graph, values that outputs stand for by theirs in the file."""
    names = [result.value for result in imported(file).results]
    given, expected = reference(file.path, SAMPLES, names)
    inputs = [node.name for node in imported(file).graph.inputs]
    return dict(zip(inputs, given, strict=True)), expected


@pytest.mark.parametrize("file", [file for file in TAKEN if file.approximate], ids=name_of)
def test_approximations_are_not_made_unasked(file: File) -> None:
    with pytest.raises(SnnccError) as caught:
        import_model(file.path)
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} <= {"SNN003", "SNN004"}


@pytest.mark.parametrize("file", TAKEN, ids=name_of)
def test_values(file: File) -> None:
    """Outputs are those of onnxruntime, or of the exporter's own tool where that cannot run it."""
    network = imported(file)
    samples, expected = samples_of(file)
    assert any(np.ptp(array, axis=0).any() for array in expected.values()), "outputs are constant"
    values = ValueRunner(network.graph, threads=1).run(samples).values()
    for ours, result in zip(values, network.results, strict=True):
        found, theirs = (np.asarray(a, np.float64) for a in (ours, expected[result.value]))
        if result.exact:
            assert found.shape == theirs.shape
            assert np.max(np.abs(found - theirs)) <= file.tolerance * np.ptp(theirs), result.value
        else:
            assert network.notes, "what is left out is said"
            assert np.array_equal(found.argmax(1), theirs.argmax(1)), result.value


@pytest.mark.parametrize("target", CHEAP)
@pytest.mark.parametrize("file", TAKEN, ids=name_of)
def test_target(file: File, target: str) -> None:
    """Compiled, and the target's own files send the spikes of the oracle; or refused."""
    samples, _ = samples_of(file)
    if file.targets[target] != "ok":
        with pytest.raises(SnnccError) as caught:
            compiled(file, target, samples)
        assert file.targets[target] in {found.code for found in caught.value.diagnostics}
        return
    bundle = compiled(file, target, samples)
    first = {name: array[:EXACT].astype(np.float32) for name, array in samples.items()}
    expected = OracleRunner(bundle.graph).run(first, record=True)
    result = bundle.runner.run(first, record=True)
    assert any(spikes.any() for spikes in expected.spikes.values())
    for name, spikes in expected.spikes.items():
        assert np.array_equal(result.spikes[name], spikes), name
    for name, totals in expected.totals.items():
        assert np.array_equal(result.totals[name], totals), name


def compiled(file: File, target: str, samples: Mapping[str, Array]) -> snncc.Bundle:
    data = snncc.Dataset(dict(samples))
    return snncc.compile(
        file.path,
        target=target,
        calibration=data,
        settings=CHEAP[target],
        approximate=file.approximate,
    )
