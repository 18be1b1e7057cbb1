"""Ways in which a model's file is damaged, or made by somebody who means harm."""

import random
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ABSURD = (0, -1, -2, 1, 2, 7, 100_000, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 62), -(1 << 63))
OPERATORS = tuple(sorted({schema.name for schema in onnx.defs.get_all_schemas()}))
PLACES = ("/etc/hostname", "../../../etc/passwd", "weights.bin", "", "/dev/zero", "a\0b")

Mutation = Callable[[bytes, random.Random], bytes]


def flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_bits_of_the_graph(content: bytes, chance: random.Random) -> bytes:
    """Names, attributes and types rather than weights: those are at the beginning and the end."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(2000, len(changed)))
        changed[chance.choice((place, -place - 1))] = chance.randrange(256)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def repeat(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[max(0, start - chance.randint(1, 200)) :]


def of_graph(change: Callable[[onnx.GraphProto, random.Random], None]) -> Mutation:
    """A mutation of the parsed graph."""

    def mutate(content: bytes, chance: random.Random) -> bytes:
        model = onnx.ModelProto.FromString(content)
        for _ in range(chance.randint(1, 3)):
            change(model.graph, chance)
        result: bytes = model.SerializeToString()
        return result

    return mutate


def sizes(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Of an input, a result or a constant."""
    values = [*graph.input, *graph.output, *graph.value_info, *graph.initializer]
    chosen = chance.choice(values)
    if isinstance(chosen, TensorProto):
        dims = list(chosen.dims) or [1]
        dims[chance.randrange(len(dims))] = chance.choice(ABSURD)
        del chosen.dims[:]
        chosen.dims.extend(dims)
    elif len(chosen.type.tensor_type.shape.dim):
        dim = chance.choice(chosen.type.tensor_type.shape.dim)
        dim.dim_value = chance.choice(ABSURD)


def numbers(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Of an attribute, or of a constant of integers, such as a shape or amounts of padding."""
    shapes = [t for t in graph.initializer if t.data_type == TensorProto.INT64]
    attributes = [a for node in graph.node for a in node.attribute]
    if shapes and (not attributes or chance.random() < 0.5):
        tensor = chance.choice(shapes)
        count = chance.randint(0, 6)
        drawn = np.array([chance.choice(ABSURD) for _ in range(count)], np.int64)
        tensor.CopyFrom(numpy_helper.from_array(drawn, tensor.name))
    elif attributes:
        attribute = chance.choice(attributes)
        if attribute.ints:
            attribute.ints[chance.randrange(len(attribute.ints))] = chance.choice(ABSURD)
        elif attribute.type == onnx.AttributeProto.INT:
            attribute.i = chance.choice(ABSURD)
        elif attribute.type == onnx.AttributeProto.FLOAT:
            attribute.f = chance.choice((0.0, -1.0, 1e38, float("nan"), float("inf")))


def wires(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Any operand is any value: cycles, later results, constants as data, nothing at all."""
    names = [name for node in graph.node for name in node.output]
    names += [value.name for value in (*graph.input, *graph.initializer)] + ["", "nowhere"]
    node = chance.choice(graph.node)
    if node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(names)


def operators(graph: onnx.GraphProto, chance: random.Random) -> None:
    chance.choice(graph.node).op_type = chance.choice(OPERATORS)


def nodes(graph: onnx.GraphProto, chance: random.Random) -> None:
    """One gone, one twice, or two in the wrong order."""
    index = chance.randrange(len(graph.node))
    match chance.randrange(3):
        case 0 if len(graph.node) > 1:
            del graph.node[index]
        case 1:
            graph.node.append(graph.node[index])
        case _:
            moved = onnx.NodeProto.FromString(graph.node[index].SerializeToString())
            del graph.node[index]
            graph.node.append(moved)


def formats(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Of numbers."""
    chosen = chance.choice([*graph.input, *graph.initializer])
    kind = chance.randrange(30)
    if isinstance(chosen, TensorProto):
        chosen.data_type = kind
    else:
        chosen.type.tensor_type.elem_type = kind


def weights(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Not finite, or too large for float32 on their way."""
    floats = [
        t
        for t in graph.initializer
        if t.data_type == TensorProto.FLOAT and t.dims and not t.external_data
    ]
    if floats:
        tensor = chance.choice(floats)
        array = numpy_helper.to_array(tensor).copy()
        if array.size:
            array.flat[chance.randrange(array.size)] = chance.choice((np.nan, np.inf, 3e38, -3e38))
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def external(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Numbers in a file that they should not be in."""
    if not graph.initializer:
        return
    tensor = chance.choice(graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", chance.choice(PLACES)),
        ("offset", str(chance.choice(ABSURD))),
        ("length", str(chance.choice(ABSURD))),
    ):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def endless(graph: onnx.GraphProto, chance: random.Random) -> None:
    """A constant, or a layer, of more numbers than there is memory."""
    size = chance.choice((1 << 20, 1 << 33, 1 << 50))
    operand = chance.choice([value.name for value in graph.input])
    shape = numpy_helper.from_array(np.array([1, size], np.int64), "endless_shape")
    graph.initializer.append(shape)
    op_type, operands = chance.choice(
        (("ConstantOfShape", ["endless_shape"]), ("Expand", [operand, "endless_shape"]),
         ("Tile", [operand, "endless_shape"]), ("Reshape", [operand, "endless_shape"]))
    )  # fmt: skip
    graph.node.insert(0, helper.make_node(op_type, operands, ["endless"]))
    graph.node.append(helper.make_node("Add", [graph.node[-1].output[0], "endless"], ["sum"]))
    graph.output.append(helper.make_tensor_value_info("sum", TensorProto.FLOAT, None))


MUTATIONS: dict[str, Mutation] = {
    "bits": flip_bits,
    "bits of the graph": flip_bits_of_the_graph,
    "cut": cut,
    "repeat": repeat,
    **{
        change.__name__: of_graph(change)
        for change in (
            sizes, numbers, wires, operators, nodes, formats, weights, external, endless,
        )
    },
}  # fmt: skip
