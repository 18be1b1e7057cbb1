"""Quantized models: every operator against onnxruntime, or against QONNX's own definition."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from snncc.onnx import Imported, import_model
from snncc.onnx.ops import qlinear, qonnx, quantized
from snncc_ir import Floats, SnnccError, ValueRunner, session
from snncc_ir.ops import Affine, Conv, Dense, Neuron, Quantize

Array = NDArray[np.generic]
MICROSOFT, QONNX = "com.microsoft", "qonnx.custom_op.general"
random = np.random.default_rng(7)
START = random.bit_generator.state


@pytest.fixture(autouse=True)
def numbers_as_ever() -> None:
    """The same for each test, whichever run before it."""
    random.bit_generator.state = START


def f(*numbers: float) -> NDArray[np.float32]:
    """One number as a scalar, several as a vector."""
    return np.array(numbers[0] if len(numbers) == 1 else numbers, np.float32)


def i8(*numbers: int) -> NDArray[np.int8]:
    return np.array(numbers[0] if len(numbers) == 1 else numbers, np.int8)


def u8(number: int) -> NDArray[np.uint8]:
    return np.array(number, np.uint8)


def codes(*shape: int, low: int = -127, high: int = 127) -> NDArray[np.int8]:
    return random.integers(low, high + 1, shape).astype(np.int8)


@dataclass
class Made:
    """A model under construction: input x, nodes one behind the other, the last value."""

    shape: tuple[int, ...]
    opset: int = 17
    kind: int = TensorProto.FLOAT
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    last: str = "x"

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(
        self,
        op_type: str,
        *inputs: "str | Array",
        domain: str = "",
        outputs: Sequence[str] = (),
        **attributes: int | float | str | list[int],
    ) -> str:
        """`x` is the last value; arrays are constants, texts are values."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        results = list(outputs) or [f"v{len(self.nodes)}"]
        name = f"/{op_type}{len(self.nodes)}"
        made = helper.make_node(op_type, names, results, name, domain=domain)
        made.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
        self.nodes.append(made)
        self.last = results[0]
        return self.last

    def quantized(self, value: str, scale: float, zero: int = -128) -> str:
        """Through QuantizeLinear and DequantizeLinear; int8."""
        integers = self.node("QuantizeLinear", value, f(scale), i8(zero))
        return self.node("DequantizeLinear", integers, f(scale), i8(zero))

    def integers(self, scale: float = 0.02, zero: int = 3) -> str:
        """int8 of a ReLU of the input."""
        return self.node("QuantizeLinear", self.node("Relu", "x"), f(scale), i8(zero))

    def save(self, folder: Path, kind: int = TensorProto.FLOAT) -> Path:
        given = helper.make_tensor_value_info("x", self.kind, ["N", *self.shape])
        result = helper.make_tensor_value_info(self.last, kind, None)
        graph = helper.make_graph(self.nodes, "g", [given], [result], self.constants)
        domains = {"": self.opset} | {node.domain: 1 for node in self.nodes if node.domain}
        opsets = [helper.make_opsetid(*each) for each in domains.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        model = onnx.shape_inference.infer_shapes(model)
        if not model.graph.output[0].type.tensor_type.HasField("shape"):
            model.graph.output[0].type.tensor_type.shape.dim.add().dim_param = "N"
        path = folder / "model.onnx"
        onnx.save(model, path)
        return path


def agree(path: Path, step: float, share: float = 0.02, count: int = 8) -> Imported:
    """Imports and compares with onnxruntime: few numbers are off, by a step at most."""
    imported = import_model(path)
    (node,) = imported.graph.inputs
    running = session(str(path))
    x = (random.standard_normal((count, *node.type.shape)) * 1.5).astype(np.float32)
    if "uint8" in running.get_inputs()[0].type:
        x = np.clip(np.rint(np.abs(x) * 60), 0, 255)
    given = x.astype(np.uint8) if "uint8" in running.get_inputs()[0].type else x
    (expected,) = running.run(None, {"x": given})
    (found,) = ValueRunner(imported.graph).run({node.name: x}).values()
    off = np.abs(found.astype(np.float64) - expected.reshape(found.shape))
    assert off.max() <= step * 1.001
    assert np.mean(off > step / 100) <= share
    assert np.unique(np.rint(expected / step)).size > 4, "nothing is compared"
    return imported


def qdq_conv(m: Made, per_channel: bool) -> str:
    scales = f(0.01, 0.02, 0.005, 0.015) if per_channel else f(0.01)
    zero = i8(0, 0, 0, 0) if per_channel else i8(0)
    weight = m.node("DequantizeLinear", codes(4, 3, 3, 3), scales, zero)
    if per_channel:
        m.nodes[-1].attribute.append(helper.make_attribute("axis", 0))
    # of opset 10, onnxruntime rounds the bias by an operator that is newer
    bias = [f(0.3, -0.2, 0.1, 0.0)] if m.opset > 10 else []
    return m.node("Conv", m.quantized("x", 0.02, 5), weight, *bias)


@pytest.mark.parametrize("opset", [10, 13, 17, 21])
@pytest.mark.parametrize("per_channel", [False, True])
def test_qdq(opset: int, per_channel: bool, tmp_path: Path) -> None:
    if per_channel and opset < 13:
        return  # there was no axis
    m = Made((3, 6, 6), opset)
    m.quantized(qdq_conv(m, per_channel), 0.05)
    graph = agree(m.save(tmp_path), 0.05).graph
    assert [type(node.op) for node in graph].count(Quantize) == 2
    (conv,) = (node.op for node in graph if isinstance(node.op, Conv))
    assert np.unique(np.rint(conv.weight.floats / 0.005)).size > 50


def test_moves_and_maxima_of_integers(tmp_path: Path) -> None:
    m = Made((4, 6, 6))
    integers = m.integers()
    integers = m.node("MaxPool", integers, kernel_shape=[2, 2], strides=[2, 2])
    integers = m.node("Transpose", integers, perm=[0, 2, 3, 1])
    integers = m.node("Flatten", integers)
    m.node("DequantizeLinear", integers, f(0.02), i8(3))
    agree(m.save(tmp_path), 0.02)


def test_other_scales_behind_than_before(tmp_path: Path) -> None:
    m = Made((4, 5))
    m.node("DequantizeLinear", m.integers(), f(0.5), i8(-7))
    graph = agree(m.save(tmp_path), 0.5).graph
    assert any(isinstance(node.op, Affine) for node in graph)


def test_constants_through_a_quantizer_and_moves(tmp_path: Path) -> None:
    """Weights in float32 behind a quantizer, transposed after it, as of quantization-aware nets."""
    m = Made((12,))
    weight = random.standard_normal((12, 5)).astype(np.float32)
    quantized = m.node("QuantizeLinear", weight, f(0.02), i8(0))
    real = m.node("DequantizeLinear", quantized, f(0.02), i8(0))
    moved = m.node("Transpose", real, perm=[1, 0])
    m.quantized(m.node("Gemm", m.node("Relu", "x"), moved, transB=1), 0.05)
    graph = agree(m.save(tmp_path), 0.05).graph
    (dense,) = (node.op for node in graph if isinstance(node.op, Dense))
    steps = dense.weight.floats / np.float32(0.02)
    assert np.allclose(steps, np.rint(steps), atol=1e-4)


@pytest.mark.parametrize(("kind", "low", "high"), [
    (TensorProto.UINT8, 0, 255), (TensorProto.INT16, -32768, 32767),
    (TensorProto.UINT16, 0, 65535), (TensorProto.INT4, -8, 7), (TensorProto.UINT4, 0, 15),
])  # fmt: skip
def test_types_of_integers(kind: int, low: int, high: int, tmp_path: Path) -> None:
    m = Made((3, 4), opset=21)
    zero = helper.make_tensor("z", kind, [], [2])
    m.constants.append(zero)
    m.node("QuantizeLinear", "x", f(0.1), "z")
    m.node("Relu", m.node("DequantizeLinear", m.last, f(0.1), "z"))
    (op,) = (n.op for n in agree(m.save(tmp_path), 0.1).graph if isinstance(n.op, Quantize))
    assert (op.low, op.high) == (low - 2, high - 2)


def test_without_a_zero_point(tmp_path: Path) -> None:
    m = Made((3, 4))
    negative = m.node("Neg", "x")
    m.node("DequantizeLinear", m.node("QuantizeLinear", negative, f(0.01)), f(0.01))
    graph = agree(m.save(tmp_path), 0.01)
    assert any(isinstance(n.op, Quantize) and n.op.low == 0 for n in graph.graph)


def test_an_image_of_bytes(tmp_path: Path) -> None:
    m = Made((1, 6, 6), kind=TensorProto.UINT8)
    real = m.node("DequantizeLinear", "x", f(1 / 255), u8(10))
    m.quantized(m.node("Conv", real, random.standard_normal((4, 1, 3, 3)).astype(np.float32)), 0.02)
    agree(m.save(tmp_path), 0.02, share=0.05)


def qlinear_conv(m: Made, channels: int = 4, per_channel: bool = True) -> str:
    scale = f(0.01, 0.02, 0.005, 0.015) if per_channel else f(0.01)
    zero = i8(0, 0, 0, 0) if per_channel else i8(0)
    bias = random.integers(-500, 500, 4).astype(np.int32)
    return m.node("QLinearConv", m.integers(), f(0.02), i8(3), codes(4, channels, 3, 3), scale,
                  zero, f(0.1), i8(-128), bias, pads=[1, 1, 1, 1])  # fmt: skip


def real(m: Made, scale: float, zero: int = -128) -> None:
    m.node("DequantizeLinear", m.last, f(scale), i8(zero))


@pytest.mark.parametrize("per_channel", [False, True])
def test_qlinear_conv(per_channel: bool, tmp_path: Path) -> None:
    m = Made((4, 6, 6))
    qlinear_conv(m, per_channel=per_channel)
    real(m, 0.1)
    agree(m.save(tmp_path), 0.1)


def test_qlinear_matmul_and_qgemm(tmp_path: Path) -> None:
    m = Made((10,))
    m.node("QLinearMatMul", m.integers(), f(0.02), i8(3), codes(10, 8), f(0.01), i8(0), f(0.05),
           i8(-128))  # fmt: skip
    bias = random.integers(-500, 500, 5).astype(np.int32)
    m.node("QGemm", m.last, f(0.05), i8(-128), codes(5, 8), f(0.02), i8(0), bias, f(0.1), i8(10),
           domain=MICROSOFT, transB=1, alpha=1.0)  # fmt: skip
    real(m, 0.1, 10)
    agree(m.save(tmp_path), 0.1, share=0.1)


def test_sums_pools_and_concats_of_integers(tmp_path: Path) -> None:
    m = Made((4, 6, 6))
    a = qlinear_conv(m)
    b = m.integers(0.03, 4)
    m.node("QLinearAdd", a, f(0.1), i8(-128), b, f(0.03), i8(4), f(0.11), i8(-120),
           domain=MICROSOFT)  # fmt: skip
    m.node("QLinearConcat", f(0.12), i8(-120), m.last, f(0.11), i8(-120), b, f(0.03), i8(4),
           domain=MICROSOFT, axis=1)  # fmt: skip
    m.node("QLinearMul", m.last, f(0.12), i8(-120), i8(50), f(0.02), i8(0), f(0.12), i8(-120),
           domain=MICROSOFT)  # fmt: skip
    m.node("QLinearAveragePool", m.last, f(0.12), i8(-120), f(0.1), i8(-120), domain=MICROSOFT,
           kernel_shape=[2, 2], strides=[2, 2])  # fmt: skip
    m.node("QLinearGlobalAveragePool", m.last, f(0.1), i8(-120), f(0.05), i8(-128),
           domain=MICROSOFT)  # fmt: skip
    real(m, 0.05)
    agree(m.save(tmp_path), 0.05, share=0.25)


def test_softmax_of_integers_at_the_end(tmp_path: Path) -> None:
    m = Made((10,))
    m.node("QLinearMatMul", m.integers(), f(0.02), i8(3), codes(10, 8), f(0.01), i8(0), f(0.05),
           i8(-128))  # fmt: skip
    logits = m.last
    m.node("QLinearSoftmax", logits, f(0.05), i8(-128), f(1 / 256), i8(-128), domain=MICROSOFT,
           axis=-1, opset=17)  # fmt: skip
    real(m, 1 / 256)
    imported = import_model(m.save(tmp_path))
    assert "left out" in imported.notes[0]
    assert sum(isinstance(n.op, Quantize) for n in imported.graph) == 2
    m.nodes = m.nodes[:-2]
    m.last = logits
    real(m, 0.05)
    agree(m.save(tmp_path), 0.05)


@pytest.mark.parametrize("dynamic", [True, False])
def test_integers_of_matmul_and_conv(dynamic: bool, tmp_path: Path) -> None:
    """As `quantize_dynamic` writes them; and behind a static quantizer."""
    m = Made((3, 6, 6))
    if dynamic:
        m.node("DynamicQuantizeLinear", m.node("Relu", "x"), outputs=["q", "s", "z"])
    else:
        m.node("QuantizeLinear", m.node("Relu", "x"), f(0.02), u8(4), outputs=["q"])
        m.constants += [numpy_helper.from_array(f(0.02), "s"), numpy_helper.from_array(u8(4), "z")]
    m.node("ConvInteger", "q", codes(4, 3, 3, 3), "z")
    value = m.node("Cast", m.last, to=TensorProto.FLOAT)
    m.node("Mul", value, m.node("Mul", "s", f(0.01)))
    flat = m.node("Flatten", m.last)
    if dynamic:
        m.node("DynamicQuantizeLinear", flat, outputs=["q2", "s2", "z2"])
    else:
        m.node("QuantizeLinear", flat, f(0.1), u8(100), outputs=["q2"])
        m.constants += [
            numpy_helper.from_array(f(0.1), "s2"),
            numpy_helper.from_array(u8(100), "z2"),
        ]
    m.node("MatMulInteger", "q2", codes(64, 5), "z2", i8(2))
    value = m.node("Cast", m.last, to=TensorProto.FLOAT)
    m.node("Mul", value, m.node("Mul", "s2", f(0.02)))
    imported = agree(m.save(tmp_path), 6.0 if dynamic else 1.0, share=1.0 if dynamic else 0.02)
    assert any("depends on the sample" in note for note in imported.notes) == dynamic


def quant(
    x: NDArray[np.float32], scale: float, bits: int, signed: bool, narrow: bool, rounding: str
) -> Floats:
    """qonnx.custom_op.general.quant, zero point 0."""
    low = (-(2.0 ** (bits - 1)) + narrow) if signed else 0.0
    high = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - 1 - narrow
    y = np.clip(x / np.float32(scale), low, high).astype(np.float64)
    magnitude, sign = np.abs(y), np.sign(y)
    rounded: dict[str, Floats] = {
        "ROUND": np.round(y), "FLOOR": np.floor(y), "CEIL": np.ceil(y), "DOWN": np.trunc(y),
        "UP": sign * np.ceil(magnitude), "HALF_UP": sign * np.floor(magnitude + 0.5),
        "HALF_DOWN": sign * np.ceil(magnitude - 0.5),
    }  # fmt: skip
    return rounded[rounding] * scale


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR", "CEIL", "DOWN", "UP", "HALF_UP",
                                      "HALF_DOWN"])  # fmt: skip
