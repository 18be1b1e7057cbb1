"""Grids of quantized networks: the ops, the passes that move them, the integers that they leave."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import snncc
from snncc.inspection import inspect
from snncc.passes.base import Context
from snncc.passes.linear_weights import as_linear
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_backends import RadixSettings
from snncc_ir import (
    Binary,
    Graph,
    GraphBuilder,
    Linear,
    NodeRunner,
    Origin,
    SnnccError,
    Source,
    Tensor,
    Type,
    ValueRunner,
    f32,
    graph_tensors,
    i8,
    i16,
    parse_graph,
    print_graph,
)  # fmt: skip
from snncc_ir.ops import (
    ROUNDINGS,
    Add,
    AvgPool,
    Conv,
    Dense,
    Input,
    MaxPool,
    Neuron,
    Op,
    Output,
    Population,
    Quantize,
    RadixFire,
    Relu,
    TypeRuleError,
)  # fmt: skip
from snncc_ir.types import Current
from tests.strategies import on_grid, weights
from tests.unit.test_quantized import QONNX, Made, f
from tests.unit.test_quantized import i8 as bytes8

ADOPT = "adopt-grids"
KIND: tuple[Type, ...] = (Current((3, 4)),)
random = np.random.default_rng(3)


def bytes_of(*rows: list[int]) -> Tensor:
    return i8(np.array(rows))


@pytest.mark.parametrize("rounding", list(ROUNDINGS))
def test_rounding_is_the_same_in_onnx(rounding: str) -> None:
    """Halves, whole numbers, and what is beyond the limits."""
    x = (np.arange(-24, 24).reshape(4, 3, 4) / 8).astype(np.float32)
    op = Quantize(f32(0.25), -7, 8, rounding)
    expected = op.evaluate((x.astype(np.float64),))
    np.testing.assert_array_equal(NodeRunner([op], KIND).run([x]), expected.astype(np.float32))
    assert (expected.min(), expected.max()) == (-1.75, 2.0)


def test_rounding_by_hand() -> None:
    x = np.array([[-1.5, -0.5, 0.5, 1.5, 2.2]])
    found = {name: Quantize(f32(1.0), -9, 9, name).evaluate((x,))[0] for name in ROUNDINGS}
    assert found["even"].tolist() == [-2, 0, 0, 2, 2]
    assert found["floor"].tolist() == [-2, -1, 0, 1, 2]
    assert found["ceil"].tolist() == [-1, 0, 1, 2, 3]
    assert found["down"].tolist() == [-1, 0, 0, 1, 2]
    assert found["up"].tolist() == [-2, -1, 1, 2, 3]
    assert found["half-up"].tolist() == [-2, -1, 1, 2, 2]
    assert found["half-down"].tolist() == [-1, 0, 0, 1, 2]


def test_neurons_on_a_grid() -> None:
    relu = Relu(f32(2.0), f32(0.5))
    x = np.array([[-1.0, 0.2, 0.25, 0.75, 0.8, 9.0]])
    expected = [[0.0, 0.0, 0.0, 1.0, 1.0, 2.0]]
    assert relu.evaluate(x).tolist() == expected
    kind = (Current((6,)),)
    assert NodeRunner([Neuron(relu)], kind).run([x.astype(np.float32)]).tolist() == expected
    assert relu.levels == 4


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (Quantize(f32(0.0), -1, 1), "the least step is 0.0, should be positive"),
        (Quantize(f32(1.0), 1, 2), "limits are 1 and 2, should be around 0"),
        (Quantize(f32(1.0), 0, 2, "dice"), "rounding is 'dice', should be even"),
        (Quantize(f32(np.ones(3)), 0, 2), "step has shape [3]"),
        (Neuron(Relu(None, f32(1.0))), "there is a step and no ceiling"),
        (Neuron(Relu(f32(1.0), f32(-1.0))), "the least step is -1.0"),
    ],
)
def test_what_does_not_fit_is_said(op: Op, message: str) -> None:
    with pytest.raises(TypeRuleError, match=re.escape(message)):
        op.output_type(KIND)


def test_linear_weights_have_their_numbers() -> None:
    tensor = Linear(bytes_of([1, -2], [0, 127]), i16(np.array([[3], [5]])))
    assert tensor.integers.tolist() == [[3, -6], [0, 635]]
    assert (tensor.format, tensor.bits) == ("linear", 16)
    assert Linear(bytes_of([1, -2]), i16(np.array([[63]]))).bits == 8
    floats = Linear(i16(np.array([[255, -1]])), f32(np.array([[0.5]])))
    assert floats.floats.tolist() == [[127.5, -0.5]]
    assert floats.times(np.array([2.0])).floats.tolist() == [[255.0, -1.0]]
    assert floats.negated().floats.tolist() == [[-127.5, 0.5]]
    assert Linear(bytes_of([-128]), f32(np.array([[1.0]]))).negated().codes.format == "i16"


@pytest.mark.parametrize(
    ("codes", "step", "message"),
    [
        (i16(np.array([[256]])), f32(np.array([[1.0]])), "a code is 256, should be at most 255"),
        (f32(np.ones((1, 1))), f32(np.ones((1, 1))), "formats are f32 and f32"),
        (bytes_of([1]), f32(np.ones(1)), "step has shape [1], should be [1, 1] or [1, 1]"),
        (bytes_of([1]), f32(-np.ones((1, 1))), "step is negative"),
        (bytes_of([100]), i16(np.array([[400]])), "a weight is 40000, should be at most 32767"),
        (i8(1), i16(1), "the codes are one number"),
    ],
)
def test_what_is_not_linear_is_said(codes: Tensor, step: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Linear(codes, step)


@given(st.integers(0, 1000), st.sampled_from([7, 127, 255]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_weights_on_a_grid_are_found(seed: int, most: int, folded: bool) -> None:
    """With products in float32 as quantizers and BatchNormalization make them."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(-most, most + 1, (6, 3, 3, 3))
    codes[:, 0, 0, 0], codes[:, 0, 0, 1] = most, most - 1
    codes[4] = 0
    made = codes.astype(np.float32) * np.float32(rng.random() + 0.01)
    if folded:
        made = made * rng.uniform(0.01, 10, (6, 1, 1, 1)).astype(np.float32)
    found = as_linear(Tensor(made))
    assert found is not None
    np.testing.assert_array_equal(found.codes.integers, codes)
    np.testing.assert_allclose(found.floats, made, rtol=1e-6)
    assert found.codes.format == ("i16" if most > 127 else "i8")
    assert len(found.step.array) == (6 if folded else 1)


