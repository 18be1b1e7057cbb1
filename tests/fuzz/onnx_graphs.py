"""Random ONNX models: operators of the front end and others, in forms that are mostly valid."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import onnx
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from snncc_ir import Shape

OPSETS = (9, 11, 13, 17, 18, 21)
Attribute = int | float | str | list[int]
Attributes = dict[str, Attribute]


class Grower:
    """Adds nodes behind values whose shapes onnx infers."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.opset = draw(st.sampled_from(OPSETS))
        self.random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        rank = draw(st.integers(1, 3))
        self.input = (draw(st.integers(1, 4)), *(draw(st.integers(2, 7)) for _ in range(rank - 1)))
        self.batch: str | int = "N" if draw(st.booleans()) else 1
        self.shapes: dict[str, Shape] = {"x": self.input}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    @property
    def value(self) -> str:
        """One of the last values, most often the last."""
        names = list(self.shapes)
        return names[-1] if self.draw(st.integers(0, 3)) else self.draw(st.sampled_from(names[-4:]))

    def whole(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def constant(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def normal(self, *shape: int) -> str:
        return self.constant(self.random.standard_normal(shape).astype(np.float32))

    def whole_numbers(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def add(self, op_type: str, *inputs: str, **attributes: Attribute) -> None:
        self.append(op_type, inputs, 1, attributes)

    def append(
        self, op_type: str, inputs: Sequence[str], results: int, attributes: Attributes
    ) -> None:
        """Adds a node, whose results are values where inference gives them a shape."""
        outputs = [f"v{len(self.nodes)}_{i}" for i in range(results)]
        name = f"/{op_type}{len(self.nodes)}" if self.draw(st.booleans()) else ""
        node = helper.make_node(op_type, inputs, outputs, name)
        node.attribute.extend(helper.make_attribute(key, attributes[key]) for key in attributes)
        self.nodes.append(node)
        try:
            inferred = onnx.shape_inference.infer_shapes(self.model(), data_prop=True)
        except Exception:
            return  # a node that is refused, at the end of what is grown
        for value in inferred.graph.value_info:
            dims = value.type.tensor_type.shape.dim
            shape = tuple(dim.dim_value for dim in dims[1:])
            is_float = value.type.tensor_type.elem_type == TensorProto.FLOAT
            if value.name in outputs and is_float and shape and min(shape) > 0:
                self.shapes[value.name] = shape

    def model(self, *outputs: str) -> onnx.ModelProto:
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [self.batch, *self.input])
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "random", [given], results, self.constants)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )


def conv(g: Grower) -> None:
    value = g.value
    channels, *spatial = g.shapes[value]
    op_type = g.draw(st.sampled_from(["Conv", "Conv", "Conv", "ConvTranspose"]))
    groups = g.draw(st.sampled_from([n for n in (1, 1, 2, channels) if channels % n == 0]))
    kernel = [g.whole(1, 3) for _ in spatial or [1]]
    outputs = groups * g.whole(1, 3)
    lead = (outputs, channels // groups) if op_type == "Conv" else (channels, outputs // groups)
    bias = [g.normal(outputs)] if g.draw(st.booleans()) else []
    weight = g.normal(*lead, *kernel)
    attributes: Attributes = {"group": groups, **window(g, kernel)}
    if op_type == "ConvTranspose":
        attributes.pop("ceil_mode", None)
    g.append(op_type, [value, weight, *bias], 1, attributes)


def window(g: Grower, kernel: list[int]) -> Attributes:
    rank = len(kernel)
    attributes: Attributes = {"strides": [g.whole(1, 3) for _ in range(rank)]}
    match g.whole(0, 4):
        case 0:
            attributes["pads"] = [g.whole(0, 2) for _ in range(2 * rank)]
        case 1:
            attributes["auto_pad"] = g.draw(
                st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
            )
        case 2:
            attributes["dilations"] = [g.whole(1, 2) for _ in range(rank)]
    return attributes


def pool(g: Grower) -> None:
    value = g.value
    kernel = [g.whole(1, 3) for _ in g.shapes[value][1:] or [1]]
    op_type = g.draw(st.sampled_from(["MaxPool", "AveragePool", "LpPool"]))
    attributes: Attributes = {"kernel_shape": kernel, **window(g, kernel)}
    if op_type == "AveragePool":
        attributes["count_include_pad"] = g.whole(0, 1)
    if op_type != "LpPool" and g.opset >= 10:
        attributes["ceil_mode"] = g.whole(0, 1)
    if op_type != "MaxPool" and g.opset < 19:
        attributes.pop("dilations", None)
    g.append(op_type, [value], 1, attributes)


def over_all(g: Grower) -> None:
    g.add(g.draw(st.sampled_from(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])), g.value)