def test_quant(signed: bool, rounding: str, tmp_path: Path) -> None:
    m = Made((3, 4, 4))
    weight = random.standard_normal((4, 3, 3, 3)).astype(np.float32)
    scale = (0.1 + random.random((4, 1, 1, 1))).astype(np.float32)
    kernel = m.node("Quant", weight, scale, f(0), f(3), domain=QONNX, signed=1, narrow=1,
                    rounding_mode="ROUND")  # fmt: skip
    m.node("Relu", m.node("Conv", "x", kernel))
    m.node("Quant", m.last, f(0.25), f(0), f(4), domain=QONNX, signed=int(signed), narrow=0,
           rounding_mode=rounding)  # fmt: skip
    graph = import_model(m.save(tmp_path)).graph
    # every third value is half a step
    x = (np.round(random.standard_normal((8, 3, 4, 4)) * 3) / 8).astype(np.float32)
    (conv,) = (n.op for n in graph if isinstance(n.op, Conv))
    expected_weight = np.clip(np.round(weight / scale), -3, 3) * scale
    np.testing.assert_allclose(conv.weight.floats, expected_weight, rtol=1e-6)
    drive = np.maximum(conv.evaluate((x.astype(np.float64),)), 0).astype(np.float32)
    expected = quant(drive, 0.25, 4, signed, False, rounding)
    (found,) = ValueRunner(graph).run({graph.inputs[0].name: x}).values()
    off = np.abs(found.astype(np.float64) - expected)
    assert off.max() <= 0.2501
    assert np.mean(off > 1e-4) < 0.05


