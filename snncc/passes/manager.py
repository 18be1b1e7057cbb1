"""Runs a pipeline: checks the graph after every pass, measures what each pass changed, dumps it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc_ir import (
    NORMAL,
    STAGES,
    Array,
    Batch,
    Floats,
    Graph,
    Node,
    SnnccError,
    Tensor,
    ValueRunner,
    check,
    f32,
    fail,
    violations,
    why,
    write_graph,
)  # fmt: skip
from snncc_ir.ops import Conv, Dense, Neuron, Population, Relu, Scale, TtfsRelu

SAMPLES = 128
"""Calibration samples on which each pass is measured, at most."""


FINER = 1 << 12
ROUNDING = 100.0
"""Signal to noise in dB from which a difference is floating-point rounding."""


@dataclass(frozen=True)
class Measurement:
    """One row of the accuracy waterfall: value semantics after a pass, against the first graph.

    deviation: largest difference of outputs, relative to the largest output. snr: signal to noise
    in dB, None when equal but for floating-point rounding (over 100 dB). agreement: share of
    samples with the same largest output; accuracy: share with the right label; each None where it
    has no meaning.
    """

    step: str
    promise: str
    deviation: float
    snr: float | None
    agreement: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Compiled:
    """A pipeline's result: the last graph and the waterfall, `lowered` first."""

    graph: Graph
    waterfall: tuple[Measurement, ...]


def run_pipeline(
    graph: Graph,
    pipeline: Sequence[Pass],
    context: Context,
    labels: Array | None = None,
    dump: Path | None = None,
    measure: bool = True,
    changed: Callable[[Pass, Graph], None] | None = None,
) -> Compiled:
    """Runs the passes one after the other.

    changed: called with each pass that has changed something, and what it left.

    labels: classes of the calibration samples. dump: folder for the graph after each pass. Raises
    SNN010 when a pass leaves a graph that is not well formed, SNN020 when it cannot be run on its
    operand, SNN021 when it breaks its promise.
    """
    watch = context.watch
    samples = {name: array[:SAMPLES] for name, array in context.calibration.items()}
    with watch.stage("measure"):
        scale = _Scale(graph, samples, labels) if measure else None
        rows = [scale.row("lowered", "-", scale.first)] if scale else []
    before = scale.first if scale else {}
    _dump(dump, 0, "lowered", graph)
    for number, step in enumerate(pipeline):
        context.progress(step.name, number, len(pipeline))
        _ready(graph, step)
        stage = step.leaves or step.needs
        with watch.stage(step.name):
            result = step.run(graph, context)
            check(result, stage)
        _dump(dump, number + 1, step.name, result)
        if changed and result is not graph:
            changed(step, result)
        if scale and result is not graph:
            with watch.stage("measure"):
                after = ValueRunner(result).run(samples)
                rows.append(scale.row(str(step), step.promise.kind, after))
                _hold(step, moved(step, (graph, before), (result, after), samples))
            before = after
        graph = result
        if stage == NORMAL:
            context = replace(context, analog=graph)
    context.progress("done", len(pipeline), len(pipeline))
    return Compiled(graph, tuple(rows))


class _Scale:
    """Measures outputs against those of the first graph."""

    def __init__(self, graph: Graph, samples: Batch, labels: Array | None) -> None:
        self.first = ValueRunner(graph).run(samples)
        count = len(next(iter(samples.values())))
        self._labels = None if labels is None else labels[:count]

    def row(self, step: str, promise: str, outputs: dict[str, Array]) -> Measurement:
        name, reference = next(iter(self.first.items()))
        signal = float(np.sum(np.square(reference, dtype=np.float64)))
        noise = float(np.sum(np.square(_difference(outputs[name], reference))))
        classes = reference.shape[1] if reference.ndim == 2 and reference.shape[1] > 1 else 0
        chosen = outputs[name].argmax(1) if classes else None
        agreement = accuracy = None
        if chosen is not None:
            agreement = float(np.mean(chosen == reference.argmax(1)))
            if self._labels is not None:
                accuracy = float(np.mean(chosen == self._labels))
        snr = 10 * np.log10(signal / noise) if signal > 0 and noise > 0 else np.inf
        return Measurement(
            step,
            promise,
            # rounded, because the last digits differ between processors and the bundle must not
            float(f"{deviation(self.first, outputs):.4f}"),
            float(f"{snr:.1f}") if snr < ROUNDING else None,
            agreement,
            accuracy,
        )