@given(st.integers(0, 10**6), st.sampled_from([(8, 3, 3, 3), (1, 20), (200, 2), (3, 9)]))
@settings(deadline=None, max_examples=100)
def test_other_weights_are_not(seed: int, shape: tuple[int, ...]) -> None:
    assert as_linear(f32(weights(np.random.default_rng(seed), *shape))) is None


def test_one_factor_for_all_neurons() -> None:
    """A weight without dimensions, as of an input's integers right before neurons."""
    net = Net(4)
    net.grid(-9, 9, 0.2)
    net.add(Neuron(Relu()))
    pipeline = RadixSettings(steps=8).pipeline()
    assert adopted(net.graph(), pipeline).code is not None


def test_few_weights_say_nothing() -> None:
    assert as_linear(f32(np.array([[3.0], [5.0], [7.0]]))) is None
    assert as_linear(f32(np.zeros((4, 50)))) is None
    assert as_linear(f32(np.array([[1.0, 2.0, 3.0]] * 3))) is None


class Net:
    """A network by hand; `add` returns the name."""

    def __init__(self, *shape: int) -> None:
        self.builder = GraphBuilder("net")
        self.last = self.add(Input(shape), name="x")

    def add(self, op: Op, *inputs: str, name: str = "") -> str:
        own = name or f"{op.name}{len(self.builder.names)}"
        given = inputs or ([] if isinstance(op, Input) else [self.last])
        origin = Origin((Source(op.name.title(), own),))
        self.last = self.builder.add(own, op, given, origin).name
        return self.last

    def conv(self, outputs: int, inputs: int, *operands: str) -> str:
        kernel = f32(weights(random, outputs, inputs, 3, 3))
        return self.add(Conv(kernel, (1, 1), (1, 1, 1, 1), (1, 1)), *operands)

    def grid(self, low: int, high: int, step: float = 0.05) -> str:
        return self.add(Quantize(f32(step), low, high))

    def graph(self, readout: bool = True) -> Graph:
        size = self.builder[self.last].type.size
        if readout:
            self.add(Dense(f32(weights(random, 3, size))))
        self.add(Output(), name="y")
        return self.builder.graph()