def test_bipolar_weights_and_trunc(tmp_path: Path) -> None:
    m = Made((2, 4, 4))
    weight = random.standard_normal((4, 2, 3, 3)).astype(np.float32)
    kernel = m.node("BipolarQuant", weight, f(0.5), domain="onnx.brevitas")
    m.node("Relu", m.node("Conv", "x", kernel))
    m.node("Quant", m.last, f(0.125), f(0), f(6), domain="onnx.brevitas", signed=0, narrow=0,
           rounding_mode="ROUND")  # fmt: skip
    quantized = m.last
    for form, more, factor in (("first", [f(6), f(4)], 1.0), ("second", [f(6), f(0.5), f(4)], 4.0)):
        m.node("Trunc", quantized, f(0.125), f(0), *more, domain="onnx.brevitas", signed=0,
               rounding_mode="FLOOR")  # fmt: skip
        graph = import_model(m.save(tmp_path)).graph
        x = random.standard_normal((8, 2, 4, 4)).astype(np.float32)
        (conv,) = (n.op for n in graph if isinstance(n.op, Conv))
        assert set(np.unique(conv.weight.floats)) == {-0.5, 0.5}
        drive = np.maximum(conv.evaluate((x.astype(np.float64),)), 0).astype(np.float32)
        whole = np.round(quant(drive, 0.125, 6, False, False, "ROUND") / 0.125)
        (found,) = ValueRunner(graph).run({graph.inputs[0].name: x}).values()
        expected = np.floor(whole / 4) * 0.125 * factor
        off = np.abs(found.astype(np.float64) - expected)
        assert np.mean(off > 1e-4) < 0.02, form
        m.nodes.pop()


