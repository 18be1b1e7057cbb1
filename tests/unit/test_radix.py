"""The radix code: neurons, oracle, pools and potentials, against plain arithmetic of integers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_backends import checked_steps
from snncc_ir import (
    Analog,
    Batch,
    Floats,
    Graph,
    GraphBuilder,
    Integers,
    Numbers,
    Oracle,
    Radix,
    SnnccError,
    decode,
    digit_train,
    f32,
    i16,
    i32,
    parse_graph,
    run_digits,
)
from snncc_ir.ops import (
    Dense,
    Input,
    MaxPool,
    Neuron,
    Output,
    Population,
    RadixFire,
    Readout,
    Relu,
)  # fmt: skip
from tests.strategies import lowered_graphs, samples
from tests.unit.test_passes import RADIX

THREE_WEIGHTS = st.lists(st.integers(-40, 40), min_size=3, max_size=3)
WILD = 1e6


def chain(weights: list[int], model: RadixFire) -> Graph:
    """input → a → b → readout; a has a bias of 2, b of −3, and the input reaches b, too."""
    builder = GraphBuilder("chain")
    builder.add("x", Input((1,), 1.0, 10), [])
    first, second, skip = (Dense(i16(np.array([[w]]))) for w in weights)
    builder.add("a", Population((1,), ((first,),), i32([2]), model), ["x"])
    builder.add("b", Population((1,), ((second,), (skip,)), i32([-3]), model), ["a", "x"])
    last = Population((1,), ((Dense(i16(np.array([[5]]))),),), i32([1]), Readout(i32([4])))
    builder.add("r", last, ["b"])
    builder.add("y", Output(f32(0.5)), ["r"])
    return builder.graph()


@given(THREE_WEIGHTS, st.integers(1, 50), st.integers(0, 49), st.integers(1, 8))
@settings(deadline=None, max_examples=200)
def test_a_chain_of_neurons(weights: list[int], theta: int, start: int, steps: int) -> None:
    """The number of a neuron is clip((M · current + start) // theta, 0, M), in binary."""
    graph = chain(weights, RadixFire(steps, i32([theta]), i32([start])))
    found = run_digits(graph, {"x": np.array([[3.0]], np.float32)})
    most = 2**steps - 1
    first, second, skip = weights
    a = min(max((most * (first * 3 + 2) + start) // theta, 0), most)
    v = second * a + most * (skip * 3 - 3)
    b = min(max((v + start) // theta, 0), most)
    assert [found.number[name].item() for name in ("a", "b")] == [a, b]
    assert found.potential["b"].item() == v
    assert found.potential["r"].item() == 5 * b + most
    digits = "".join(map(str, digit_train(found.number["b"], Radix(steps)).reshape(-1)))
    assert digits == format(b, f"0{steps}b")
    (y,) = decode(graph, found.totals(graph), 1).values()
    assert y.item() == pytest.approx(0.5 * (5 * b / most + 1) / 4)


@given(st.lists(st.integers(0, 31), min_size=1, max_size=9))
def test_a_pool_can_compare_digits_from_the_top(numbers: list[int]) -> None:
    """A chip knows the largest number without waiting: who sends less than the pool drops out."""
    code = Radix(5)
    trains = digit_train(np.array([numbers]), code)[0]
    racing = np.ones(len(numbers), bool)
    sent = []
    for digits in trains:
        sent.append(int((digits & racing).max()))
        racing &= digits == sent[-1]
    assert np.array_equal(sent, digit_train(np.array([max(numbers)]), code)[0])


def test_pooled_numbers_are_the_largest_of_their_windows() -> None:
    builder = GraphBuilder("pool")
    builder.add("x", Input((1, 4), 1.0, 100), [])
    identity = Dense(i16(np.eye(4, dtype=int)))
    model = RadixFire(4, i32([15]), i32([7]))
    builder.add("a", Population((1, 4), ((identity,),), i32([0]), model), ["x"])
    builder.add("m", MaxPool((3,), (1,), (1, 1)), ["a"])
    builder.add("y", Output(f32(2.0)), ["m"])
    graph = builder.graph()
    found = run_digits(graph, {"x": np.array([[[3.0, 9.0, -5.0, 40.0]]], np.float32)})
    assert found.number["a"].tolist() == [[[3, 9, 0, 15]]]
    assert found.number["m"].tolist() == [[[9, 9, 15, 15]]]
    (y,) = decode(graph, found.totals(graph), 1).values()
    assert y.tolist() == [[[2 * 9 / 15, 2 * 9 / 15, 2.0, 2.0]]]


def integers(graph: Graph, pipeline: str = RADIX) -> Graph:
    context = Context(samples(graph))
    return run_pipeline(graph, parse_pipeline(pipeline), context, measure=False).graph


@given(lowered_graphs(), st.integers(1, 8))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_value_and_spike_semantics_agree(lowered: Graph, steps: int) -> None:
    """Node by node; a number may differ only where a potential is on a threshold exactly."""
    graph = integers(lowered, RADIX.replace("radix-code", f"radix-code{{steps={steps}}}"))
    given_samples = samples(lowered)
    found = run_digits(graph, given_samples)
    most = 2**steps - 1
    for node in graph:
        if not isinstance(node.op, Population | MaxPool):
            continue
        values = tuple(value_of(graph, name, found, given_samples, most) for name in node.inputs)
        result = node.op.evaluate(values)
        if node.name not in found.number:
            assert isinstance(node.op, Population)
            assert isinstance(node.op.model, Readout)
            np.testing.assert_allclose(
                result * most * node.op.model.theta.floats,
                found.potential[node.name],
                rtol=1e-9,
                atol=1e-6,
            )
            continue
        off = np.rint(result * most).astype(np.int64) - found.number[node.name]
        if isinstance(node.op, Population) and isinstance(node.op.model, RadixFire):
            v = found.potential[node.name] + node.op.model.start.integers
            off = np.where(v % node.op.model.theta.integers == 0, 0, off)
        assert not off.any(), node.name


def value_of(graph: Graph, name: str, found: Numbers, given_samples: Batch, most: int) -> Floats:
    """What a node's spikes, or the integers of an input, are worth in its own units."""
    node = graph[name]
    if isinstance(node.type, Analog):
        return node.op.evaluate((given_samples[name].astype(np.float64),))
    return found.number[name] / most


@given(lowered_graphs(), st.integers(1, 8))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_potentials_stay_in_the_accumulator(lowered: Graph, steps: int) -> None:
    """Inputs far outside of the calibrated range cannot make a potential leave 32 bits."""
    graph = integers(lowered, RADIX.replace("radix-code", f"radix-code{{steps={steps}}}"))
    for v in driven_wild(graph, samples(lowered)):
        assert np.abs(v).max() < 2**31


def driven_wild(graph: Graph, given_samples: Batch) -> list[Integers]:
    """The potentials with starts, by population, for inputs of the largest numbers there are."""
    wild = {name: WILD * np.sign(array) for name, array in given_samples.items()}
    found = run_digits(graph, wild)
    return [
        v + (op.model.start.integers if isinstance(op.model, RadixFire) else 0)
        for name, v in found.potential.items()
        if isinstance(op := graph[name].op, Population)
    ]


def test_potentials_are_as_large_as_the_accumulator_allows() -> None:
    """A hundred inputs of 16 bits in 8 steps; 255 times the largest current just fits."""
    builder = GraphBuilder("net")
    builder.add("x", Input((100,)), [])
    builder.add("d", Dense(f32(np.ones((1, 100)))), ["x"])
    builder.add("n", Neuron(Relu()), ["d"])
    builder.add("r", Dense(f32(np.ones((1, 1)))), ["n"])
    builder.add("y", Output(), ["r"])
    lowered = builder.graph()
    # calibrated on currents of 1/100 of what the inputs can bring
    data = {"x": np.where(np.arange(100) == 0, 1.0, 0.0).astype(np.float32)[None]}
    pipeline = parse_pipeline(
        "fuse,normalize,quantize-input{bits=4},radix-code{steps=8},quantize-weights"
    )
    graph = run_pipeline(lowered, pipeline, Context(data), measure=False).graph
    most = driven_wild(graph, {"x": np.ones((1, 100))})[0].max()
    assert 2**30 < most < 2**31


def test_a_number_of_no_code_is_said() -> None:
    for steps in (0, 9):
        with pytest.raises(ValueError, match=f"steps is {steps}, should be 1 to 8"):
            Radix(steps)
        with pytest.raises(SnnccError, match=f"steps is {steps}, should be 1 to 8") as caught:
            chain([1, 1, 1], RadixFire(steps, i32([1]), i32([0])))
        assert caught.value.diagnostics[0].code == "SNN010"
    text = (
        'sir 1\ngraph "g" {\n  %x = input {shape=[1]} : spikes<1, radix{steps=9}>\n'
        '      from Input "x"\n}\n'
    )
    with pytest.raises(SnnccError, match="steps is 9, should be 1 to 8"):
        parse_graph(text)


def test_networks_of_other_codes_are_refused() -> None:
    graph = chain([1, 1, 1], RadixFire(3, i32([1]), i32([0])))
    with pytest.raises(SnnccError, match="the code is radix, should be rate"):
        Oracle(graph)
    rate = integers(sample_network(), RADIX.replace("radix-code", "rate-code"))
    with pytest.raises(SnnccError, match="has no radix code, should have one"):
        run_digits(rate, {"x": np.ones((1, 1), np.float32)})


def sample_network() -> Graph:
    builder = GraphBuilder("net")
    builder.add("x", Input((1,)), [])
    builder.add("d", Dense(f32(np.array([[1.0]])), f32(np.array([0.25]))), ["x"])
    builder.add("n", Neuron(Relu()), ["d"])
    builder.add("r", Dense(f32(np.array([[1.0]]))), ["n"])
    builder.add("y", Output(), ["r"])
    return builder.graph()


def test_there_are_no_results_before_the_end() -> None:
    graph = chain([1, 1, 1], RadixFire(3, i32([1]), i32([0])))
    assert checked_steps(graph, None) == 1
    with pytest.raises(SnnccError, match="has its results at the end only") as caught:
        checked_steps(graph, 2)
    assert caught.value.diagnostics[0].code == "SNN030"


@pytest.mark.parametrize("fraction", [0.0, 0.03, 0.1, 0.49, 0.5, 0.97, 1.0, 1.7])
@pytest.mark.parametrize("steps", [1, 4, 8])
def test_values_are_rounded_to_the_nearest_number(fraction: float, steps: int) -> None:
    """Within half a level of what they were, up to the scale."""
    model = RadixFire(steps, f32([1.0]), f32([0.5]))
    value = model.evaluate(np.array([fraction])).item()
    assert abs(value - min(fraction, 1.0)) <= 0.5 / (2**steps - 1) + 1e-12


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("radix-code{steps=9}", "steps is 9, should be 1 to 8"),
        ("radix-code{steps=0}", "steps is 0, should be 1 to 8"),
        ("radix-code{start=1}", "start is 1.0, should be at least 0 and below 1"),
    ],
)
def test_options_out_of_range(step: str, message: str) -> None:
    with pytest.raises(SnnccError) as caught:
        parse_pipeline(step)
    assert caught.value.diagnostics[0].code == "SNN020"
    assert message in str(caught.value)
