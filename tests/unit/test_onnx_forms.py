"""The forms of operators, opsets and exporters that the front end has to take."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from snncc.onnx import import_model
from snncc_ir import Graph, ValueRunner, f32, session
from snncc_ir.ops import Conv, Dense, Neuron, Relu
from tests.unit.test_onnx import Maker, agree, conv, ints, normal, relu_conv

NEWEST = min(onnx.defs.onnx_opset_version(), 22)
"""An older onnxruntime may not run what is newer."""


def number(value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(value, np.float32)


def reshape_by(m: Maker, shape: str, data: str) -> None:
    m.last = data
    m.node("Reshape", shape)


def view_of_the_batch(m: Maker) -> None:
    """`x.view(x.size(0), -1)`, as torch.onnx.export writes it with dynamic_axes."""
    relu_conv(m)
    data = m.last
    m.node("Shape")
    m.node("Gather", np.array(0, np.int64), axis=0)
    m.node("Unsqueeze", ints(0))
    shape = m.node("Concat", m.constant(ints(-1)), axis=0)
    reshape_by(m, shape, data)


def reshape_of_the_batch(m: Maker) -> None:
    """`tf.reshape(x, (tf.shape(x)[0], 4, 42))`."""
    relu_conv(m)
    data = m.last
    m.node("Shape")
    m.node("Slice", ints(0), ints(1), ints(0))
    shape = m.node("Concat", m.constant(ints(4, 42)), axis=0)
    reshape_by(m, shape, data)


def computed_weight(m: Maker) -> None:
    m.last = m.constant(normal(4, 3, 3, 3))
    weight = m.node("Identity")
    m.last = "x"
    m.node("Conv", weight)


def split_with_an_unused_part(m: Maker) -> None:
    relu_conv(m)
    m.node("Split", ints(1, 3), axis=1, outputs=["s0", "s1"])
    m.last = "s1"


def channels_last(m: Maker) -> None:
    """Keras: the data comes as N×H×W×C."""
    m.node("Transpose", perm=[0, 3, 1, 2])
    conv(m, inputs=8)
    m.node("Relu")
    m.node("Transpose", perm=[0, 2, 3, 1])


FORMS: dict[str, Callable[[Maker], object]] = {
    "view of the batch": view_of_the_batch,
    "reshape of the batch": reshape_of_the_batch,
    "computed weight": computed_weight,
    "channels last": channels_last,
    "relu by clip without maximum": lambda m: (conv(m), m.node("Clip", number(0))),
    "relu by clip to infinity": lambda m: (
        conv(m),
        m.node("Clip", number(0), number(np.inf)),
    ),
    "relu by clip to the largest float": lambda m: (
        conv(m),
        m.node("Clip", number(0), number(float(np.finfo(np.float32).max))),
    ),
    "cast between floats": lambda m: (
        relu_conv(m),
        m.node("Cast", to=TensorProto.DOUBLE),
        m.node("Cast", to=TensorProto.FLOAT),
    ),
    "dense of one bias": lambda m: (
        m.node("Flatten"),
        m.node("Gemm", normal(216, 4), normal(1)),
    ),
    "dense of a row of bias": lambda m: (
        m.node("Flatten"),
        m.node("Gemm", normal(216, 4), normal(1, 4)),
    ),
    "grouped, dilated, uneven pads": lambda m: (
        relu_conv(m),
        m.node("Conv", normal(6, 2, 3, 2), group=2, dilations=[2, 1], pads=[0, 1, 2, 0]),
    ),
    "maxpool valid with ceil": lambda m: (
        relu_conv(m),
        m.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID", ceil_mode=1),
    ),
    "averagepool same": lambda m: (
        relu_conv(m),
        m.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    ),
    "averagepool same, pads counted": lambda m: (
        relu_conv(m),
        m.node(
            "AveragePool",
            kernel_shape=[3, 3],
            strides=[2, 2],
            auto_pad="SAME_LOWER",
            count_include_pad=1,
        ),
    ),
    "averagepool uneven pads with ceil": lambda m: (
        relu_conv(m),
        m.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=1),
    ),
    "split with an unused part": split_with_an_unused_part,
    "squeeze of all": lambda m: (
        relu_conv(m),
        m.node("GlobalAveragePool"),
        m.node("Squeeze", ints(-1, 2)),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str, tmp_path: Path) -> None:
    """Each behind an input of 3×9×8, before a ReLU."""
    maker = Maker(3, 9, 8)
    FORMS[name](maker)
    maker.node("Relu")
    agree(maker.save(tmp_path))


@pytest.mark.parametrize(("make", "count"), [(view_of_the_batch, 1), (relu_conv, 0)])
def test_a_batch_size_taken_as_one_is_said(
    make: Callable[[Maker], object], count: int, tmp_path: Path
) -> None:
    maker = Maker(3, 9, 8)
    make(maker)
    maker.node("Relu")
    notes = import_model(maker.save(tmp_path)).notes
    assert [note for note in notes if "reads its own batch size" in note] == list(notes)
    assert len(notes) == count


def attributes_of_old(m: Maker, opset: int) -> None:
    """The operators whose attributes became inputs, in the form of the opset."""
    conv(m, pads=[1, 1, 1, 1])
    m.node("BatchNormalization", normal(4), normal(4), normal(4), np.square(normal(4)) + number(1))
    if opset < 11:
        m.node("Clip", min=0.0, max=6.0)
        m.node("Pad", pads=[0, 0, 1, 0, 0, 0, 0, 2])
    else:
        m.node("Clip", number(0), number(6))
        m.node("Pad", ints(0, 0, 1, 0, 0, 0, 0, 2))
    if opset < 10:
        m.node("Slice", starts=[1], ends=[-1], axes=[2])
    else:
        m.node("Slice", ints(1), ints(-1), ints(2))
    if opset < 13:
        m.node("Unsqueeze", axes=[1])
        m.node("Squeeze", axes=[1])
        m.node("Split", axis=1, split=[1, 3], outputs=["s0", "s1"])
    else:
        m.node("Unsqueeze", ints(1))
        m.node("Squeeze", ints(1))
        m.node("Split", ints(1, 3), axis=1, outputs=["s0", "s1"])
    m.node("Concat", "s1", axis=1)
    if opset < 12:
        m.node("Dropout", ratio=0.5)
    else:
        m.node("Dropout", number(0.5))
    m.node("AveragePool", kernel_shape=[2, 2])
    if opset < 18:
        m.node("ReduceMean", axes=[2, 3], keepdims=0)
    else:
        m.node("ReduceMean", ints(2, 3), keepdims=0)
    m.node("Gemm", normal(4, 5), normal(5))
    m.node("Relu")


@pytest.mark.parametrize("opset", range(9, NEWEST + 1))
def test_opset(opset: int, tmp_path: Path) -> None:
    maker = Maker(3, 9, 8, opset=opset)
    attributes_of_old(maker, opset)
    agree(maker.save(tmp_path))


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("size", [5, 6, 7, 8])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (1, 3), (2, 2), (3, 2), (2, 3)])
def test_same_padding(auto_pad: str, size: int, kernel: int, stride: int, tmp_path: Path) -> None:
    maker = Maker(3, size)
    weight = normal(2, 3, kernel)
    maker.node("Conv", weight, auto_pad=auto_pad, strides=[stride])
    maker.node("Relu")
    agree(maker.save(tmp_path))


def test_equal_split_by_number(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8, opset=18)
    relu_conv(maker)
    maker.node("Split", axis=2, num_outputs=2, outputs=["s0", "s1"])
    maker.last = "s1"
    maker.node("Relu")
    agree(maker.save(tmp_path))


def test_axes_of_opset_9_softmax(tmp_path: Path) -> None:
    """Before opset 13 the axis is 1 unless it is said; the outputs are the logits."""
    maker = Maker(5, opset=9)
    maker.node("Gemm", normal(5, 7), normal(7))
    logits = maker.node("Relu")
    maker.node("Softmax")
    path = maker.save(tmp_path)
    imported = import_model(path)
    assert len(imported.notes) == 1
    x = normal(3, 5)
    model = onnx.load(path)
    model.graph.output[0].name = logits
    del model.graph.node[-1]
    (expected,) = session(model.SerializeToString()).run(None, {"x": x})
    (found,) = ValueRunner(imported.graph).run({"x": x}).values()
    np.testing.assert_allclose(found.astype(np.float32), expected, rtol=1e-5, atol=1e-6)


def test_two_inputs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["a"], ["ra"]),
        helper.make_node("Relu", ["b"], ["rb"]),
        helper.make_node("Add", ["ra", "rb"], ["y"], "sum"),
    ]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "ab"]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    proto = helper.make_graph(nodes, "g", given, [result])
    path = tmp_path / "model.onnx"
    onnx.save(
        helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    graph = import_model(path).graph
    samples = {"a": normal(3, 4), "b": normal(3, 4)}
    (found,) = ValueRunner(graph).run(samples).values()
    (expected,) = session(str(path)).run(None, samples)
    np.testing.assert_allclose(found.astype(np.float32), expected, rtol=1e-6)


def test_batchnorm_is_not_folded_and_names_survive(tmp_path: Path) -> None:
    """Folding it is a pass of its own, which is seen and measured."""
    maker = Maker(3, 9, 8)
    conv(maker)
    maker.node("BatchNormalization", normal(4), normal(4), normal(4), np.square(normal(4)))
    maker.node("Relu")
    graph = import_model(maker.save(tmp_path)).graph
    assert [node.op.name for node in graph] == ["input", "conv", "affine", "neuron", "output"]
    assert [str(node.origin) for node in graph][1:4] == [
        "Conv '/net/conv0/Conv'",
        "BatchNormalization '/net/batchnormalization1/BatchNormalization'",
        "Relu '/net/relu2/Relu'",
    ]


def test_an_infinite_maximum_is_no_ceiling(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    conv(maker)
    maker.node("Clip", number(0), number(np.inf))
    graph = import_model(maker.save(tmp_path)).graph
    (model,) = [node.op.model for node in graph if isinstance(node.op, Neuron)]
    assert model == Relu(None)


def test_a_relu_with_a_largest_value_is_one_population(tmp_path: Path) -> None:
    """As tf2onnx writes it; a minimum that differs, and one of what others read, are as exact."""
    maker = Maker(3, 9, 8)
    plain = relu_conv(maker)
    maker.node("Min", number(0.5))
    clipped = maker.node("Max", number(0))
    maker.node("Min", np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]]], np.float32))
    maker.node("Add", clipped)
    maker.node("Add", plain)
    made = [node for node in agree(maker.save(tmp_path)) if isinstance(node.op, Neuron)]
    models = [node.op.model for node in made if isinstance(node.op, Neuron)]
    assert models == [Relu(), Relu(f32(0.5)), Relu()]
    assert [source.op_type for source in made[1].origin.sources] == ["Relu", "Min"]


MODELS = (
    "lenet_mnist",
    "lenet_mnist_bn",
    "mlperf_tiny_ad01",
    "mlperf_tiny_resnet8",
    "resnet20_cifar10",
    "resnet20_cifar10_bn",
)
"""Pretrained networks beside the project."""


@pytest.mark.parametrize("name", MODELS)
def test_pretrained_network(name: str, shared_models: Path) -> None:
    path = shared_models / f"{name}.onnx"
    imported = import_model(path)
    written = [node.op_type for node in onnx.load(path).graph.node]
    assert _count(imported.graph, Conv) == written.count("Conv")
    assert _count(imported.graph, Dense) == written.count("Gemm") + written.count("MatMul")
    running = session(str(path))
    (given,) = imported.graph.inputs
    count = running.get_inputs()[0].shape[0]
    x = normal(count if isinstance(count, int) else 4, *given.type.shape)
    expected = running.run(None, {running.get_inputs()[0].name: x})[0]
    (found,) = ValueRunner(imported.graph).run({given.name: x}).values()
    numbers = found.astype(np.float64)
    if imported.notes:
        shifted = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
        numbers = shifted / shifted.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(numbers, expected, rtol=1e-4, atol=1e-4)


def _count(graph: Graph, op: type[Conv] | type[Dense]) -> int:
    return sum(isinstance(node.op, op) for node in graph)