def reduce(g: Grower) -> None:
    value = g.value
    op_type = g.draw(st.sampled_from(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"]))
    rank = len(g.shapes[value])
    axes = g.draw(st.lists(st.integers(-1, rank), min_size=1, max_size=2, unique=True))
    keep = g.whole(0, 1)
    if g.opset >= (13 if op_type == "ReduceSum" else 18):
        g.add(op_type, value, g.whole_numbers(*axes), keepdims=keep)
    else:
        g.add(op_type, value, axes=axes, keepdims=keep)


def dense(g: Grower) -> None:
    value = g.value
    outputs = g.whole(1, 4)
    if g.draw(st.booleans()):
        g.add("MatMul", value, g.normal(g.shapes[value][-1], outputs))
        return
    g.add("Flatten", value)
    size = int(np.prod(g.shapes[value]))
    bias = [g.normal(outputs)] if g.draw(st.booleans()) else []
    weight, turned = g.normal(outputs, size), g.whole(0, 1)
    g.add("Gemm", list(g.shapes)[-1], weight, *bias, transB=turned, alpha=0.5)


def batchnorm(g: Grower) -> None:
    value = g.value
    channels = g.shapes[value][0]
    variance = g.constant(np.square(g.random.standard_normal(channels)).astype(np.float32))
    g.add("BatchNormalization", value, *(g.normal(channels) for _ in range(3)), variance)


ACTIVATIONS = (
    "Relu", "Relu", "Relu", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "HardSigmoid", "Softplus",
    "Abs", "Neg", "Exp", "Identity", "Dropout", "Softmax", "LogSoftmax", "Softsign", "Selu",
)  # fmt: skip


def activation(g: Grower) -> None:
    g.add(g.draw(st.sampled_from(ACTIVATIONS)), g.value)


def slopes(g: Grower) -> None:
    value = g.value
    channels, *spatial = g.shapes[value]
    g.add("PRelu", value, g.normal(channels, *[1] * len(spatial)))


def clip(g: Grower) -> None:
    low, high = sorted(g.draw(st.sampled_from([-1.0, 0.0, 0.5, 6.0])) for _ in range(2))
    if g.opset < 11:
        g.add("Clip", g.value, min=low, max=high)
    else:
        limits = (g.constant(np.array(limit, np.float32)) for limit in (low, high))
        g.add("Clip", g.value, *limits)


def combine(g: Grower) -> None:
    op_type = g.draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum"]))
    value = g.value
    shape = g.shapes[value]
    if g.draw(st.booleans()):
        other = g.value
    else:
        kept = g.whole(0, len(shape))
        other = g.normal(*(size if g.draw(st.booleans()) else 1 for size in shape[kept:]))
    g.add(op_type, *g.draw(st.permutations([value, other])))


def concat(g: Grower) -> None:
    g.add("Concat", g.value, g.value, axis=g.whole(-2, 3))


def split(g: Grower) -> None:
    g.append("Split", [g.value], 2, {"axis": g.whole(-1, 2)})


def slice_(g: Grower) -> None:
    value = g.value
    axis = g.whole(0, len(g.shapes[value]))
    starts, ends = g.whole(-3, 3), g.draw(st.sampled_from([-1, 2, 4, (1 << 31) - 1, -9]))
    if g.opset < 10:
        g.add("Slice", value, starts=[starts], ends=[ends], axes=[axis])
    else:
        step = g.draw(st.sampled_from([1, 1, 2, -1]))
        operands = (g.whole_numbers(n) for n in (starts, ends, axis, step))
        g.add("Slice", value, *operands)


def pad(g: Grower) -> None:
    value = g.value
    rank = len(g.shapes[value]) + 1
    pads = [g.whole(-1, 2) for _ in range(2 * rank)]
    pads[0] = pads[rank] = 0
    mode = g.draw(st.sampled_from(["constant", "constant", "reflect", "edge"]))
    if g.opset < 11:
        g.add("Pad", value, pads=pads, mode=mode)
    else:
        g.add("Pad", value, g.whole_numbers(*pads), mode=mode)


def reshape(g: Grower) -> None:
    value = g.value
    shape = list(g.shapes[value])
    wanted = g.draw(st.permutations(shape))
    if g.draw(st.booleans()):
        wanted = [*wanted[:-2], int(np.prod(wanted[-2:]))]
    first = g.draw(st.sampled_from([0, -1, 1]))
    if first == 0 and wanted and g.draw(st.booleans()):
        wanted[-1] = -1
    g.add("Reshape", value, g.whole_numbers(first, *wanted))


def axes_of_one(g: Grower) -> None:
    op_type = g.draw(st.sampled_from(["Squeeze", "Unsqueeze"]))
    axis = g.whole(-2, 3)
    if g.opset < 13:
        g.add(op_type, g.value, axes=[axis])
    else:
        g.add(op_type, g.value, g.whole_numbers(axis))


def transpose(g: Grower) -> None:
    value = g.value
    rank = len(g.shapes[value]) + 1
    perm = [0, *g.draw(st.permutations(range(1, rank)))]
    g.add("Transpose", value, perm=perm if g.whole(0, 7) else perm[::-1])


def resize(g: Grower) -> None:
    value = g.value
    rank = len(g.shapes[value]) + 1
    scales = [1.0, 1.0, *(g.draw(st.sampled_from([1.0, 2.0, 1.5, 0.5])) for _ in range(rank - 2))]
    factors = g.constant(np.array(scales, np.float32))
    if g.opset < 11:
        g.add("Upsample" if g.opset < 10 else "Resize", value, factors, mode="nearest")
        return
    g.add(
        "Resize", value, g.constant(np.zeros(0, np.float32)), factors,
        mode=g.draw(st.sampled_from(["nearest", "nearest", "linear"])),
        coordinate_transformation_mode=g.draw(
            st.sampled_from(["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"])
        ),
        nearest_mode=g.draw(st.sampled_from(["floor", "ceil", "round_prefer_floor"])),
    )  # fmt: skip


def blocks(g: Grower) -> None:
    g.add(g.draw(st.sampled_from(["DepthToSpace", "SpaceToDepth"])), g.value, blocksize=2)


def grid(g: Grower) -> None:
    scale, zero = g.constant(np.array(0.05, np.float32)), g.draw(st.sampled_from([0, 0, 128]))
    point = f"c{len(g.constants)}"
    g.constants.append(numpy_helper.from_array(np.array(zero, np.uint8), point))
    g.add("QuantizeLinear", g.value, scale, point)
    g.add("DequantizeLinear", g.nodes[-1].output[0], scale, point)


def anything(g: Grower) -> None:
    """Any operator of the standard, most often in a form that makes no sense."""
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas()})
    g.add(g.draw(st.sampled_from(names)), *(g.value for _ in range(g.whole(1, 3))))


LAYERS: tuple[Callable[[Grower], None], ...] = (
    conv, conv, conv, pool, pool, over_all, reduce, dense, batchnorm, activation, activation,
    activation, slopes, clip, combine, combine, concat, split, slice_, pad, reshape, axes_of_one,
    transpose, resize, blocks, grid, anything,
)  # fmt: skip


@st.composite
def models(draw: st.DrawFn) -> onnx.ModelProto:
    """Up to eight layers; the last value is the result, and now and then another one too."""
    grower = Grower(draw)
    for _ in range(draw(st.integers(1, 8))):
        draw(st.sampled_from(LAYERS))(grower)
    outputs = [grower.nodes[-1].output[0]]
    if draw(st.integers(0, 4)) == 0:
        outputs.append(grower.value)
    model = grower.model(*dict.fromkeys(outputs))
    with suppress(Exception):  # of a last node that is refused
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for result in model.graph.output:
        if not result.type.tensor_type.HasField("shape"):  # which a valid model has
            result.type.tensor_type.shape.dim.add().dim_param = "N"
    return model
