"""Maxima over what are no spikes: comparisons, to the bit what the maximum is."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc.passes.current_maxima import CurrentMaxima
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import NORMAL, Batch, Graph, GraphBuilder, ValueRunner, check, f32
from snncc_ir.ops import Affine, Conv, Input, MaxPool, Neuron, Output, Population, Relu
from tests.strategies import samples


def pooled(op: MaxPool, shape: tuple[int, ...], weighted: bool) -> Graph:
    """A max pool over the input's own numbers, or over a convolution of them."""
    builder = GraphBuilder("pooled")
    builder.add("x", Input(shape), [])
    if weighted:
        kernel = np.random.default_rng(0).standard_normal((2, shape[0], *[1] * len(op.kernel)))
        ones = (1,) * len(op.kernel)
        builder.add("c", Conv(f32(kernel), ones, (0, 0) * len(op.kernel), ones), ["x"])
    else:
        builder.add("c", Affine(f32(1.0), f32(0.0)), ["x"])
    builder.add("m", op, ["c"])
    builder.add("y", Output(), ["m"])
    return builder.graph()


def values(graph: Graph, given_samples: Batch) -> NDArray[np.float32]:
    """Of the output `y`."""
    return ValueRunner(graph).run(given_samples)["y"].astype(np.float32)


@st.composite
def pools(draw: st.DrawFn) -> tuple[MaxPool, tuple[int, ...]]:
    rank = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 5)) for _ in range(rank))
    pads = tuple(draw(st.integers(0, k - 1)) for k in (*kernel, *kernel))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    shape = (2, *(draw(st.integers(k, 7)) for k in kernel))
    return MaxPool(kernel, stride, pads), shape


@given(pools(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_values_stay(drawn: tuple[MaxPool, tuple[int, ...]], weighted: bool) -> None:
    """And no max pool is left, down to the normal form."""
    op, shape = drawn
    graph = pooled(op, shape, weighted)
    given_samples = samples(graph)
    result = CurrentMaxima().run(graph, Context(given_samples))
    assert not any(isinstance(node.op, MaxPool) for node in result)
    assume(any(isinstance(node.op, Neuron) for node in result))  # windows of more than one number
    normal = run_pipeline(
        result, parse_pipeline("sink-views,fuse"), Context(given_samples), measure=False
    ).graph
    check(normal, NORMAL)
    expected = values(graph, given_samples)
    for found in (result, normal):
        np.testing.assert_allclose(values(found, given_samples), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kernel", "stride", "neurons"), [(2, 2, 4), (3, 2, 6 + 3), (4, 1, 7 + 5)])
def test_windows_share_their_halves(kernel: int, stride: int, neurons: int) -> None:
    """Over 8 numbers: each pair, then each pair of pairs, once."""
    op = MaxPool((kernel,), (stride,), (0, 0))
    graph = pooled(op, (1, 8), False)
    result = CurrentMaxima().run(graph, Context({}))
    assert sum(node.type.size for node in result if isinstance(node.op, Neuron)) == neurons


def test_maxima_over_spikes_stay() -> None:
    builder = GraphBuilder("spikes")
    builder.add("x", Input((1, 8)), [])
    builder.add("n", Neuron(Relu()), ["x"])
    builder.add("m", MaxPool((2,), (2,), (0, 0)), ["n"])
    builder.add("y", Output(), ["m"])
    graph = builder.graph()
    assert CurrentMaxima().run(graph, Context({})) is graph


def test_a_ceiling_is_kept_by_graded_neurons() -> None:
    """Counting in units of a seventh of it, they cannot send more in a step."""
    builder = GraphBuilder("ceiling")
    builder.add("x", Input((3,)), [])
    builder.add("n", Neuron(Relu(f32(1.0))), ["x"])
    builder.add("y", Output(), ["n"])
    given_samples = {"x": np.array([[5.0, 0.5, -1.0]], np.float32)}
    pipeline = parse_pipeline(
        "fuse,normalize{method=max,peak=2.0,most=7},quantize-input,"
        "rate-code{neuron=graded,steps=64,most=7}"
    )
    result = run_pipeline(builder.graph(), pipeline, Context(given_samples), measure=False).graph
    assert any(isinstance(node.op, Population) for node in result)
    found = values(result, given_samples)
    np.testing.assert_allclose(found, np.array([[1.0, 0.5, 0.0]]), atol=0.01)
