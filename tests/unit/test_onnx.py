"""Every lowering against onnxruntime, and what is refused against its diagnostic."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from snncc.onnx import import_model, lowerings
from snncc.onnx.context import readable
from snncc.onnx.curves import APPROXIMATED
from snncc.onnx.ops import qlinear, qonnx, quantized, trained
from snncc_ir import (
    Current,
    Graph,
    SnnccError,
    Source,
    ValueRunner,
    print_graph,
    session,
    tensor_bytes,
)

Array = NDArray[np.float32] | NDArray[np.int64]
Value = int | float | str | Sequence[int]
random = np.random.default_rng(0)


def normal(*shape: int) -> NDArray[np.float32]:
    return random.standard_normal(shape).astype(np.float32)


def ints(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


class Maker:
    """Writes small models: each call of `node` adds one node behind the last."""

    def __init__(self, *shape: int, opset: int = 17, batch: int | str = "N") -> None:
        self.shape: list[int | str] = [batch, *shape]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last, self.opset = "x", opset

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(
        self,
        op_type: str,
        *operands: "str | Array",
        swap: bool = False,
        outputs: Sequence[str] = (),
        domain: str = "",
        **attributes: "Value",
    ) -> str:
        """Operands behind the last value: arrays are constants, texts are values."""
        names = [o if isinstance(o, str) else self.constant(o) for o in operands]
        inputs = [*names, self.last] if swap else [self.last, *names]
        results = list(outputs) or [f"v{len(self.nodes)}"]
        name = f"/net/{op_type.lower()}{len(self.nodes)}/{op_type}"
        made = helper.make_node(op_type, inputs, results, name, domain=domain)
        made.attribute.extend(helper.make_attribute(key, attributes[key]) for key in attributes)
        self.nodes.append(made)
        self.last = results[0]
        return self.last

    def save(self, folder: Path, *results: str, kind: int = TensorProto.FLOAT) -> Path:
        """kind: of all results, the last value if none is named."""
        outputs = [
            helper.make_tensor_value_info(name, kind, None) for name in results or (self.last,)
        ]
        given_input = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        graph = helper.make_graph(self.nodes, "g", [given_input], outputs, self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        domains = {node.domain for node in self.nodes if node.domain}
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted(domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        for output in model.graph.output:
            if not output.type.tensor_type.HasField("shape"):
                output.type.tensor_type.shape.dim.add().dim_param = "N"
        path = folder / "model.onnx"
        onnx.save(model, path)
        return path


def agree(path: Path, count: int = 3) -> Graph:
    """Imports the model and compares all outputs with onnxruntime."""
    graph = import_model(path).graph
    running = session(str(path))
    (given_input,) = graph.inputs
    x = normal(count, *given_input.type.shape)
    expected = running.run(None, {"x": x})
    found = ValueRunner(graph).run({given_input.name: x})
    for ours, theirs in zip(found.values(), expected, strict=True):
        np.testing.assert_allclose(ours.astype(np.float32), theirs, rtol=1e-4, atol=1e-5)
    return graph


def conv(
    m: Maker, outputs: int = 4, inputs: int = 3, kernel: Sequence[int] = (3, 3), **attributes: Value
) -> str:
    operands = (normal(outputs, inputs, *kernel), normal(outputs))
    return m.node("Conv", *operands, **attributes)  # type: ignore[arg-type]


def relu_conv(m: Maker) -> str:
    conv(m)
    return m.node("Relu")


def branch(m: Maker, op_type: str, axis: int = 0) -> str:
    relu_conv(m)
    trunk = m.last
    m.node("Conv", normal(4, 4, 1, 1))
    m.node("Relu")
    return m.node(op_type, trunk, axis=axis) if axis else m.node(op_type, trunk)


def resize(m: Maker, factor: int, **attributes: Value) -> str:
    """By a factor in both spatial axes; the region of interest is left out."""
    scales = np.array([1, 1, factor, factor], np.float32)
    return m.node("Resize", "", scales, **attributes)  # type: ignore[arg-type]


def scalar(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)


SUPPORTED: dict[str, Callable[[Maker], object]] = {
    "conv pads": lambda m: conv(m, pads=[0, 1, 2, 1]),
    "conv stride dilation": lambda m: conv(m, strides=[2, 1], dilations=[1, 2]),
    "conv same upper": lambda m: conv(m, auto_pad="SAME_UPPER", strides=[2, 2]),
    "conv same lower": lambda m: conv(m, kernel=(2, 4), auto_pad="SAME_LOWER"),
    "conv valid": lambda m: conv(m, auto_pad="VALID"),
    "conv groups": lambda m: m.node("Conv", normal(6, 1, 3, 3), group=3),
    "batchnorm": lambda m: (
        conv(m),
        m.node(
            "BatchNormalization",
            normal(4),
            normal(4),
            normal(4),
            np.square(normal(4)) + np.float32(0.1),
        ),
    ),
    "relu6": lambda m: (
        conv(m),
        m.node("Clip", np.array(0, np.float32), np.array(6, np.float32)),
    ),
    "max with zero": lambda m: (conv(m), m.node("Max", np.zeros(1, np.float32))),
    "residual": lambda m: branch(m, "Add"),
    "sum": lambda m: branch(m, "Sum"),
    "sub": lambda m: branch(m, "Sub"),
    "concat": lambda m: branch(m, "Concat", axis=-3),
    "maxpool": lambda m: (
        relu_conv(m),
        m.node("MaxPool", kernel_shape=[2, 3], strides=[2, 2], pads=[0, 1, 1, 1]),
    ),
    "maxpool ceil": lambda m: (
        relu_conv(m),
        m.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    ),
    "averagepool": lambda m: (
        relu_conv(m),
        m.node("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
    ),
    "averagepool count": lambda m: (
        relu_conv(m),
        m.node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    ),
    "averagepool ceil": lambda m: (
        relu_conv(m),
        m.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    ),
    "global average": lambda m: (relu_conv(m), m.node("GlobalAveragePool")),
    "global max": lambda m: (relu_conv(m), m.node("GlobalMaxPool")),
    "reduce mean": lambda m: (relu_conv(m), m.node("ReduceMean", axes=[2, -1], keepdims=0)),
    "reduce mean kept": lambda m: (relu_conv(m), m.node("ReduceMean", axes=[1], keepdims=1)),
    "reduce sum": lambda m: (relu_conv(m), m.node("ReduceSum", ints(2, 3), keepdims=0)),
    "pad slice": lambda m: (
        relu_conv(m),
        m.node("Pad", ints(0, 1, 0, 2, 0, 0, 1, 0)),
        m.node("Slice", ints(1, -4), ints(2**62, -1), ints(1, 3), ints(2, 1)),
    ),
    "transpose": lambda m: (relu_conv(m), m.node("Transpose", perm=[0, 2, 3, 1])),
    "squeeze": lambda m: (
        relu_conv(m),
        m.node("Unsqueeze", ints(1)),
        m.node("Squeeze", ints(1)),
    ),
    "arithmetic": lambda m: (
        m.node("Mul", np.array([[[2.0]], [[0.5]], [[-1.0]]], np.float32)),
        m.node("Div", np.array(4.0, np.float32)),
        m.node("Sub", normal(1, 3, 1, 1)),
        m.node("Add", normal(1), swap=True),
        m.node("Neg"),
    ),
    "constant minus": lambda m: m.node("Sub", np.array(1.0, np.float32), swap=True),
    "split": lambda m: (
        relu_conv(m),
        m.node("Split", ints(1, 3), axis=1, outputs=["s0", "s1"]),
        m.node("Concat", "s1", axis=1),
    ),
    "leaky": lambda m: (conv(m), m.node("LeakyRelu", alpha=0.25)),
    "prelu": lambda m: (conv(m), m.node("PRelu", normal(4, 1, 1))),
    "abs": lambda m: (conv(m), m.node("Abs")),
    "hard sigmoid": lambda m: (conv(m), m.node("HardSigmoid", alpha=0.3)),
    "hard tanh": lambda m: (conv(m), m.node("Clip", scalar(-1), scalar(1))),
    "clip from above": lambda m: (conv(m), m.node("Clip", "", scalar(0.5))),
    "clip the wrong way": lambda m: (conv(m), m.node("Clip", scalar(2), scalar(1))),
    "max of two values": lambda m: branch(m, "Max"),
    "min of two values": lambda m: branch(m, "Min"),
    "max with constants": lambda m: (conv(m), m.node("Max", normal(4, 1, 1), scalar(-1))),
    "min with constants": lambda m: (conv(m), m.node("Min", normal(4, 1, 1))),
    "mean of two values": lambda m: branch(m, "Mean"),
    "sum that broadcasts": lambda m: (
        relu_conv(m),
        m.node("Add", m.node("GlobalMaxPool"), swap=True),
    ),
    "constant that enlarges": lambda m: (
        relu_conv(m),
        m.node("GlobalAveragePool"),
        m.node("Mul", normal(4, 3, 2)),
    ),
    "pooled input": lambda m: m.node("MaxPool", kernel_shape=[2, 3], strides=[2, 1]),
    "dilated pool": lambda m: (
        relu_conv(m),
        m.node("MaxPool", kernel_shape=[2, 2], dilations=[2, 3], pads=[1, 0, 1, 1]),
    ),
    "pools in three dimensions": lambda m: (
        relu_conv(m),
        m.node("Unsqueeze", ints(1)),
        m.node("MaxPool", kernel_shape=[2, 2, 2], strides=[2, 1, 1]),
        m.node("AveragePool", kernel_shape=[1, 2, 2], pads=[0, 1, 0, 0, 0, 1]),
        m.node("GlobalAveragePool"),
    ),
    "transposed convolution": lambda m: (
        relu_conv(m),
        m.node("ConvTranspose", normal(4, 3, 3, 2), normal(6), group=2, strides=[2, 3]),
    ),
    "resize": lambda m: (relu_conv(m), resize(m, 2)),
    "depth to space": lambda m: (
        relu_conv(m),
        m.node("DepthToSpace", blocksize=2, mode="CRD"),
        m.node("SpaceToDepth", blocksize=2),
    ),
    "gather": lambda m: (relu_conv(m), m.node("Gather", ints(2, 0, 2, -1), axis=1)),
    "tile expand": lambda m: (
        relu_conv(m),
        m.node("ReduceMax", axes=[2, 3]),
        m.node("Expand", ints(1, 1, 3, 2)),
        m.node("Tile", ints(1, 2, 1, 2)),
    ),
    "reduce min": lambda m: (conv(m), m.node("ReduceMin", axes=[1], keepdims=0)),
    "reflecting pad": lambda m: (
        relu_conv(m),
        m.node("Pad", ints(0, 0, 1, 2, 0, 0, 1, -1), mode="reflect"),
        m.node("Pad", ints(0, 1, -1, 1, 0, 0, 1, 1), scalar(0.5)),
    ),
    "reversed slice": lambda m: (
        relu_conv(m),
        m.node("Slice", ints(-1, 5), ints(-4, -99), ints(2, 3), ints(-1, -2)),
    ),
    "matmul over features": lambda m: (relu_conv(m), m.node("MatMul", normal(6, 2))),
    "matmul for each channel": lambda m: (relu_conv(m), m.node("MatMul", normal(4, 6, 2))),
    "matmul from the left": lambda m: (relu_conv(m), m.node("MatMul", normal(5, 7), swap=True)),
    "dropout identity": lambda m: (relu_conv(m), m.node("Dropout"), m.node("Identity")),
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_lowering(name: str, tmp_path: Path) -> None:
    """Each behind an input of 3×9×8, before a ReLU and a dense layer."""
    maker = Maker(3, 9, 8)
    SUPPORTED[name](maker)
    maker.node("Relu")
    maker.node("Flatten")
    maker.node("Relu")
    agree(maker.save(tmp_path))


def test_dense_layers(tmp_path: Path) -> None:
    maker = Maker(5)
    maker.node("Gemm", normal(7, 5), normal(7), transB=1, alpha=0.5, beta=2.0)
    maker.node("Relu")
    maker.node("MatMul", normal(7, 4))
    maker.node("Add", normal(4))
    agree(maker.save(tmp_path))


def test_one_dimension_and_fixed_batch(tmp_path: Path) -> None:
    maker = Maker(2, 20, batch=3)
    maker.node("Conv", normal(3, 2, 5), strides=[2], pads=[2, 1])
    maker.node("Relu")
    maker.node("Reshape", ints(3, -1))
    agree(maker.save(tmp_path))


@pytest.mark.parametrize("shape", [(0, -1), (-1, 504), (0, 42, 12)])
def test_reshapes_that_keep_the_batch(shape: tuple[int, ...], tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    maker.node("Conv", normal(7, 3, 1, 1))
    maker.node("Relu")
    maker.node("Reshape", ints(*shape))
    agree(maker.save(tmp_path))


def padded(maker: Maker) -> None:
    """A padding as torch writes that of ResNet-20's shortcut: its amounts are computed."""
    relu_conv(maker)
    data = maker.last
    maker.last = maker.constant(ints(0, 1, 0, 0))
    half = maker.node("Cast", to=TensorProto.INT64)
    maker.last = half
    amounts = maker.node("Concat", half, axis=0)
    maker.last = data
    maker.node("Pad", amounts)
    maker.node("Relu")


