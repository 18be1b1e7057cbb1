"""Weights ±alpha: the format, where it is found, and that no pass takes it away."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc.passes.base import Context
from snncc.passes.binary_weights import LEAST, as_binary
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_backends import RateSettings, TtfsSettings
from snncc_c.weights import packed
from snncc_ir import (
    NORMAL,
    Binary,
    Floats,
    Graph,
    GraphBuilder,
    Log2,
    Oracle,
    Origin,
    SnnccError,
    Source,
    Tensor,
    check,
    f32,
    graph_tensors,
    i8,
    i16,
    parse_graph,
    print_graph,
)  # fmt: skip
from snncc_ir.ops import (
    Affine,
    Conv,
    Dense,
    Input,
    IntegrateFire,
    Neuron,
    Op,
    Output,
    Pad,
    Population,
    Relu,
)  # fmt: skip
from tests.strategies import binary, lowered_graphs, samples, weights

FRONT = "hoist-neurons,fold-batchnorm,sink-views,fuse,"
BINARY = f"{FRONT}binary-weights,normalize"
INTEGER_FORM = f"{BINARY},quantize-input,rate-code{{steps=8}},quantize-weights"


def compiled(graph: Graph, pipeline: str) -> Graph:
    context = Context(samples(graph))
    return run_pipeline(graph, parse_pipeline(pipeline), context).graph


def population(graph: Graph, name: str) -> Population:
    op = graph[name].op
    assert isinstance(op, Population)
    return op


def weight_of(graph: Graph, name: str, which: int = 0) -> Tensor:
    last = population(graph, name).maps[which][-1]
    assert isinstance(last, Conv | Dense)
    return last.weight


def network(*layers: Op, channels: int = 4) -> Graph:
    """Input, a convolution of many scales with neurons `a`, the given layers, neurons `b`."""
    random = np.random.default_rng(5)
    builder = GraphBuilder("net")

    def add(name: str, op: Op, *inputs: str) -> str:
        return builder.add(name, op, inputs, Origin((Source(op.name, name),))).name

    spread = np.exp2(np.arange(channels)).reshape(-1, 1, 1, 1)
    first = f32(weights(random, channels, 2, 3, 3) * spread)
    value = add("c", Conv(first, (1, 1), (1, 1, 1, 1), (1, 1)), add("x", Input((2, 6, 6))))
    value = add("a", Neuron(Relu()), value)
    for number, op in enumerate(layers):
        value = add(f"l{number}", op, value)
    value = add("b", Neuron(Relu()), value)
    size = builder[value].type.size
    add("y", Output(), add("r", Dense(f32(weights(random, 3, size))), value))
    return builder.graph()


def conv(weight: Floats, groups: int = 1) -> Conv:
    return Conv(f32(weight), (1, 1), (1, 1, 1, 1), (1, 1), groups)


def signed(*shape: int, seed: int = 0) -> Floats:
    return binary(np.random.default_rng(seed), *shape)


SIGNS = i8(np.array([[1, -1, -1], [1, 1, -1]]))
ALPHA = i16(np.array([[3], [5]]))


def test_the_format_has_the_numbers() -> None:
    tensor = Binary(SIGNS, ALPHA)
    assert tensor.integers.tolist() == [[3, -3, -3], [5, 5, -5]]
    assert (tensor.format, tensor.shape, tensor.bits) == ("binary", (2, 3), 1)
    one = Binary(SIGNS, f32(np.array([[0.5]])))
    assert one.floats.tolist() == [[0.5, -0.5, -0.5], [0.5, 0.5, -0.5]]
    assert tensor == Binary(SIGNS, ALPHA)
    assert hash(tensor) == hash(Binary(SIGNS, ALPHA))
    assert tensor != Binary(SIGNS, i16(np.array([[3], [4]])))
    assert tensor != Tensor(tensor.array)
    assert one.times(np.array([2.0, 4.0])).floats[:, 0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("signs", "alpha", "message"),
    [
        (i8(np.array([[1, 0]])), ALPHA, "a sign is neither 1 nor -1"),
        (i16(np.array([[1, -1]])), ALPHA, "formats are i16 and i16, should be i8"),
        (SIGNS, Tensor(np.ones((2, 1))), "formats are i8 and f64"),
        (SIGNS, i16(np.ones((1, 3))), "alpha has shape [1, 3], should be [2, 1] or [1, 1]"),
        (SIGNS, i16(np.ones(2)), "alpha has shape [2]"),
        (SIGNS, i16(np.array([[3], [-5]])), "alpha is negative"),
        (SIGNS, f32(np.array([[np.nan]])), "alpha is negative"),
        (i8(1), i16(1), "the signs are one number"),
    ],
)
def test_what_is_not_binary_is_said(signs: Tensor, alpha: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Binary(signs, alpha)


def test_text_and_back() -> None:
    graph = compiled(network(conv(signed(5, 4, 3, 3))), INTEGER_FORM)
    text, tensors = print_graph(graph), graph_tensors(graph)
    assert "weight=binary{signs=i8<5x4x3x3>@" in text
    assert "alpha=i16<5x1x1x1>" in text
    assert parse_graph(text, tensors) == graph
    damaged = re.sub(r"signs=i8<5x4x3x3>@\S+,", "signs=i8<5x4x3x3>(2),", text)
    with pytest.raises(SnnccError, match="a sign is neither 1 nor -1") as caught:
        parse_graph(damaged, tensors)
    assert caught.value.diagnostics[0].code == "SNN011"


def test_what_is_found() -> None:
    by_channel = signed(4, 3, 3, 3)
    found = as_binary(f32(by_channel))
    assert found is not None
    assert found.alpha.shape == (4, 1, 1, 1)
    assert np.array_equal(found.array, f32(by_channel).array)
    whole = as_binary(f32(np.sign(by_channel) * 0.3))
    assert whole is not None
    assert whole.alpha.shape == (1, 1, 1, 1)
    by_channel[2] = 0.0
    dead = as_binary(f32(by_channel))
    assert dead is not None
    assert dead.alpha.floats[2] == 0


def _zero(weight: Floats) -> None:
    weight[1, 2] = 0.0


def _other(weight: Floats) -> None:
    weight[3, 0] *= 1.0001


def _all_zero(weight: Floats) -> None:
    weight[:] = 0.0


@pytest.mark.parametrize("spoil", [_zero, _other, _all_zero])
def test_what_is_not_found(spoil: Callable[[Floats], None]) -> None:
    weight = signed(4, 20)
    assert as_binary(f32(weight)) is not None
    spoil(weight)
    assert as_binary(f32(weight)) is None
    assert as_binary(f32(signed(4, LEAST - 1))) is None


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@settings(deadline=None, max_examples=50)
def test_rounding_does_not_hide_it(seed: int, factor: float) -> None:
    """Products in float32, in another order for each weight, and a factor of each channel."""
    random = np.random.default_rng(seed)
    weight = signed(6, 12, seed=seed).astype(np.float32)
    scaled = np.where(
        random.random(weight.shape) < 0.5,
        weight * np.float32(factor) * np.float32(1 / 3),
        weight * (np.float32(factor) * np.float32(1 / 3)),
    )
    found = as_binary(f32(scaled))
    assert found is not None
    assert np.array_equal(found.signs.integers, np.sign(weight))
    np.testing.assert_allclose(found.floats, scaled, rtol=1e-6)


def test_behind_batch_normalization_and_constant_factors() -> None:
    """Scales of output channels, negative ones too, leave one magnitude a channel."""
    random = np.random.default_rng(1)
    gain = f32(random.choice([-1, 1], (5, 1, 1)) * (0.5 + random.random((5, 1, 1))))
    graph = network(conv(signed(5, 4, 3, 3)), Affine(gain, f32(0.1)))
    assert isinstance(weight_of(compiled(graph, BINARY), "b"), Binary)


def test_a_source_of_binary_weights_gets_one_scale() -> None:
    """Its channels differ by powers of two here; a depthwise convolution may keep their scales."""
    plain = compiled(network(conv(weights(np.random.default_rng(2), 5, 4, 3, 3))), BINARY)
    assert population(plain, "a").scale.array.size == 4
    whole = compiled(network(conv(signed(5, 4, 3, 3))), BINARY)
    assert population(whole, "a").scale.array.size == 1
    assert isinstance(weight_of(whole, "b"), Binary)
    depthwise = compiled(network(conv(signed(8, 1, 3, 3), groups=4)), BINARY)
    assert population(depthwise, "a").scale.array.size == 4
    assert isinstance(weight_of(depthwise, "b"), Binary)
    grouped = compiled(network(conv(signed(4, 2, 3, 3), groups=2)), BINARY)
    assert population(grouped, "a").scale.array.size == 1


def test_inputs_that_nothing_reaches_keep_their_signs() -> None:
    """Channels 0 and 5 are padding: weights there are arbitrary, yet must stay ±alpha."""
    padded = Pad((1, 0, 0, 1, 0, 0))
    graph = network(padded, conv(signed(6, 2, 3, 3), groups=3))
    result = compiled(graph, BINARY)
    found = weight_of(result, "b")
    assert isinstance(found, Binary)
    assert (found.alpha.floats > 0).all()
    outer = network(padded, conv(signed(6, 1, 3, 3), groups=6))
    # nothing at all reaches two of the outputs
    found = weight_of(compiled(outer, BINARY), "b")
    assert isinstance(found, Binary)
    assert (found.alpha.floats.reshape(-1) > 0).tolist() == [False, True, True, True, True, False]


def test_integers_keep_signs_and_round_alpha() -> None:
    graph = network(conv(signed(5, 4, 3, 3)))
    before, after = compiled(graph, BINARY), compiled(graph, INTEGER_FORM)
    coarse = compiled(graph, f"{INTEGER_FORM}{{bits=4}}")
    exact = weight_of(before, "b")
    assert isinstance(exact, Binary)
    for result in (after, coarse):
        found = weight_of(result, "b")
        assert isinstance(found, Binary)
        assert found.signs == exact.signs
        model = population(result, "b").model
        assert isinstance(model, IntegrateFire)
        scale = model.theta.floats.reshape(-1, 1, 1, 1)
        assert np.array_equal(found.alpha.floats, np.rint(exact.alpha.floats * scale))
        # 16 bits for the factors, however many other weights have
        assert found.alpha.integers.min() > 1 << 14
    assert weight_of(coarse, "a").format == "i8"


@given(lowered_graphs())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_no_pass_takes_it_away(graph: Graph) -> None:
    """What is ±alpha behind `fuse` is so in integers, and nothing else is."""
    context = Context(samples(graph))
    fused = run_pipeline(graph, parse_pipeline(FRONT[:-1]), context, measure=False).graph
    result = run_pipeline(graph, parse_pipeline(INTEGER_FORM), context, measure=False).graph
    check(fused, NORMAL)
    for node in fused:
        if not isinstance(node.op, Population):
            continue
        for old, new in zip(node.op.maps, population(result, node.name).maps, strict=True):
            before, after = old[-1], new[-1]
            if not isinstance(before, Conv | Dense) or not isinstance(after, Conv | Dense):
                continue
            expected = as_binary(before.weight)
            assert isinstance(after.weight, Binary) == (expected is not None)
            if isinstance(after.weight, Binary) and expected is not None:
                assert after.weight.signs == expected.signs
                assert after.weight.alpha.format == "i16"


def test_the_oracle_adds_signs() -> None:
    """By hand: 9 taps ±1 over spikes, times alpha."""
    graph = compiled(network(conv(signed(2, 4, 3, 3))), INTEGER_FORM)
    found = weight_of(graph, "b")
    assert isinstance(found, Binary)
    step = next(Oracle(graph).steps_of(samples(graph, 1)))
    sent = np.pad(step.spikes["a"][0], ((0, 0), (1, 1), (1, 1)))
    signs, alpha = found.signs.integers, found.alpha.integers.reshape(-1)
    op = population(graph, "b")
    model = op.model
    assert isinstance(model, IntegrateFire)
    counted = np.array([
        [[(signs[o] * sent[:, y : y + 3, x : x + 3]).sum() for x in range(6)] for y in range(6)]
        for o in range(2)
    ])  # fmt: skip
    drive = alpha.reshape(-1, 1, 1) * counted + op.bias.integers + model.start.integers
    assert np.array_equal(step.spikes["b"][0], drive >= model.theta.integers)


def test_codes_of_powers_leave_it_out_or_round_it() -> None:
    assert "binary-weights" in RateSettings().pipeline()
    assert "binary-weights" not in TtfsSettings().pipeline()
    pipeline = TtfsSettings().pipeline().replace("fuse,", "fuse,binary-weights,")
    result = compiled(network(conv(signed(5, 4, 3, 3))), pipeline)
    assert isinstance(weight_of(result, "b"), Log2)


def test_bits_are_packed_without_gaps() -> None:
    signs = np.array([[1, -1, -1], [1, 1, -1], [-1, -1, 1]])
    assert packed(signs).tolist() == [0b00011001, 0b1, 0]