def adopted(graph: Graph, pipeline: str = ADOPT) -> Graph:
    """By the pass manager, which holds the pass to its promise."""
    x = {n.name: random.standard_normal((8, *n.type.shape)).astype(np.float32)
         for n in graph.inputs}  # fmt: skip
    return run_pipeline(graph, parse_pipeline(pipeline), Context(x)).graph


def models(graph: Graph) -> list[Relu]:
    return [n.op.model for n in graph if isinstance(n.op, Neuron) and isinstance(n.op.model, Relu)]


def left(graph: Graph) -> int:
    return sum(isinstance(node.op, Quantize) for node in graph)


def test_a_grid_from_0_on_is_a_relu() -> None:
    net = Net(2, 6, 6)
    net.conv(4, 2)
    net.grid(0, 255)
    graph = adopted(net.graph())
    (model,) = models(graph)
    assert model.step == f32(0.05)
    assert model.levels == 255
    assert left(graph) == 0


@pytest.mark.parametrize("ceiling", [None, f32(2.0)])
@pytest.mark.parametrize("first", ["neurons", "grid"])
def test_a_relu_before_or_behind_its_grid(ceiling: Tensor | None, first: str) -> None:
    net = Net(2, 6, 6)
    net.conv(4, 2)
    if first == "grid":
        net.grid(-128, 127)
    net.add(Neuron(Relu(ceiling)))
    if first == "neurons":
        net.add(MaxPool((2, 2), (2, 2), (0, 0, 0, 0)))
        net.grid(-128, 127)
    net.grid(-128, 127)
    graph = adopted(net.graph())
    (model,) = models(graph)
    assert model.levels == (127 if ceiling is None else 40)
    assert left(graph) == 0
    assert {s.op_type for n in graph for s in n.origin.sources} >= {"Quantize", "Neuron", "Conv"}


def test_the_input_becomes_its_integers() -> None:
    net = Net(2, 6, 6)
    net.grid(-100, 155, 0.02)
    net.conv(4, 2)
    net.grid(0, 255)
    graph = adopted(net.graph())
    (node,) = graph.inputs
    assert isinstance(node.op, Input)
    assert (node.op.levels, node.op.scale) == (155, float(np.float32(0.02)))
    assert left(graph) == 1  # it clips below −100 still
    assert left(adopted(graph, "drop-grids")) == 0
    integer = adopted(net.builder.graph(), RadixSettings(steps=8).pipeline())
    (node,) = integer.inputs
    assert isinstance(node.op, Input)
    assert (node.op.levels, node.op.scale) == (155, float(np.float32(0.02)))
    fewer = adopted(net.builder.graph(), RadixSettings(steps=8, input_bits=6).pipeline())
    (node,) = fewer.inputs
    assert isinstance(node.op, Input)
    assert node.op.levels == 31
    np.testing.assert_allclose(node.op.scale, 0.02 * 155 / 31, rtol=1e-6)