def test_computed_paddings_are_constants(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    padded(maker)
    agree(maker.save(tmp_path))


def test_constants_are_folded_or_computed_to_the_same_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(3, 9, 8)
    padded(maker)
    path = maker.save(tmp_path)
    computed = import_model(path).graph
    monkeypatch.setattr("snncc.onnx.needs_no_folding", lambda model: False)
    folded = import_model(path).graph
    assert print_graph(computed) == print_graph(folded)
    assert tensor_bytes(computed) == tensor_bytes(folded)


def test_what_nobody_reads_is_left_out_where_constants_are_folded(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    padded(maker)
    last = maker.last
    maker.node("Hardmax")
    maker.last = last
    agree(maker.save(tmp_path))


def test_several_outputs_and_origins(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    first = maker.last
    maker.node("GlobalAveragePool")
    graph = agree(maker.save(tmp_path, first, maker.last))
    assert [node.origin.sources for node in graph] == [
        (Source("Input", "x"),),
        (Source("Conv", "/net/conv0/Conv"),),
        (Source("Relu", "/net/relu1/Relu"),),
        (Source("GlobalAveragePool", "/net/globalaveragepool2/GlobalAveragePool"),),
        (Source("Output", "v1"),),
        (Source("Output", "v2"),),
    ]


def test_softmax_at_the_end_is_left_out_and_said(tmp_path: Path) -> None:
    maker = Maker(5)
    maker.node("Gemm", normal(5, 7))
    maker.node("Relu")
    maker.node("Softmax", axis=1)
    imported = import_model(maker.save(tmp_path))
    assert "Softmax '/net/softmax2/Softmax' at the end is left out" in imported.notes[0]
    assert not isinstance(imported.graph.outputs[0].type, Current)


REFUSED: dict[str, tuple[Callable[[Maker], object], str, str]] = {
    "unknown operator": (
        lambda m: (relu_conv(m), m.node("Sin")),
        "SNN003",
        "operator Sin is not supported",
    ),
    "foreign domain": (
        lambda m: (relu_conv(m), m.node("Thing", domain="custom")),
        "SNN003",
        "operator custom.Thing is not supported",
    ),
    "computed weights": (
        lambda m: (relu_conv(m), m.node("Conv", "v1")),
        "SNN004",
        "its weight 'v1' is computed by the network",
    ),
    "two values multiplied": (
        lambda m: branch(m, "Mul"),
        "SNN004",
        "multiplies two values of the network",
    ),
    "pad of the batch": (
        lambda m: (relu_conv(m), m.node("Pad", ints(1, 0, 0, 0, 0, 0, 0, 0))),
        "SNN004",
        "should be 0 for the batch axis",
    ),
    "mask of a dropout": (
        lambda m: (
            relu_conv(m),
            m.node("Dropout", np.array(0.5, np.float32), np.array(True), outputs=["d", "mask"]),
        ),
        "SNN004",
        "it is in training mode",
    ),
    "bilinear": (
        lambda m: (relu_conv(m), resize(m, 2, mode="linear")),
        "SNN004",
        "its mode is 'linear', should be 'nearest'",
    ),
    "variance below zero": (
        lambda m: (conv(m), m.node("BatchNormalization", *[-np.ones(4, np.float32)] * 4)),
        "SNN004",
        "its variance goes down to -1",
    ),
    "values divided": (
        lambda m: branch(m, "Div"),
        "SNN004",
        "it divides by a value of the network",
    ),
    "tiled batch": (
        lambda m: (relu_conv(m), m.node("Tile", ints(2, 1, 1, 1))),
        "SNN004",
        "should be 1 for the batch axis",
    ),
    "batch moved": (
        lambda m: (relu_conv(m), m.node("Transpose", perm=[1, 0, 2, 3])),
        "SNN004",
        "should begin with 0, the batch axis",
    ),
    "slice that stands still": (
        lambda m: (relu_conv(m), m.node("Slice", ints(-1), ints(-4), ints(2), ints(0))),
        "SNN004",
        "its steps are [0], should not be 0",
    ),
    "softmax inside": (
        lambda m: (conv(m), m.node("Softmax"), m.node("Relu")),
        "SNN004",
        "stands inside the network",
    ),
    "a matrix for each sample": (
        lambda m: (relu_conv(m), m.node("MatMul", normal(3, 4, 7, 6, 2))),
        "SNN004",
        "should have one matrix",
    ),
    "no neurons": (lambda m: conv(m), "SNN006", "no activation that could become neurons"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name: str, tmp_path: Path) -> None:
    make, code, message = REFUSED[name]
    maker = Maker(3, 9, 8)
    make(maker)
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert message in diagnostic.message
    assert diagnostic.hint
    if code in ("SNN003", "SNN004"):
        assert "/net/" in diagnostic.place


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    maker.node("Sin")
    maker.node("Relu")
    maker.last = "v1"
    maker.node("Cos")
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path, "v3", maker.last))
    assert [d.message for d in caught.value.diagnostics] == [
        "operator Sin is not supported",
        "operator Cos is not supported",
    ]


def test_contradicting_shapes_are_said(tmp_path: Path) -> None:
    """A dense layer for 7 features behind 5: some library notices, and the user hears of it."""
    maker = Maker(5)
    maker.node("Gemm", normal(7, 4))
    maker.node("Relu")
    path = tmp_path / "model.onnx"
    output = helper.make_tensor_value_info(maker.last, TensorProto.FLOAT, ["N", 4])
    given_input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 5])
    graph = helper.make_graph(maker.nodes, "g", [given_input], [output], maker.constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    with pytest.raises(SnnccError) as caught:
        import_model(path)
    assert caught.value.diagnostics[0].code in ("SNN002", "SNN004")


def test_an_invalid_graph_is_said(tmp_path: Path) -> None:
    """A node that reads what nobody writes."""
    maker = Maker(5)
    maker.node("Relu")
    path = maker.save(tmp_path)
    model = onnx.load(path)
    model.graph.node[0].input[0] = "nowhere"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SnnccError) as caught:
        import_model(path)
    assert caught.value.diagnostics[0].code == "SNN002"