def test_one_bit_is_a_sign(tmp_path: Path) -> None:
    m = Made((3, 4))
    weight = random.standard_normal((5, 12)).astype(np.float32)
    kernel = m.node("IntQuant", weight, f(0.5), f(0), f(1), domain=QONNX, signed=1, narrow=1)
    m.node("Relu", m.node("Gemm", m.node("Flatten", "x"), kernel, transB=1))
    graph = import_model(m.save(tmp_path)).graph
    (dense,) = (n.op for n in graph if isinstance(n.op, Dense))
    assert set(np.unique(dense.weight.floats)) == {-0.5, 0.5}
    assert sum(isinstance(n.op, Neuron) for n in graph) == 1


def padded(m: Made) -> None:
    m.node("Pad", m.integers(), np.array([0, 1, 0, 1], np.int64))
    real(m, 0.02, 3)


def joined(m: Made) -> None:
    a, b = m.integers(0.02), m.integers(0.03)
    m.node("Concat", a, b, axis=1)
    real(m, 0.02, 3)


REFUSED: dict[str, tuple[Callable[[Made], object], str]] = {
    "per channel zero points": (
        lambda m: m.node("QuantizeLinear", "x", f(1, 2, 3, 4), i8(1, 2, 3, 4)),
        "its zero points differ",
    ),
    "blocks": (
        lambda m: m.node("QuantizeLinear", "x", f(1), i8(0), block_size=2),
        "its block_size is 2, should be none",
    ),
    "no integers": (
        lambda m: m.node("DequantizeLinear", m.node("Relu", "x"), f(1), i8(0)),
        "its data are not on a grid",
    ),
    "scale of 0": (
        lambda m: m.node("QuantizeLinear", "x", f(0), i8(0)),
        "its scale is not positive",
    ),
    "float8": (
        lambda m: m.node("QuantizeLinear", "x", f(1), "e4m3"),
        "its integers have type float8_e4m3fn",
    ),
    "padding of integers": (padded, "integers are padded with 0"),
    "concat of other scales": (joined, "it joins integers of different scales"),
    "sigmoid": (
        lambda m: m.node("Abs", m.node("QLinearSigmoid", m.integers(), f(0.02), i8(3), f(1),
                                       i8(0), domain=MICROSOFT)),
        "Sigmoid",
    ),
    "inputs": (
        lambda m: m.node("QGemm", m.integers(), f(0.02), domain=MICROSOFT), "are missing"
    ),
    "channels last": (
        lambda m: m.node("QLinearGlobalAveragePool", m.integers(), f(0.02), i8(3), f(1), i8(0),
                         domain=MICROSOFT, channels_last=1),
        "its channels are last",
    ),
    "bipolar activations": (
        lambda m: m.node("BipolarQuant", "x", f(1), domain=QONNX),
        "it makes activations −1 or 1",
    ),
    "rounding": (
        lambda m: m.node("Quant", "x", f(1), f(0), f(4), domain=QONNX, rounding_mode="DICE"),
        "its rounding_mode is DICE",
    ),
    "half a zero point": (
        lambda m: m.node("Quant", "x", f(1), f(0.5), f(4), domain=QONNX),
        "its zero point is not one integer",
    ),
    "floats": (
        lambda m: m.node("FloatQuant", "x", f(1), domain=QONNX),
        "operator qonnx.custom_op.general.FloatQuant is not supported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_refusals(name: str, tmp_path: Path) -> None:
    make, message = REFUSED[name]
    m = Made((4, 6) if "pad" not in name else (6,), opset=21)
    if name == "float8":
        m.constants.append(helper.make_tensor("e4m3", TensorProto.FLOAT8E4M3FN, [], [0.0]))
    make(m)
    with pytest.raises(SnnccError) as caught:
        import_model(m.save(tmp_path))
    assert message in str(caught.value)
    assert "try: " in str(caught.value)


def test_every_operator_is_here() -> None:
    """By its name; QLinearLeakyRelu is lowered as QLinearSigmoid is: in numbers, if that is."""
    text = Path(__file__).read_text(encoding="utf-8")
    keys = {*quantized.LOWERINGS, *qlinear.LOWERINGS, *qonnx.LOWERINGS}
    names = {key.rpartition(".")[2] for key in keys} - {"QLinearLeakyRelu"}
    assert {name for name in names if f'"{name}"' not in text} == set()
