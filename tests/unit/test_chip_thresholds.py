"""Few thresholds and narrow biases: bounds are respected, and nothing but resolution is lost."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from snncc.passes.base import Context
from snncc.passes.encode_input import encodes
from snncc.passes.manager import run_pipeline
from snncc.passes.quantize_weights import QuantizeWeights
from snncc.passes.rate_code import NEURONS
from snncc.passes.registry import parse_pipeline
from snncc.passes.scale_room import Limits, overshoot
from snncc.passes.threshold_values import choose, largest_below, nearest_to, representable
from snncc_ir import INTEGER, Graph, GraphBuilder, SnnccError, check, f32, i16, i32
from snncc_ir.ops import (
    Conv,
    Counting,
    Dense,
    Input,
    IntegrateFire,
    Output,
    Population,
    Readout,
    Scale,
)
from tests.strategies import lowered_graphs, samples

FRONT = (
    "hoist-neurons,fold-batchnorm,sink-views,fuse,binary-weights,encode-input,"
    "normalize{method=error,steps=8},quantize-input{bits=10},rate-code{steps=8,neuron=NEURON},"
    "calibrate-rate"
)
CHIP = QuantizeWeights(8, 17, thresholds=6, theta_bits=7, bias=4095, bound="reset")

sizes = st.dictionaries(st.integers(1, 400), st.integers(1, 9), min_size=1, max_size=7)


def cost(down: dict[int, int], near: dict[int, int], chosen: tuple[int, ...]) -> float:
    """As `choose` says it, in octaves; None where a value has no chosen one below it."""
    total = 0.0
    for value, weight in down.items():
        below = [c for c in chosen if c <= value]
        total += weight * np.log2(value / max(below)) if below else np.inf
    for value, weight in near.items():
        total += weight * min(
            np.log2(c / value) if c >= value else 4 * np.log2(value / c) for c in chosen
        )
    return total


@given(sizes, sizes, st.integers(1, 5), st.integers(0, 2))
@settings(deadline=None, max_examples=150)
def test_no_other_values_cost_less(
    down: dict[int, int], near: dict[int, int], most: int, kept: int
) -> None:
    fixed = tuple(sorted(near))[: min(kept, most - 1)]
    values = sorted({*down, *near})
    every = [
        cost(down, near, subset)
        for count in range(1, most + 1)
        for subset in combinations(values, min(count, len(values)))
        if set(fixed) <= set(subset)
    ]
    chosen = choose(down, near, most, fixed)
    assert len(chosen) <= most
    assert set(fixed) <= set(chosen) <= set(values)
    assert cost(down, near, chosen) <= min(every) + 0.01


@given(st.lists(st.integers(1, 1 << 30), min_size=1), st.integers(1, 12), st.booleans())
def test_mantissas(numbers: list[int], bits: int, nearest: bool) -> None:
    values = np.array(numbers)
    found = representable(values, bits, nearest)
    odd = found // (found & -found)
    assert odd.max() < 1 << bits
    if nearest:
        assert np.all(np.abs(found / values - 1) <= 2.0**-bits)
    else:
        assert np.all((found <= values) & (found > values * (1 - 2.0 ** (1 - bits))))
    assert np.array_equal(representable(found, bits), found)


def test_values_are_taken() -> None:
    assert largest_below(np.array([5, 6, 9, 70]), (9, 5)).tolist() == [5, 5, 9, 9]
    # 8 is an octave above 4 and 3/32 of one below 8.5, which counts four times
    assert nearest_to(np.array([4, 7, 9, 100]), (4, 8)).tolist() == [4, 8, 8, 8]
    with pytest.raises(SnnccError, match="2 thresholds are given, should be more"):
        choose({3: 1}, {}, 2, (5, 7))


def one_population(weights: list[int], bias: int, model: Counting | Readout, signed: bool) -> Graph:
    builder = GraphBuilder("one")
    builder.add("x", Input((len(weights),), 1.0, 3), [])
    kind = NEURONS["signed-if" if signed else "if"](8, i32([1]), i32([0]))
    source = Population((len(weights),), ((Scale(i16([1])),),), i32([0]), kind)
    builder.add("s", source, ["x"])
    op = Population((1,), ((Dense(i16(np.array([weights]))),),), i32([bias]), model)
    builder.add("n", op, ["s"])
    builder.add("y", Output(), ["n"])
    return builder.graph()


@given(
    st.sampled_from([*NEURONS, "readout"]),
    st.lists(st.integers(-40, 40), min_size=1, max_size=5),
    st.integers(-30, 30),
    st.integers(1, 90),
    st.integers(-10, 60),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(deadline=None, max_examples=300)
def test_no_spikes_drive_a_potential_farther(
    neuron: str, weights: list[int], bias: int, theta: int, start: int, signed: bool, seed: int
) -> None:
    """Trains that mostly push one way, in and against the order of the bound's worst case."""
    model: IntegrateFire | Readout
    if neuron == "readout":
        model, start = Readout(i32([1])), 0
    else:
        model = NEURONS[neuron](8, i32([theta]), i32([start]))
    graph = one_population(weights, bias, model, signed)
    op = graph["n"].op
    assert isinstance(op, Population)
    limits = Limits(8, 17, 0, "reset")
    bound = float(overshoot(graph, graph["n"], op, limits).max()) * limits.potential
    random = np.random.default_rng(seed)
    farthest = 0
    for way in (1, -1):
        pushing = np.where(np.sign(weights) == way, 1, -int(signed))
        potential, count = np.array([start]), np.array([0])
        turn = random.integers(0, 9)
        for step in range(8):
            spikes = pushing if step < turn or random.random() < 0.5 else -int(signed) * pushing
            potential = potential + np.dot(weights, spikes) + bias
            farthest = max(farthest, abs(int(potential[0])))
            if not isinstance(model, Readout):
                model.fire(potential, count)
    assert farthest <= round(bound)


