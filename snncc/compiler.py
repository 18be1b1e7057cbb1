"""From an ONNX file to a bundle: front end, passes, backend, files."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from snncc.bundle import Bundle
from snncc.data import Dataset, make_dataset, read_dataset, samples_for, synthetic_samples
from snncc.onnx import import_model
from snncc.passes.base import Context
from snncc.passes.manager import Compiled, run_pipeline
from snncc.passes.registry import parse_pipeline, print_pipeline
from snncc_backends import (
    Backend,
    BundleFolder,
    OracleRunner,
    Preprocessing,
    Settings,
    backend,
    check_place,
    to_json,
    write_bundle,
)  # fmt: skip
from snncc_backends.bundle import NETWORK, REPORT, TENSORS, VECTORS
from snncc_ir import (
    INTEGER,
    Array,
    Batch,
    Graph,
    Node,
    SnnccError,
    Spikes,
    Tensor,
    check,
    fail,
    pack,
    print_graph,
    tensor_bytes,
)  # fmt: skip
from snncc_ir.ops import Conv, Dense, Input, Population, Scale

VECTOR_SAMPLES = 2
"""Samples whose exact spikes every bundle carries."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Source:
    """What a compilation starts from."""

    graph: Graph
    notes: tuple[str, ...]
    digest: str


