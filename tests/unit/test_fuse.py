"""What linear layers between neurons become, and what cannot become one projection."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snncc.onnx import import_model
from snncc.passes.base import Context
from snncc.passes.manager import deviation, run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import NORMAL, Graph, SnnccError, ValueRunner, check
from snncc_ir.ops import MaxPool, Population
from tests.strategies import samples
from tests.unit.test_onnx import Maker, conv, ints, normal, relu_conv

TO_NORMAL = "hoist-neurons,fold-batchnorm,sink-views,fuse"


def fused(maker: Maker, folder: Path) -> Graph:
    """Normal form of a model, with its values compared."""
    graph = import_model(maker.save(folder)).graph
    data = samples(graph)
    result = run_pipeline(graph, parse_pipeline(TO_NORMAL), Context(data)).graph
    check(result, NORMAL)
    before, after = ValueRunner(graph).run(data), ValueRunner(result).run(data)
    assert deviation(before, after) < 1e-5
    return result


def maps(graph: Graph) -> list[list[str]]:
    """Ops of every map of every population, in order."""
    return [
        [op.name for op in chain]
        for node in graph
        if isinstance(node.op, Population)
        for chain in node.op.maps
    ]


def batchnorm(m: Maker) -> str:
    return m.node("BatchNormalization", normal(4), normal(4), normal(4), np.square(normal(4)) + 1)


CASES: dict[str, tuple[Callable[[Maker], object], list[list[str]]]] = {
    "pointwise behind a convolution": (
        lambda m: (conv(m), m.node("Conv", normal(5, 4, 1, 1), normal(5)), m.node("Relu")),
        [["conv"]],
    ),
    "pointwise before a convolution": (
        lambda m: (
            m.node("Conv", normal(5, 3, 1, 1)),
            m.node("Conv", normal(4, 5, 3, 3), strides=[2, 1], pads=[1, 0, 0, 1]),
            m.node("Relu"),
        ),
        [["conv"]],
    ),
    "two dense layers": (
        lambda m: (
            relu_conv(m),
            m.node("Flatten"),
            m.node("Gemm", normal(168, 5)),
            m.node("Gemm", normal(5, 4)),
            m.node("Relu"),
        ),
        [["conv"], ["dense"]],
    ),
    "an average behind a pointwise convolution": (
        lambda m: (
            relu_conv(m),
            m.node("Conv", normal(5, 4, 1, 1)),
            m.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
            m.node("Relu"),
        ),
        [["conv"], ["sumpool", "conv"]],
    ),
    "a small linear chain becomes a matrix": (
        lambda m: (
            conv(m, outputs=2),
            m.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2]),
            m.node("Relu"),
        ),
        [["dense"]],
    ),
    "BatchNorm before a padded convolution": (
        lambda m: (
            relu_conv(m),
            batchnorm(m),
            m.node("Conv", normal(4, 4, 3, 3), pads=[1, 1, 1, 1]),
            m.node("Relu"),
        ),
        [["conv"], ["conv"]],
    ),
    "padding before a convolution": (
        lambda m: (
            relu_conv(m),
            m.node("Pad", ints(0, 0, 1, 2, 0, 0, 2, 1)),
            m.node("Conv", normal(4, 4, 3, 3)),
            m.node("Relu"),
        ),
        [["conv"], ["conv"]],
    ),
    "an average without its padding": (
        lambda m: (
            relu_conv(m),
            m.node("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
            m.node("Relu"),
        ),
        [["conv"], ["sumpool", "scale"]],
    ),
    "channels last before a dense layer": (
        lambda m: (
            relu_conv(m),
            m.node("Transpose", perm=[0, 2, 3, 1]),
            m.node("Reshape", ints(0, -1)),
            m.node("Gemm", normal(168, 5)),
            m.node("Relu"),
        ),
        [["conv"], ["dense"]],
    ),
    "a reshape at the end": (
        lambda m: (relu_conv(m), m.node("Flatten"), m.node("Gemm", normal(168, 6)),
                   m.node("Reshape", ints(0, 2, 3))),
        [["conv"], ["dense"]],
    ),
    "a transpose at the end": (
        lambda m: (relu_conv(m), conv(m, 2, 4), m.node("Transpose", perm=[0, 2, 3, 1])),
        [["conv"], ["conv"]],
    ),
    "transposed currents": (
        lambda m: (conv(m), m.node("Transpose", perm=[0, 3, 1, 2]), m.node("Relu")),
        [["conv"]],
    ),
    "neurons behind neurons": (
        lambda m: (relu_conv(m), m.node("Clip", np.array(0, np.float32), np.array(1, np.float32))),
        [["conv"], ["scale"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_maps(case: str, tmp_path: Path) -> None:
    make, expected = CASES[case]
    maker = Maker(3, 9, 8)
    make(maker)
    assert maps(fused(maker, tmp_path)) == expected


def two_ways(m: Maker, outputs: tuple[int, int] = (4, 6)) -> None:
    """Two populations on the same input, side by side."""
    m.node("Conv", normal(outputs[0], 3, 3, 3))
    first = m.node("Relu")
    m.last = "x"
    m.node("Conv", normal(outputs[1], 3, 3, 3))
    m.node("Relu")
    m.node("Concat", first, axis=1)


def test_a_concat_is_several_sources(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    two_ways(maker)
    maker.node("Conv", normal(5, 10, 3, 3), normal(5))
    maker.node("Relu")
    graph = fused(maker, tmp_path)
    assert maps(graph) == [["conv"], ["conv"], ["conv"], ["conv"]]
    last = graph.nodes[-2]
    assert len(last.inputs) == 2
    assert isinstance(last.op, Population)
    assert [chain[0].weight.shape[1] for chain in last.op.maps] == [6, 4]  # type: ignore[attr-defined]


def test_a_max_pool_over_a_concat_relays_exactly(tmp_path: Path) -> None:
    """The relay population hands spikes on: its scales are those of its sources."""
    maker = Maker(3, 9, 8)
    two_ways(maker)
    maker.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    graph = fused(maker, tmp_path)
    relay = next(node for node in graph if node.name.endswith(".relay"))
    assert any(isinstance(node.op, MaxPool) and node.inputs == (relay.name,) for node in graph)
    data = samples(graph)
    normal_form = run_pipeline(graph, parse_pipeline("normalize"), Context(data)).graph
    scales = {node.name: node.op.scale.floats for node in normal_form
              if isinstance(node.op, Population)}  # fmt: skip
    sources = [scales[name] for name in relay.inputs]
    assert np.array_equal(scales[relay.name], np.concatenate(sources))


def test_a_maximum_over_the_input_itself_is_refused(tmp_path: Path) -> None:
    """Not even beside spikes: a relay of neurons would lose its negative numbers."""
    maker = Maker(3, 9, 8)
    maker.node("Conv", normal(3, 3, 1, 1))
    spikes = maker.node("Relu")
    maker.last = "x"
    maker.node("Concat", spikes, axis=1)
    maker.node("MaxPool", kernel_shape=[2, 2])
    graph = import_model(maker.save(tmp_path)).graph
    with pytest.raises(SnnccError, match="a maximum of what are no spikes") as caught:
        run_pipeline(graph, parse_pipeline(TO_NORMAL), Context(samples(graph)))
    assert caught.value.diagnostics[0].code == "SNN007"


def test_two_large_linear_layers_are_refused(tmp_path: Path) -> None:
    maker = Maker(3, 40, 40)
    conv(maker, outputs=8)
    conv(maker, outputs=8, inputs=8)
    maker.node("Relu")
    graph = import_model(maker.save(tmp_path)).graph
    with pytest.raises(SnnccError) as caught:
        run_pipeline(graph, parse_pipeline(TO_NORMAL), Context(samples(graph)))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN007"
    assert "cannot be made one projection: conv → conv" in diagnostic.message
    assert "Relu '/net/relu2/Relu'" in diagnostic.place
    assert "put a ReLU between" in diagnostic.hint
