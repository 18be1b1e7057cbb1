"""`encode-input`: the input as spiking populations, with the same values behind it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc.passes.encode_input import EncodeInput, encodes
from snncc.passes.manager import deviation, run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import (
    NORMAL,
    Binary,
    Graph,
    GraphBuilder,
    Origin,
    SnnccError,
    Source,
    Tensor,
    ValueRunner,
    check,
    f32,
    i8,
)  # fmt: skip
from snncc_ir.ops import Conv, Dense, Input, Output, Population, Readout, Relu, Scale, View

SHAPE = (2, 4, 4)


def network(name: str = "x") -> Graph:
    """A binary convolution over padded numbers, and a residual sum of the input itself."""
    random = np.random.default_rng(0)
    builder = GraphBuilder("net")
    builder.add(name, Input(SHAPE), [], Origin((Source("Input", name),)))
    padded = np.pad(np.arange(32).reshape(SHAPE), ((0, 0), (2, 2), (2, 2)), constant_values=-1)
    signs = random.choice([-1, 1], (3, 2, 3, 3))
    binary = Binary(i8(signs), f32(np.full((3, 1, 1, 1), 0.1)))
    conv = Conv(binary, (2, 2), (0, 0, 0, 0), (1, 1))
    view = View(Tensor(padded.astype(np.int32)))
    a = Population((3, 3, 3), ((view, conv),), f32(np.zeros((1, 1, 1))), Relu())
    builder.add("a", a, [name], Origin((Source("Relu", "a"),)))
    maps = tuple((Dense(f32(random.standard_normal((5, n)))),) for n in (27, 32))
    y = Population((5,), maps, f32(np.ones(5)), Readout())
    builder.add(f"{name}.on", y, ["a", name], Origin((Source("Gemm", "y"),)))
    builder.add("y", Output(), [f"{name}.on"])
    return builder.graph()


def data(low: float, count: int = 7) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(1)
    return {"x": random.uniform(low, 1, (count, *SHAPE)).astype(np.float32)}


def encoders(graph: Graph) -> list[str]:
    return [node.name for node in graph if encodes(graph, node)]


@pytest.mark.parametrize(
    ("low", "sign", "names"),
    [
        (-1, "auto", ["x.on_2", "x.off"]),
        (0, "auto", ["x.on_2"]),
        (0, "both", ["x.on_2", "x.off"]),
        (-1, "both", ["x.on_2", "x.off"]),
        (0, "none", ["x.on_2"]),
    ],
)
def test_values_stay_what_they_are(low: float, sign: str, names: list[str]) -> None:
    """And names that the network has already are left to it."""
    samples = data(low)
    before = network()
    after = EncodeInput(sign).run(before, Context(samples))
    check(after, NORMAL)
    assert encoders(after) == names
    assert deviation(ValueRunner(before).run(samples), ValueRunner(after).run(samples)) < 1e-6
    for node in after:
        fed = [source.name for source in after.operands(node) if isinstance(source.op, Input)]
        assert not fed or node.name in names
        assert isinstance(node.op, Output) or node.origin.sources


def test_binary_weights_stay_binary() -> None:
    after = EncodeInput().run(network(), Context(data(-1)))
    op = after["a"].op
    assert isinstance(op, Population)
    first, second = (chain[-1] for chain in op.maps)
    assert isinstance(first, Conv)
    assert isinstance(second, Conv)
    assert isinstance(first.weight, Binary)
    assert isinstance(second.weight, Binary)
    assert np.array_equal(first.weight.signs.integers, -second.weight.signs.integers)
    assert np.array_equal(first.weight.alpha.array, second.weight.alpha.array)


def test_what_is_encoded_is_left_alone() -> None:
    context = Context(data(-1))
    once = EncodeInput().run(network(), context)
    assert EncodeInput().run(once, context) is once


def test_numbers_below_zero_need_neurons() -> None:
    with pytest.raises(SnnccError, match="should not be negative for sign=none"):
        EncodeInput("none").run(network(), Context(data(-1)))
    with pytest.raises(SnnccError, match="sign is 'on', should be auto or both or none"):
        EncodeInput("on")


def test_one_number_a_neuron_remains_through_the_passes() -> None:
    """A backend finds the neurons to which the host writes."""
    text = "encode-input,normalize,quantize-input,rate-code,calibrate-rate,quantize-weights"
    result = run_pipeline(network(), parse_pipeline(text), Context(data(-1, 40))).graph
    assert encoders(result) == ["x.on_2", "x.off"]
    off = result["x.off"].op
    assert isinstance(off, Population)
    assert isinstance(off.maps[0][0], Scale)
    assert np.all(off.maps[0][0].weight.integers < 0)
