"""Every pass keeps its promise, prints as it parses, and damages nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from snncc.passes.base import Context, Lossy
from snncc.passes.manager import moved, run_pipeline
from snncc.passes.rate_code import NEURONS
from snncc.passes.registry import parse_pipeline, passes, print_pipeline
from snncc_ir import (
    CATALOG,
    INTEGER,
    NORMAL,
    Graph,
    GraphBuilder,
    Oracle,
    SnnccError,
    ValueRunner,
    check,
    f32,
    print_graph,
)  # fmt: skip
from snncc_ir.ops import Conv, Dense, Input, IntegrateFire, Neuron, Output, Population, Relu
from tests.strategies import lowered_graphs, samples

FRONT = (
    "adopt-grids,drop-grids,hoist-neurons,current-maxima,fold-batchnorm,sink-views,fuse,"
    "binary-weights,linear-weights,normalize,"
)
PIPELINE = FRONT + (
    "quantize-input,rate-code{steps=16,neuron=NEURON},calibrate-rate,quantize-weights"
)
TTFS = FRONT + (
    "align-scales,quantize-input{bits=9},log-weights,ttfs-code,quantize-log2,correct-bias,"
    "quantize-potentials{accumulator_bits=32}"
)
RADIX = FRONT + "quantize-input,radix-code,correct-bias,quantize-weights"
ENCODED = PIPELINE.replace("NEURON", "hard-if").replace("normalize,", "encode-input,normalize,")
METHODS = [
    FRONT.replace("normalize", f"normalize{{{options}}}") + "quantize-input"
    for options in (
        "method=weights",
        "method=error,steps=8",
        "method=error,steps=8,per=layer,peak=2",
        "method=ecc",
    )
]


@contextmanager
def refusals_aside() -> Iterator[None]:
    """A network that no accumulator holds is refused; that says nothing of what passes promise."""
    try:
        yield
    except SnnccError as error:
        assume({diagnostic.code for diagnostic in error.diagnostics} != {"SNN022"})
        raise


@pytest.mark.parametrize(
    "pipeline", [PIPELINE.replace("NEURON", "if"), TTFS, RADIX, ENCODED, *METHODS]
)
@given(lowered_graphs(grids=True))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_every_pass_keeps_its_promise(pipeline: str, graph: Graph) -> None:
    """The pass manager measures and checks after each pass; here on random graphs."""
    context = Context(samples(graph))
    text = print_graph(graph)
    current, before = graph, ValueRunner(graph).run(context.calibration)
    # outputs that cancel to nothing have no digit to compare
    assume(all(np.abs(values).max() > 1e-5 or not values.any() for values in before.values()))
    for step in parse_pipeline(pipeline):
        with refusals_aside():
            result = step.run(current, context)
        check(result, step.leaves or step.needs)
        if (step.leaves or step.needs) == NORMAL:
            context = replace(context, analog=result)
        after = before if result is current else ValueRunner(result).run(context.calibration)
        if not isinstance(step.promise, Lossy):
            assert step.promise.tolerance is not None
            found = moved(step, (current, before), (result, after), context.calibration)
            assert found <= step.promise.tolerance, step.name
        current, before = result, after
    assert print_graph(graph) == text


@pytest.mark.parametrize("pipeline", [PIPELINE.replace("NEURON", "if"), TTFS, RADIX, ENCODED])
@given(lowered_graphs(grids=True))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_every_source_is_still_named(pipeline: str, graph: Graph) -> None:
    """A pass that loses where a neuron comes from would fail here."""
    context = Context(samples(graph))
    with refusals_aside():
        result = run_pipeline(graph, parse_pipeline(pipeline), context, measure=False).graph
    kept = {source for node in result for source in node.origin.sources}
    weighted = {
        source
        for node in graph
        if node.op.name in ("conv", "dense", "neuron", "maxpool", "affine")
        for source in node.origin.sources
    }
    assert weighted <= kept
    assert all(node.origin.sources for node in result)


@given(lowered_graphs(grids=True))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("neuron", list(NEURONS))
def test_potentials_stay_in_the_accumulator(neuron: str, graph: Graph) -> None:
    """Inputs far outside of the calibrated range cannot make a potential leave 32 bits."""
    calibration = samples(graph)
    pipeline = parse_pipeline(PIPELINE.replace("NEURON", neuron))
    result = run_pipeline(graph, pipeline, Context(calibration), measure=False).graph
    check(result, INTEGER)
    wild = {name: 1e6 * np.sign(array) for name, array in calibration.items()}
    for step in Oracle(result).steps_of(wild):
        for potential in step.potentials.values():
            assert np.abs(potential).max() < 2**31


def test_the_promises_of_all_passes_are_tested() -> None:
    pipelines = (PIPELINE.replace("NEURON", "if"), TTFS, RADIX, ENCODED)
    tested = {step.name for pipeline in pipelines for step in parse_pipeline(pipeline)}
    assert tested == set(passes())


@pytest.mark.parametrize("name", list(passes()))
def test_a_pass_prints_as_it_parses(name: str) -> None:
    step = passes()[name]()
    (back,) = parse_pipeline(str(step))
    assert back == step
    assert print_pipeline((back, back)) == f"{step},{step}"
    assert (passes()[name].__doc__ or "").strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fuze", "pass 'fuze' is not known"),
        ("rate-code{step=3}", "has no option 'step', should be one of neuron, steps, start"),
        (
            "rate-code{steps=many}",
            "option 'steps' of pass 'rate-code' is 'many', should be a whole number",
        ),
        ("rate-code{steps=0}", "steps is 0, should be 1 to 32767"),
        ("normalize{method=best}", "method is 'best', should be weights or max or percentile"),
        ("normalize{method=error}", "steps is 0, should be 1 to 32767 for method error"),
        ("normalize{peak=0}", "peak is 0.0, should be 1/16 to 64"),
        ("rate-code{most=128}", "most is 128, should be 1 to 127"),
        ("calibrate-rate{weights=good}", "weights is 'good', should be best or fit or keep"),
        ("calibrate-rate{rounds=-1}", "rounds is -1, should be 0 to 64"),
        ("calibrate-rate{samples=0}", "samples is 0, should be at least 1"),
        ("normalize{percentile=101}", "percentile is 101"),
        ("quantize-weights{bits=40}", "bits is 40, should be 2 to 16"),
        ("fuse,,fuse", "the pipeline cannot be read"),
        ("fuse{a=1}", "it has none"),
    ],
)
def test_pipelines_that_do_not_fit_are_said(text: str, message: str) -> None:
    with pytest.raises(SnnccError) as caught:
        parse_pipeline(text)
    assert caught.value.diagnostics[0].code == "SNN020"
    assert message in str(caught.value)


def network(*weights: float, bias: float = 0.0) -> Graph:
    builder = GraphBuilder("net")
    builder.add("x", Input((len(weights),)), [])
    builder.add("d", Dense(f32(np.array([weights])), f32(np.array([bias]))), ["x"])
    builder.add("n", Neuron(Relu()), ["d"])
    builder.add("r", Dense(f32(np.array([[1.0]]))), ["n"])
    builder.add("y", Output(), ["r"])
    return builder.graph()


def test_a_pass_out_of_order_is_said() -> None:
    graph = network(1.0)
    with pytest.raises(SnnccError, match="needs a graph at stage 'coded'") as caught:
        run_pipeline(graph, parse_pipeline("quantize-weights"), Context(samples(graph)))
    (found,) = caught.value.diagnostics
    assert "(and 2 more)" in found.message
    assert found.place.startswith("dense 'd'")
    assert found.hint.startswith("run the pass fuse")


def test_what_is_fused_is_left_alone() -> None:
    graph = network(1.0, 2.0)
    once, twice = (
        run_pipeline(graph, parse_pipeline(text), Context(samples(graph))).graph
        for text in ("fuse", "fuse,fuse")
    )
    assert print_graph(once) == print_graph(twice)


def test_layers_beside_populations_are_refused() -> None:
    """Only a text written by hand has both."""
    fused = run_pipeline(network(1.0), parse_pipeline("fuse"), Context({}), measure=False).graph
    builder = GraphBuilder("both")
    for node in fused:
        builder.add(node.name, node.op, node.inputs, node.origin)
    builder.add("late", Dense(f32(np.array([[1.0]]))), ["n"])
    builder.add("z", Output(), ["late"])
    with pytest.raises(SnnccError, match="SNN020: population 'n' stands among layers"):
        run_pipeline(builder.graph(), parse_pipeline("fuse"), Context({}), measure=False)


def test_a_broken_promise_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(1.0, 2.0)
    folding = passes()["fold-batchnorm"]
    monkeypatch.setattr(folding, "run", lambda self, graph, context: network(1.0, 2.5))
    with pytest.raises(SnnccError) as caught:
        run_pipeline(graph, parse_pipeline("fold-batchnorm"), Context(samples(graph)))
    assert caught.value.diagnostics[0].code == "SNN021"


def test_normalization_by_hand() -> None:
    """One neuron 3·x₀ on inputs up to 2: its scale is 6; the weight becomes 3 · 2 / 6."""
    graph = network(3.0)
    data = {"x": np.array([[2.0], [1.0], [-1.0]], np.float32)}
    result = run_pipeline(graph, parse_pipeline("fuse,normalize{method=max}"), Context(data)).graph
    population = result["n"].op
    assert isinstance(population, Population)
    assert population.scale.floats.tolist() == [6.0]
    weight = population.maps[0][-1]
    assert isinstance(weight, Dense)
    assert weight.weight.floats.tolist() == [[1.0]]  # 3 · 2 / 6
    (source,) = result.inputs
    assert isinstance(source.op, Input)
    assert source.op.scale == 2.0


def test_percentile_is_an_order_statistic() -> None:
    """The value at rank ⌈q·M⌉, whatever the batch size."""
    graph = network(1.0)
    values = np.arange(1.0, 101.0).astype(np.float32)
    np.random.default_rng(0).shuffle(values)
    data = {"x": values.reshape(-1, 1)}
    pipeline = parse_pipeline("fuse,normalize{method=percentile,percentile=90}")
    result = run_pipeline(graph, pipeline, Context(data)).graph
    population = result["n"].op
    assert isinstance(population, Population)
    assert population.scale.floats.tolist() == [90.0]


def test_a_silent_channel_gets_the_layer_scale() -> None:
    builder = GraphBuilder("net")
    builder.add("x", Input((1, 4, 4)), [])
    kernel = f32(np.array([1.0, 0.0, -1.0]).reshape(3, 1, 1, 1))
    builder.add("c", Conv(kernel, (1, 1), (0, 0, 0, 0), (1, 1)), ["x"])
    builder.add("n", Neuron(Relu()), ["c"])
    builder.add("y", Output(), ["n"])
    data = {"x": np.full((4, 1, 4, 4), 2.0, np.float32)}
    result = run_pipeline(builder.graph(), parse_pipeline("fuse,normalize"), Context(data)).graph
    population = result["n"].op
    assert isinstance(population, Population)
    assert population.scale.floats.reshape(-1).tolist() == [2.0, 2.0, 2.0]


def test_steps_that_overflow_are_said() -> None:
    """A bias of a million thresholds leaves no bits for the weights in 16 bits."""
    graph = network(1.0, bias=-1000.0)
    data = {"x": np.ones((4, 1), np.float32)}
    pipeline = (
        "fuse,normalize,quantize-input,rate-code{steps=32000},quantize-weights{accumulator=16}"
    )
    with pytest.raises(SnnccError) as caught:
        run_pipeline(graph, parse_pipeline(pipeline), Context(data))
    assert caught.value.diagnostics[0].code == "SNN022"
    assert "accumulator of 16 bits" in str(caught.value)


def test_start_and_threshold_are_integers() -> None:
    graph = network(0.5, 0.25)
    text = PIPELINE.replace("NEURON", "signed-if").replace("calibrate-rate,", "")
    result = run_pipeline(graph, parse_pipeline(text), Context(samples(graph))).graph
    population = result["n"].op
    assert isinstance(population, Population)
    assert isinstance(population.model, IntegrateFire)
    theta, start = population.model.theta.integers, population.model.start.integers
    assert np.all(np.abs(2 * start - theta) <= 1)


def test_every_code_of_the_source_is_in_the_catalog() -> None:
    assert all(code.startswith("SNN") and len(code) == 6 for code in CATALOG)
