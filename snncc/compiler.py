"""From an ONNX file to a bundle: front end, passes, backend, files."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from snncc.activity import measured_spikes, sent_spikes
from snncc.build import Progress, build_network
from snncc.bundle import Bundle
from snncc.event_input import check_stream, fixed_for_events
from snncc.exit_choice import chosen_exit
from snncc.options import given_options, make_settings, own_pipeline, without_samples
from snncc.passes.base import Context
from snncc.passes.manager import Compiled
from snncc.passes.registry import parse_pipeline, print_pipeline
from snncc.search import Goal, Search, make_study, search
from snncc.source import Data, load_source
from snncc.trained import searched_with, training_note, with_trained
from snncc_backends import (
    Backend,
    BundleFolder,
    EarlyExit,
    Execution,
    OracleRunner,
    Preprocessing,
    RateSettings,
    Settings,
    backend,
    check_place,
    to_json,
    write_bundle,
)  # fmt: skip
from snncc_backends.bundle import NETWORK, REPORT, TENSORS, VECTORS
from snncc_ir import (
    Array,
    Batch,
    Graph,
    Node,
    Spikes,
    Stopwatch,
    Tensor,
    fail,
    pack,
    print_graph,
    tensor_bytes,
)  # fmt: skip
from snncc_ir.ops import Conv, Dense, Input, Population, Scale

VECTOR_SAMPLES = 2
"""Samples whose exact spikes every bundle carries."""


def compile(
    model: str | Path,
    *,
    target: str = "c",
    calibration: Data | None = None,
    output: str | Path | None = None,
    settings: Settings | Mapping[str, object] | None = None,
    preprocessing: Preprocessing | None = None,
    passes: str | None = None,
    accuracy: float | Goal | None = None,
    data: Data | None = None,
    approximate: bool = False,
    dump_ir: str | Path | None = None,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
    searched: Callable[[Search], None] = lambda found: None,
    **options: object,
) -> Bundle:
    """Compiles an ONNX file for a target; returns the bundle, whose `timings` say what took long.

    calibration: .npz path, samples (N, …), or a `Dataset`; without it, seeded noise stands in and
    the bundle's notes say so. output: the bundle's folder; without it, a temporary one that goes
    with the returned object. settings (`RateSettings`, `TtfsSettings` or the target's own), or
    single fields of them as keywords (`steps=32`, `neuron="signed-if"`, `coding="ttfs"`).
    passes: a pipeline in place of the target's own. approximate: activations such as Sigmoid, Tanh
    and Gelu become sums of clipped ramps, which the notes name; else they are refused.

    accuracy: percentage points that may be lost against the float network; the cheapest settings
    are then searched, and those given stay as they are (`coding="auto"`: all codings). They are
    measured on `data`, or else on a held-out part of the calibration samples; `searched` is called
    with what was tried. Raises `SnnccError`.
    """
    if output is not None:
        check_place(Path(output), force)
    pre = preprocessing or Preprocessing()
    steps = 1
    chip = backend(target)
    goal = Goal(accuracy) if isinstance(accuracy, int | float) else accuracy
    if goal is None:
        if data is not None:
            raise fail(
                "SNN042",
                "data to measure on is given without an accuracy to keep",
                hint="--accuracy POINTS with it; `snncc verify` measures a finished bundle",
            )
        chosen = make_settings(chip, settings, options)
        check_stream(chip, chosen, pre)
        steps = getattr(chosen, "steps", 1)
    elif passes is not None:
        raise fail(
            "SNN042",
            "a pipeline leaves no settings to search, should be passes or accuracy",
            hint="leave out --passes or --accuracy",
        )
    else:
        options = {**options, **fixed_for_events(chip, pre, given_options(settings, options))}
        steps = int(str(options.get("steps", 1)))
    watch = Stopwatch()
    progress("import", 0, 1)
    source = load_source(Path(model), calibration, pre, approximate, watch, steps)
    found = None
    if goal is not None:
        with watch.stage("search"):
            study = make_study(source, data)
            fixed = searched_with(given_options(settings, options), source.trained,
                                  chip.codings[0].coding)  # fmt: skip
            found = search(chip, study, goal, fixed, progress)
            searched(found)
            chosen = make_settings(chip, None, found.settings())
    else:
        chosen = with_trained(chosen, source.trained, given_options(settings, options))
    if source.data is None and "calibrate" not in given_options(settings, options):
        chosen = without_samples(chosen)
    pipeline = own_pipeline(chip, chosen) if passes is None else parse_pipeline(passes)
    compiled = build_network(
        chip,
        source.graph,
        pipeline,
        chosen,
        Context(source.samples, progress, watch=watch),
        source.labels,
        None if dump_ir is None else Path(dump_ir),
    )
    progress("emit", 0, 1)
    data = source.data
    notes = [*source.notes, *filter(None, [training_note(chosen.coding, source.trained)])]
    manifest: dict[str, object] = {
        "target": target,
        "model": {"name": source.graph.name, "sha256": source.digest},
        "calibration": None if data is None else {"samples": data.count, "sha256": data.digest},
        "settings": chosen.as_json(),
        "pipeline": print_pipeline(pipeline),
        "preprocessing": pre.as_json(),
        **({"approximate": True} if approximate else {}),
        "inputs": _interface(compiled.graph, "input"),
        "outputs": _interface(compiled.graph, "output"),
        "notes": notes,
    }
    shown = {name: array[:VECTOR_SAMPLES] for name, array in source.samples.items()}
    with watch.stage("vectors"):
        execution = OracleRunner(compiled.graph).run(shown, record=True)
        vectors = self_test_vectors(compiled.graph, shown, execution)
    with watch.stage("emit"):
        target_files = _target_files(
            chip, compiled.graph, pre, chosen, source.samples, execution, watch
        )
        report = {**_report(compiled), "target": chip.summary_of(target_files)}
    files = {
        NETWORK: print_graph(compiled.graph).encode(),
        TENSORS: tensor_bytes(compiled.graph),
        VECTORS: vectors,
        REPORT: to_json({**report, **({"search": found.as_json()} if found else {})}),
        **target_files,
    }
    points = chosen.early_exit_loss if isinstance(chosen, RateSettings) else 0.0
    if points:
        with watch.stage("early exit"):
            choice = chosen_exit(manifest, files, data, points, progress)
            notes.extend([choice.note] if choice.note else [])
            manifest["early_exit"] = asdict(choice)
            files |= chip.emit_exiting(compiled.graph, pre, chosen, EarlyExit(choice.units))
    if output is not None:
        with watch.stage("write"):
            write_bundle(Path(output), manifest, files, force)
            folder = BundleFolder.read(Path(output))
        return Bundle(folder, timings=watch.seconds)
    temporary = Path(tempfile.mkdtemp(prefix="snncc-"))
    try:
        with watch.stage("write"):
            write_bundle(temporary / "bundle", manifest, files)
            folder = BundleFolder.read(temporary / "bundle")
        return Bundle(folder, temporary, watch.seconds)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _target_files(
    chip: Backend,
    graph: Graph,
    preprocessing: Preprocessing,
    settings: Settings,
    samples: Batch,
    execution: Execution,
    watch: Stopwatch,
) -> dict[str, bytes]:
    """execution: of the first samples, which may be enough to know who sends how many spikes."""
    if not chip.measured:
        return chip.emit(graph, preprocessing, settings)
    if chip.measured <= VECTOR_SAMPLES:
        return chip.emit_measured(graph, preprocessing, settings, sent_spikes(execution))
    first = {name: array[: chip.measured] for name, array in samples.items()}
    with watch.stage("count spikes"):
        spikes = measured_spikes(graph, preprocessing, first)
    return chip.emit_measured(graph, preprocessing, settings, spikes)


def self_test_vectors(graph: Graph, first: Batch, execution: Execution) -> bytes:
    """Some inputs and the exact spikes and results expected, as .safetensors.

    `input/NAME` float32 (N, *shape), `quantized/NAME` int32, `total/NAME` int64 (N, T, *shape),
    `spikes/NAME` and, for signed neurons, `negative/NAME`: uint8, bits of (N, T, *shape) packed in
    row-major order; `graded/NAME` int8 (N, T, *shape) for spikes that carry their number.
    """
    tensors: dict[str, Array] = {}
    for node in graph.inputs:
        tensors[f"input/{node.name}"] = first[node.name]
        if isinstance(node.op, Input):
            numbers = first[node.name].astype(np.float64)
            tensors[f"quantized/{node.name}"] = node.op.quantize(numbers).astype(np.int32)
    for name, total in execution.totals.items():
        tensors[f"total/{name}"] = total
    for name, spikes in execution.spikes.items():
        if np.abs(spikes).max() > 1:
            tensors[f"graded/{name}"] = spikes
            continue
        tensors[f"spikes/{name}"] = np.packbits(spikes > 0)
        if (spikes < 0).any():
            tensors[f"negative/{name}"] = np.packbits(spikes < 0)
    return pack(tensors)


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