def test_grids_that_no_neuron_sends_are_dropped() -> None:
    """Before a residual sum, behind an average, at the output; and a ReLU that rounds down."""
    net = Net(2, 6, 6)
    net.conv(4, 2)
    shortcut = net.grid(0, 255)
    net.conv(4, 4)
    main = net.grid(-128, 127)
    net.add(Add(), main, shortcut)
    net.add(Quantize(f32(0.05), 0, 255, "floor"))
    net.add(AvgPool((2, 2), (2, 2), (0, 0, 0, 0)))
    net.grid(0, 255, 0.04)
    net.add(Dense(f32(weights(random, 3, 36))))
    net.grid(-128, 127)
    lowered = net.graph(readout=False)
    graph = adopted(lowered)
    assert (left(graph), len(models(graph))) == (4, 1)
    graph = adopted(graph, "drop-grids")
    assert (left(graph), len(models(graph))) == (0, 2)
    x = {"x": random.standard_normal((20, 2, 6, 6)).astype(np.float32)}
    before, after = (ValueRunner(g).run(x)["y"].astype(np.float64) for g in (lowered, graph))
    assert np.abs(before - after).max() < 0.15
    assert np.abs((before - after).mean()) < 0.02


def test_a_grid_that_is_left_is_said() -> None:
    net = Net(2, 6, 6)
    net.conv(4, 2)
    net.grid(0, 255)
    with pytest.raises(SnnccError, match="numbers are rounded between layers") as caught:
        adopted(net.graph(), "fuse")
    assert "adopt-grids and drop-grids" in str(caught.value)


def small_network() -> Net:
    """8-bit numbers everywhere: weights, activations, the input."""
    net = Net(2, 6, 6)
    net.grid(-127, 127, 0.02)
    for inputs, outputs in ((2, 6), (6, 8)):
        kernel = f32(on_grid(random, outputs, inputs, 3, 3))
        net.add(Conv(kernel, (1, 1), (1, 1, 1, 1), (1, 1)))
        net.grid(0, 255, 0.01)
    net.add(Dense(f32(random.integers(-127, 128, (4, 8 * 36)) / 30000)))
    return net


def test_the_radix_code_has_the_same_integers() -> None:
    """8 digits are the numbers of the quantized network itself, but for a rounding or two."""
    lowered = small_network().graph(readout=False)
    x = {"x": random.standard_normal((30, 2, 6, 6)).astype(np.float32)}
    integer = run_pipeline(
        lowered, parse_pipeline(RadixSettings(steps=8, bias="keep").pipeline()), Context(x)
    ).graph
    names = [n.name for n in integer if isinstance(n.op, Population) and n.name in lowered.by_name
             and isinstance(n.op.model, RadixFire)]  # fmt: skip
    assert len(names) == 2
    theirs = ValueRunner(lowered, names).run(x)
    ours = ValueRunner(integer, names).run(x)
    for name in names:
        numbers = np.rint(theirs[name].astype(np.float64) / 0.01)
        sent = np.rint(ours[name].astype(np.float64) * 255)
        assert np.abs(numbers - sent).max() <= 1
        assert np.mean(numbers != sent) < 0.002
        assert len(np.unique(numbers)) > 20


def integer_weights(graph: Graph) -> list[Linear]:
    return [
        chain[-1].weight
        for node in graph
        if isinstance(node.op, Population)
        for chain in node.op.maps
        if isinstance(chain[-1], Conv | Dense) and isinstance(chain[-1].weight, Linear)
    ]


@pytest.mark.parametrize(("bits", "most"), [(16, 32767), (8, 127)])
def test_integer_weights_are_multiples_of_the_codes(bits: int, most: int) -> None:
    lowered = small_network().graph(readout=False)
    result = adopted(lowered, RadixSettings(steps=8, weight_bits=bits).pipeline())
    found = integer_weights(result)
    assert len(found) == 3
    layers = [n.op for n in lowered if isinstance(n.op, Conv | Dense)]
    for weight, layer in zip(found, layers, strict=True):
        linear = as_linear(layer.weight)
        assert linear is not None
        np.testing.assert_array_equal(weight.codes.integers, linear.codes.integers)
        assert np.abs(weight.integers).max() <= most
    assert parse_graph(print_graph(result), graph_tensors(result)) == result


def test_too_few_levels_choose_their_own_scales() -> None:
    """5 digits have 31 levels for 255: clipped where that costs least, and codes are given up."""
    result = adopted(small_network().graph(readout=False), RadixSettings(steps=5).pipeline())
    assert len(integer_weights(result)) == 1  # those that the input feeds