def deviation(before: dict[str, Array], after: dict[str, Array]) -> float:
    """Largest difference over all outputs, relative to the largest number before."""
    return max(
        float(np.max(np.abs(_difference(after[name], before[name]))))
        / max(float(np.max(np.abs(before[name]))), 1e-30)
        for name in before
    )


def _difference(a: Array, b: Array) -> Floats:
    return a.astype(np.float64) - b.astype(np.float64)


Valued = tuple[Graph, dict[str, Array]]
"""A graph and its outputs on samples."""


def moved(step: Pass, before: Valued, after: Valued, samples: Batch) -> float:
    """How far a pass has moved outputs, as far as its promise speaks of that.

    Where neurons are on a grid, floating-point rounding may decide for another step of it, which is
    none of the pass's business: it is held to its promise on finer grids then.
    """
    found = deviation(before[1], after[1])
    if step.promise.tolerance is None or found <= step.promise.tolerance:
        return found
    finer = [ValueRunner(_on_finer_grids(graph)).run(samples) for graph, _ in (before, after)]
    return min(found, deviation(*finer))


def _on_finer_grids(graph: Graph) -> Graph:
    def rewrite(node: Node) -> Node:
        match node.op:
            case Neuron(model=TtfsRelu(ceiling=ceiling)):
                return replace(node, op=Neuron(Relu(ceiling)))
            case Population(model=TtfsRelu() as relu):
                return replace(node, op=_without_slots(node.op, relu))
            case (
                Neuron(model=Relu(step=Tensor() as step) as relu)
                | Population(model=Relu(step=Tensor() as step) as relu)
            ):
                model = replace(relu, step=f32(step.floats / FINER))
                return replace(node, op=replace(node.op, model=model))
        return node

    return graph.rewritten(rewrite)


def _without_slots(op: Population, relu: TtfsRelu) -> Population:
    """Neurons of a ttfs code as clipped ReLUs, whose drive counts in units of what they send."""
    worth = (1.0 if relu.ceiling is None else float(relu.ceiling.floats.item())) / relu.unit
    maps = tuple(
        (*moves, replace(last, weight=f32(last.weight.floats * worth)))
        if isinstance(last, Conv | Dense | Scale)
        else (*moves, last)
        for *moves, last in op.maps
    )
    return replace(op, maps=maps, bias=f32(op.bias.floats * worth), model=Relu(relu.ceiling))


def _hold(step: Pass, found: float) -> None:
    tolerance = step.promise.tolerance
    if tolerance is not None and found > tolerance:
        raise fail(
            "SNN021",
            f"pass '{step.name}' is {step.promise.kind}, yet an output moved by {found:.2g} of the "
            f"largest, should be at most {tolerance:.2g}",
            hint="another order of passes, if you gave one with --passes; else report this bug of "
            "snncc, with the model",
        )


def _ready(graph: Graph, step: Pass) -> None:
    try:
        check(graph, step.needs)
    except SnnccError:
        # of the earliest stage that it is not at, since that is where to begin
        at_stages = (list(violations(graph, stage)) for stage in STAGES.values())
        first, *others = next(filter(None, at_stages))
        more = f" (and {len(others)} more)" if others else ""
        raise fail(
            "SNN020",
            f"pass '{step.name}' needs a graph at stage '{step.needs.name}': {first.message}{more}",
            first.place,
            f"{first.hint}; `snncc opt --list` says what each pass needs and leaves",
        ) from None


def _dump(folder: Path | None, number: int, name: str, graph: Graph) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_graph(graph, folder / f"{number:02}-{name}.sir")
    except OSError as error:
        raise fail(
            "SNN050",
            f"the IR cannot be written: {why(error)}",
            str(folder),
            "another folder with --dump-ir, where you may write",
        ) from None


Progress = Callable[[str, int, int], None]


def promise_text(step: Pass) -> str:
    """`exact`, `close`, or `lossy: why`."""
    promise = step.promise
    return f"lossy: {promise.why}" if isinstance(promise, Lossy) else promise.kind