def compile(
    model: str | Path,
    *,
    target: str = "c",
    calibration: str | Path | Array | Dataset | None = None,
    output: str | Path | None = None,
    settings: Settings | Mapping[str, object] | None = None,
    preprocessing: Preprocessing | None = None,
    passes: str | None = None,
    dump_ir: str | Path | None = None,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
    **options: object,
) -> Bundle:
    """Compiles an ONNX file for a target; returns the bundle.

    calibration: .npz path, samples (N, …), or a `Dataset`; without it, seeded noise stands in and
    the bundle's notes say so. output: the bundle's folder; without it, a temporary one that goes
    with the returned object. settings (`RateSettings`, `TtfsSettings` or the target's own), or
    single fields of them as keywords (`steps=32`, `neuron="signed-if"`, `coding="ttfs"`).
    passes: a pipeline in place of the target's own. Raises `SnnccError`.
    """
    if output is not None:
        check_place(Path(output), force)
    chip = backend(target)
    chosen = make_settings(chip, settings, options)
    pre = preprocessing or Preprocessing()
    progress("import", 0, 1)
    source = _import(Path(model))
    notes = list(source.notes)
    data = _dataset(calibration)
    samples, labels = _calibration(source.graph, data, pre, notes)
    pipeline = parse_pipeline(passes if passes is not None else chip.pipeline(chosen))
    compiled = run_pipeline(
        source.graph,
        pipeline,
        Context(samples, progress),
        labels,
        None if dump_ir is None else Path(dump_ir),
    )
    check_rules(chip, compiled.graph, chosen)
    _check_complete(compiled.graph)
    progress("emit", 0, 1)
    manifest = {
        "target": target,
        "model": {"name": source.graph.name, "sha256": source.digest},
        "calibration": None if data is None else {"samples": data.count, "sha256": data.digest},
        "settings": chosen.as_json(),
        "pipeline": print_pipeline(pipeline),
        "preprocessing": pre.as_json(),
        "inputs": _interface(compiled.graph, "input"),
        "outputs": _interface(compiled.graph, "output"),
        "notes": notes,
    }
    files = {
        NETWORK: print_graph(compiled.graph).encode(),
        TENSORS: tensor_bytes(compiled.graph),
        VECTORS: self_test_vectors(compiled.graph, samples),
        REPORT: to_json(_report(compiled)),
        **chip.emit(compiled.graph, pre, chosen),
    }
    if output is not None:
        write_bundle(Path(output), manifest, files, force)
        return Bundle.load(output)
    temporary = Path(tempfile.mkdtemp(prefix="snncc-"))
    try:
        write_bundle(temporary / "bundle", manifest, files)
        return Bundle(BundleFolder.read(temporary / "bundle"), temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def make_settings(
    chip: Backend, settings: Settings | Mapping[str, object] | None, options: Mapping[str, object]
) -> Settings:
    """Settings with single fields changed; raises SNN042 for one that is not known or not valid."""
    changes = {**(settings if isinstance(settings, Mapping) else {}), **options}
    codings = {coding.coding: coding for coding in chip.codings}
    if isinstance(settings, Settings):
        given = settings
        if not isinstance(given, chip.codings):
            raise fail(
                "SNN042",
                f"the settings are {type(given).__name__}, should be "
                f"{' or '.join(coding.__name__ for coding in chip.codings)} for target {chip.name}",
            )
    else:
        coding = changes.pop("coding", chip.codings[0].coding)
        if coding not in codings:
            raise fail(
                "SNN042",
                f"coding is '{coding}', should be {' or '.join(codings)} for target {chip.name}",
            )
        given = chip.defaults(codings[str(coding)], changes)
    types = {field.name: type(getattr(given, field.name)) for field in fields(given)}
    values: dict[str, int | float | str] = {}
    for key, value in changes.items():
        if key not in types:
            raise fail(
                "SNN042", f"option '{key}' is not known, should be one of {', '.join(types)}"
            )
        try:
            values[key] = types[key](value)
        except (TypeError, ValueError):
            raise fail(
                "SNN042", f"option '{key}' is '{value}', should be {types[key].__name__}"
            ) from None
    return replace(given, **values)  # type: ignore[arg-type]


def check_rules(chip: Backend, graph: Graph, settings: Settings) -> None:
    """Raises SNN041 with every rule of the target that the network breaks."""
    found = list(chip.check(graph, settings))
    if found:
        raise SnnccError(found)


def _check_complete(graph: Graph) -> None:
    try:
        check(graph, INTEGER)
    except SnnccError as error:
        raise fail(
            "SNN020",
            f"the pipeline stops before its end: {error.diagnostics[0].message}",
            error.diagnostics[0].place,
            "end it as the target's own pipeline; `snncc targets NAME` prints it",
        ) from None


def self_test_vectors(graph: Graph, samples: Batch) -> bytes:
    """Some inputs and the exact spikes and results expected, as .safetensors.

    `input/NAME` float32 (N, *shape), `quantized/NAME` int32, `total/NAME` int64 (N, T, *shape),
    `spikes/NAME` and, for signed neurons, `negative/NAME`: uint8, bits of (N, T, *shape) packed in
    row-major order.
    """
    first = {name: array[:VECTOR_SAMPLES] for name, array in samples.items()}
    execution = OracleRunner(graph).run(first, record=True)
    tensors: dict[str, Array] = {}
    for node in graph.inputs:
        tensors[f"input/{node.name}"] = first[node.name]
        if isinstance(node.op, Input):
            numbers = first[node.name].astype(np.float64)
            tensors[f"quantized/{node.name}"] = node.op.quantize(numbers).astype(np.int32)
    for name, total in execution.totals.items():
        tensors[f"total/{name}"] = total
    for name, spikes in execution.spikes.items():
        tensors[f"spikes/{name}"] = np.packbits(spikes > 0)
        if (spikes < 0).any():
            tensors[f"negative/{name}"] = np.packbits(spikes < 0)
    return pack(tensors)


def _import(path: Path) -> _Source:
    imported = import_model(path)
    return _Source(imported.graph, imported.notes, sha256(path.read_bytes()).hexdigest())


def _dataset(calibration: str | Path | Array | Dataset | None) -> Dataset | None:
    match calibration:
        case None | Dataset():
            return calibration
        case str() | Path():
            return read_dataset(Path(calibration))
    return make_dataset({"x": np.asarray(calibration)})


def _calibration(
    graph: Graph, data: Dataset | None, preprocessing: Preprocessing, notes: list[str]
) -> tuple[Batch, Array | None]:
    if data is None:
        notes.append(
            "SNN031: no calibration data is given; scales come from seeded normal noise in place "
            "of samples, which costs accuracy. Give some hundred samples with --calib FILE.npz"
        )
        return synthetic_samples(graph), None
    raw = next(iter(data.arrays.values()))
    if raw.dtype == np.uint8 and preprocessing.is_identity:
        notes.append(
            f"the data is uint8 and is given to the network as it is, 0..{raw.max()}; if the "
            "network was trained on other numbers, say so with --scale, --mean and --std"
        )
    return samples_for(graph, data, preprocessing), data.labels


def _interface(graph: Graph, which: str) -> list[dict[str, object]]:
    nodes = graph.inputs if which == "input" else graph.outputs
    return [{"name": node.name, "shape": list(node.type.shape)} for node in nodes]


def _weights(node: Node) -> Iterator[Tensor]:
    """The weights of a population's maps."""
    last = [chain[-1] for chain in node.op.maps] if isinstance(node.op, Population) else []
    yield from (op.weight for op in last if isinstance(op, Conv | Dense | Scale))


def _report(compiled: Compiled) -> dict[str, object]:
    graph = compiled.graph
    populations = [node for node in graph if isinstance(node.op, Population)]
    spiking = [node for node in populations if isinstance(node.type, Spikes)]
    weights = [weight for node in populations for weight in _weights(node)]
    return {
        "summary": {
            "populations": len(populations),
            "neurons": sum(node.type.size for node in spiking),
            "projections": sum(len(node.inputs) for node in populations),
            "weights": sum(weight.array.size for weight in weights),
            "weight_bits": sum(weight.array.size * weight.bits for weight in weights),
        },
        "waterfall": [asdict(row) for row in compiled.waterfall],
    }