def test_a_quantized_file_from_end_to_end(tmp_path: Path) -> None:
    """The int8 weights of the file are in the bundle's network."""
    m = Made((2, 8, 8))
    kept = []
    value = m.quantized("x", 0.02, 3)
    for inputs, outputs in ((2, 6), (6, 8)):
        kernel = random.integers(-127, 128, (outputs, inputs, 3, 3)).astype(np.int8)
        kernel.reshape(-1)[:2] = 127, 126
        kept.append(kernel)
        scale = float(0.2 / 127 / np.sqrt(inputs))
        weight = m.node("DequantizeLinear", kernel, f(scale), bytes8(0))
        value = m.quantized(m.node("Conv", value, weight, f(*[0.1] * outputs)), 0.02)
    m.node("Flatten", value)
    dense = random.integers(-127, 128, (4, 128)).astype(np.int8)
    weight = m.node("DequantizeLinear", dense, f(0.001), bytes8(0))
    m.quantized(m.node("Gemm", m.nodes[-2].output[0], weight, transB=1), 0.02, 0)
    path = m.save(tmp_path)
    x = random.standard_normal((24, 2, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x, y=np.zeros(24, np.int64))
    bundle = snncc.compile(
        path, calibration=tmp_path / "x.npz", output=tmp_path / "b", coding="radix", steps=8
    )
    found = [weight.codes.integers for weight in integer_weights(bundle.graph)]
    for wanted in (*kept, dense):
        assert any(np.array_equal(codes, wanted) for codes in found)
    verified = bundle.verify(path, tmp_path / "x.npz")
    assert verified.holds
    assert verified.last.snr is not None
    assert verified.last.snr > 18  # the file's own output has but few levels
    kinds = [layer.kind for layer in inspect(path).layers]
    assert kinds == ["population: 8-bit conv"] * 2 + ["readout: 8-bit dense"]


def test_binary_weights_stay_binary() -> None:
    signs = random.choice([-0.5, 0.5], (4, 2, 3, 3))
    net = Net(2, 6, 6)
    net.add(Conv(f32(signs), (1, 1), (1, 1, 1, 1), (1, 1)))
    net.grid(0, 255)
    result = adopted(net.graph(), "adopt-grids,drop-grids,fuse,binary-weights,linear-weights")
    (population, _) = (n.op for n in result if isinstance(n.op, Population))
    last = population.maps[0][-1]
    assert isinstance(last, Conv)
    assert isinstance(last.weight, Binary)


def test_a_brevitas_file_from_end_to_end(tmp_path: Path) -> None:
    """Weights of 4 bits, neurons of 4 bits: 4 digits are its own numbers, up to roundings."""
    m = Made((2, 8, 8))
    value = "x"
    for inputs, outputs in ((2, 6), (6, 8)):
        weight = random.standard_normal((outputs, inputs, 3, 3)).astype(np.float32)
        scale = (0.05 + 0.05 * random.random((outputs, 1, 1, 1))).astype(np.float32)
        kernel = m.node("Quant", weight, scale, f(0), f(4), domain=QONNX, signed=1, narrow=1,
                        rounding_mode="ROUND")  # fmt: skip
        m.node("Relu", m.node("Conv", value, kernel))
        value = m.node("Quant", m.last, f(0.25), f(0), f(4), domain=QONNX, signed=0, narrow=0,
                       rounding_mode="ROUND")  # fmt: skip
    flat = m.node("Flatten", value)
    m.node("Gemm", flat, random.standard_normal((4, 128)).astype(np.float32), transB=1)
    path = m.save(tmp_path)
    x = random.standard_normal((24, 2, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x, y=np.zeros(24, np.int64))
    bundle = snncc.compile(
        path, calibration=tmp_path / "x.npz", output=tmp_path / "b", coding="radix", steps=4
    )
    assert [int(np.abs(w.codes.integers).max()) for w in integer_weights(bundle.graph)] == [7, 7]
    verified = bundle.verify(path, tmp_path / "x.npz")
    assert verified.holds
    assert any("onnxruntime has no QONNX" in note for note in verified.notes)
    assert verified.last.snr is not None
    assert verified.last.snr > 25
