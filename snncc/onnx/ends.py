"""Where a network begins and ends: inputs of the file become inputs of the graph, and outputs."""

from dataclasses import dataclass
from math import prod

import onnx
from onnx import TensorProto

from snncc.onnx.context import LARGEST, Network, Refusal, readable, refuse
from snncc_ir import Diagnostic, Origin, Source
from snncc_ir.ops import Input, Output, Pad, Reshape, Slice, Transpose, View


def add_inputs(proto: onnx.GraphProto, network: Network) -> list[Diagnostic]:
    """Adds inputs, and says which cannot be taken."""
    problems = []
    for given in proto.input:
        if given.name in network.constants:
            continue
        place = f"input '{given.name}'"
        kind = given.type.tensor_type.elem_type
        if kind not in _NUMBERS:
            known = kind in TensorProto.DataType.values()
            found = (
                TensorProto.DataType.Name(TensorProto.DataType.ValueType(kind)) if known else "?"
            )
            problems.append(
                Diagnostic(
                    "SNN005",
                    f"{place} has type {found}, should be a tensor of numbers",
                    place,
                    "cut the model before the first layer that takes numbers",
                )
            )
            continue
        dims = given.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        shape = tuple(size for size in sizes[1:] if size is not None and size > 0)
        if len(sizes) < 2 or len(shape) < len(sizes) - 1 or prod(shape) > LARGEST:
            shown = "×".join("?" if s is None else str(s) for s in sizes) or "unknown"
            problems.append(
                Diagnostic(
                    "SNN005",
                    f"{place} has shape {shown}, should have a batch axis and then fixed sizes",
                    place,
                    "export with fixed sizes; only the batch axis may be dynamic",
                )
            )
            continue
        network.batch = sizes[0]
        name = network.builder.unique(readable(given.name, "", "input"))
        network.builder.add(name, Input(shape), [], Origin((Source("Input", given.name),)))
        network.bind(given.name, name)
    return problems


_NUMBERS = frozenset(
    {
        TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16,
        TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16,
        TensorProto.INT16, TensorProto.UINT32, TensorProto.INT32, TensorProto.UINT64,
        TensorProto.INT64,
    }
)  # fmt: skip


_INTEGERS = frozenset(
    {
        TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16,
        TensorProto.INT4, TensorProto.UINT4,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """The value of the model that an output of the graph stands for.

    It is another than the model's own output where a softmax or a choice of the largest is left
    out. exact: whether it has the same numbers; else the same of them is the largest.
    """

    value: str
    exact: bool = False


def add_outputs(
    proto: onnx.GraphProto, network: Network, needs_neurons: bool
) -> tuple[list[Result], list[Diagnostic]]:
    """Adds outputs; the value of the model that each stands for, and problems."""
    values: dict[str, str] = {}
    problems, results = [], list[Result]()
    for result in proto.output:
        place = f"output '{result.name}'"
        hint = "remove it from the model's outputs"
        try:
            if not network.is_value(result.name):
                refuse(f"{place} does not depend on the input", hint)
            value = network.value(result.name)
            if needs_neurons and _is_given(network, value):
                refuse(f"{place} is nothing but the input, should be of neurons", hint)
            values[result.name] = value
        except Refusal as refusal:
            problems.append(Diagnostic(refusal.code, refusal.message, place, refusal.hint))
    integers = {o.name for o in proto.output if o.type.tensor_type.elem_type in _INTEGERS}
    scores = {value for name, value in values.items() if name not in network.choices}
    for name, value in values.items():
        if name in network.choices and value in scores:
            network.notes.append(
                f"output '{name}' is left out: it says which number of another output is the "
                "largest"
            )
            continue
        scores.add(value)
        same = None if name in integers else network.stands_for.get(name, name)
        results.append(Result(name) if same is None else Result(same, exact=True))
        if name in integers and name not in network.stands_for:
            network.notes.append(
                f"output '{name}' has the numbers that its integers stand for, not these"
            )
        unique = network.builder.unique(readable(name, "", "output"))
        network.builder.add(unique, Output(), [value], Origin((Source("Output", name),)))
    return results, problems


def _is_given(network: Network, value: str) -> bool:
    """Whether a value is the network's input, perhaps in another order."""
    node = network.builder[value]
    while isinstance(node.op, Reshape | Transpose | Slice | Pad | View):
        node = network.builder[node.inputs[0]]
    return isinstance(node.op, Input)