@given(lowered_graphs(), st.sampled_from(list(NEURONS)))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_a_chip_can_hold_the_numbers(graph: Graph, neuron: str) -> None:
    context = Context(samples(graph))
    pipeline = parse_pipeline(FRONT.replace("NEURON", neuron))
    before = run_pipeline(graph, pipeline, context, measure=False).graph
    try:
        after = CHIP.run(before, context)
    except SnnccError as error:
        assume({diagnostic.code for diagnostic in error.diagnostics} != {"SNN022"})
        raise
    check(after, INTEGER)
    thresholds: set[int] = set()
    for node in after:
        op, old = node.op, before[node.name].op
        if not isinstance(op, Population) or not isinstance(old, Population):
            continue
        assert np.abs(op.bias.integers).max() <= 4095
        last = [chain[-1] for chain in op.maps]
        for map in last:
            assert isinstance(map, Conv | Dense | Scale)
            assert np.abs(map.weight.integers).max() <= (32767 if map.weight.bits == 1 else 127)
        if encodes(after, node):
            for source, map in zip(after.operands(node), last, strict=True):
                assert isinstance(map, Scale)
                assert isinstance(source.op, Input)
                written = np.abs(op.bias.integers) + np.abs(map.weight.integers) * source.op.levels
                assert written.max() <= 4095
        if isinstance(op.model, Counting) and isinstance(old.model, Counting):
            thresholds |= set(op.model.theta.integers.reshape(-1).tolist())
            if encodes(after, node):
                same_worth(op, old)
    assert len(thresholds) <= 6
    assert all(theta // (theta & -theta) < 1 << 7 for theta in thresholds)
    assert max(thresholds) < 1 << 16


def same_worth(op: Population, old: Population) -> None:
    """What a number of the input is worth in spikes, in the user's units, is as it was."""
    assert isinstance(op.model, Counting)
    assert isinstance(old.model, Counting)
    (new_map,), (old_map,) = op.maps[0], old.maps[0]
    assert isinstance(new_map, Scale)
    assert isinstance(old_map, Scale)
    new = new_map.weight.floats / op.model.theta.floats * op.scale.floats
    was = old_map.weight.floats / old.model.theta.floats * old.scale.floats
    if np.array_equal(op.scale.floats, old.scale.floats):
        # weights behind it are binary and have one scale: the nearest threshold there is
        assert np.allclose(new, was, rtol=0.3)
    else:
        assert np.allclose(new, was, rtol=1e-5)


def layers(scale: float = 0.01) -> Graph:
    """Two spiking layers of 40 channels of different sizes, after `rate-code`."""
    random = np.random.default_rng(3)
    builder = GraphBuilder("layers")
    builder.add("x", Input((20,), 0.1, 63), [])
    source = "x"
    for name, width, inputs in (("a", 40, 20), ("b", 40, 40)):
        sizes = np.exp(random.standard_normal((width, 1)))
        weight = random.standard_normal((width, inputs)) * sizes
        weight *= scale if source == "x" else 0.3
        theta = random.choice([0.9, 1.0, 1.1], width)
        model = NEURONS["if"](16, f32(theta), f32(theta / 2))
        bias = f32(0.1 * random.standard_normal(width))
        builder.add(name, Population((width,), ((Dense(f32(weight)),),), bias, model), [source])
        source = name
    builder.add("y", Output(), [source])
    return builder.graph()


@pytest.mark.parametrize("options", [{"thresholds": 4}, {"theta_bits": 5}])
def test_weights_follow_thresholds(options: dict[str, int]) -> None:
    """S = theta / (theta before) for each channel, and all else is round(S·w)."""
    before = layers()
    after = QuantizeWeights(8, 20, **options).run(before, Context({}))  # type: ignore[arg-type]
    seen = set()
    for name in ("a", "b"):
        op, old = after[name].op, before[name].op
        assert isinstance(op, Population)
        assert isinstance(old, Population)
        assert isinstance(op.model, Counting)
        assert isinstance(old.model, Counting)
        scale = op.model.theta.floats / old.model.theta.floats
        seen |= set(op.model.theta.integers.tolist())
        (new_map,), (old_map,) = op.maps[0], old.maps[0]
        assert isinstance(new_map, Dense)
        assert isinstance(old_map, Dense)
        weight = np.rint(old_map.weight.floats * scale[:, None])
        assert np.array_equal(new_map.weight.integers, weight)
        assert np.array_equal(op.bias.integers, np.rint(old.bias.floats * scale))
        assert np.array_equal(op.model.start.integers, np.rint(old.model.start.floats * scale))
    if "thresholds" in options:
        assert len(seen) == 4


def test_a_tighter_bound_gives_more_resolution() -> None:
    def scales(bound: str) -> list[float]:
        graph = QuantizeWeights(16, 22, bound=bound).run(layers(), Context({}))
        op = graph["b"].op
        assert isinstance(op, Population)
        assert isinstance(op.model, Counting)
        return list(op.model.theta.floats)

    gains = np.array(scales("reset")) / np.array(scales("sum"))
    assert gains.min() > 1.2
    assert np.median(gains) > 1.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": -1}, "thresholds is -1, should be 0 to 1024"),
        ({"theta_bits": 32}, "theta_bits is 32, should be 0 to 31"),
        ({"bias": -5}, "bias is -5, should be 0 to"),
        ({"bound": "none"}, "bound is 'none', should be sum or reset"),
        ({"accumulator": 33}, "accumulator is 33, should be 16 to 32"),
    ],
)
def test_options_are_checked(options: dict[str, int], message: str) -> None:
    with pytest.raises(SnnccError, match=message):
        QuantizeWeights(**options)  # type: ignore[arg-type]


def test_an_input_too_wide_is_refused() -> None:
    """2^11 levels in 64 steps leave 17 bits; so do they a bias of 1000."""
    builder = GraphBuilder("wide")
    builder.add("x", Input((4,), 0.1, 2047), [])
    model = NEURONS["if"](64, f32(1.0), f32(0.5))
    op = Population((4,), ((Scale(f32([1 / 2047])),),), f32([0.0]), model)
    builder.add("a", op, ["x"])
    builder.add("y", Output(), ["a"])
    graph = builder.graph()
    for accumulator, bias in ((17, 0), (20, 1000)):
        with pytest.raises(SnnccError, match="the input's numbers, as they are, drive 'a' out of"):
            QuantizeWeights(8, accumulator, theta_bits=7, bias=bias).run(graph, Context({}))
    result = QuantizeWeights(8, 20, theta_bits=7, bias=4095).run(graph, Context({}))["a"].op
    assert isinstance(result, Population)
    assert isinstance(result.model, Counting)
    assert set(result.model.theta.integers.tolist()) == {4096}