def test_dynamic_sizes_are_said(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    maker.shape = ["N", 3, "H", "W"]
    relu_conv(maker)
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path))
    assert caught.value.diagnostics[0].code == "SNN005"
    assert "input 'x' has shape ?×3×?×?" in str(caught.value)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_files_give_a_diagnostic(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bit flips and truncation: a graph, or an SnnccError, never anything else."""
    folder = tmp_path_factory.mktemp("damaged")
    maker = Maker(3, 6, 6)
    relu_conv(maker)
    maker.node("GlobalAveragePool")
    path = maker.save(folder)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(
                st.integers(0, 7)
            )
    path.write_bytes(content)
    with contextlib.suppress(SnnccError):
        import_model(path)


@pytest.mark.parametrize(
    ("name", "op_type", "short"),
    [
        ("/layer1/layer1.0/conv1/Conv", "Conv", "layer1.0.conv1"),
        ("/layer1/layer1.0/Relu_1", "Relu", "layer1.0.Relu_1"),
        ("model/dense;model/relu", "Gemm", "dense"),
        ("Add__8", "Add", "Add__8"),
        ("", "Gemm", "dense"),
        ("/Relu", "Relu", "Relu"),
    ],
)
def test_names_are_short(name: str, op_type: str, short: str) -> None:
    assert readable(name, op_type, "dense") == short


def test_every_operator_has_a_lowering_test() -> None:
    """The table of operators and these tests cannot drift apart."""
    tested = set()
    for make in [*SUPPORTED.values(), *(entry[0] for entry in REFUSED.values())]:
        maker = Maker(3, 9, 8)
        make(maker)
        tested |= {node.op_type for node in maker.nodes}
    elsewhere = {"Flatten", "Gemm", "Reshape", "Cast", "Softmax", "Upsample", *APPROXIMATED}
    elsewhere |= {"ArgMax"} | {name for name in lowerings() if name.startswith("ai.onnx.ml.")}
    elsewhere |= {*quantized.LOWERINGS, *qlinear.LOWERINGS, *qonnx.LOWERINGS}  # test_quantized.py
    elsewhere |= {*trained.LOWERINGS}  # test_trained.py
    # LogSoftmax is Softmax's own function
    assert set(lowerings()) - tested - elsewhere == {"LogSoftmax"}
