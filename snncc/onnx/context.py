"""What a lowering function sees: one ONNX node, and the network as far as it is lowered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import onnx
from onnx import helper, numpy_helper

from snncc_ir import Array, Floats, GraphBuilder, Origin, Shape, Source, Type
from snncc_ir.ops import Op

LONGEST_NAME = 48


class Refusal(Exception):
    """A node that cannot be lowered: code, what was found and what is supported, what to try."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def refuse(message: str, hint: str, code: str = "SNN004") -> NoReturn:
    """Ends the lowering of the present node."""
    raise Refusal(code, message, hint)


@dataclass(frozen=True)
class OnnxNode:
    """A node with its attributes as Python values."""

    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, object]

    @staticmethod
    def of(proto: onnx.NodeProto) -> "OnnxNode":
        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        outputs = tuple(proto.output)
        name = proto.name or next((output for output in outputs if output), "")
        return OnnxNode(proto.op_type, proto.domain, name, tuple(proto.input), outputs, attributes)

    @property
    def key(self) -> str:
        """The operator's name, behind its domain where that is not ONNX's own."""
        own = self.domain in ("", "ai.onnx")
        return self.op_type if own else f"{self.domain}.{self.op_type}"

    @property
    def source(self) -> Source:
        return Source(self.op_type, self.name)

    def has_input(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def integer(self, name: str, default: int) -> int:
        value = self.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def number(self, name: str, default: float) -> float:
        value = self.attributes.get(name, default)
        return value if isinstance(value, float) else default

    def integers(self, name: str, default: Sequence[int]) -> tuple[int, ...]:
        value = self.attributes.get(name)
        return tuple(value) if isinstance(value, list) else tuple(default)

    def text(self, name: str, default: str) -> str:
        value = self.attributes.get(name, default)
        return value.decode(errors="replace") if isinstance(value, bytes) else default


class Network:
    """The IR graph under construction, and which ONNX value is which of its values."""

    def __init__(self, name: str, constants: Mapping[str, onnx.TensorProto], opset: int) -> None:
        self.builder = GraphBuilder(name)
        self.opset = opset
        self.batch: int | None = None
        """The model's batch size where it is fixed."""
        self.notes: list[str] = []
        self.final: frozenset[str] = frozenset()
        """ONNX values that are results of the model and read by no node, but for grids."""
        self.bare: frozenset[str] = frozenset()
        """ONNX values that are on a grid of what is left out at the end: the grid is, too."""
        self._constants = dict(constants)
        self._values: dict[str, str] = {}

    def constant(self, name: str) -> Array | None:
        """A constant's numbers; None when the value depends on the input."""
        if name not in self._constants:
            return None
        try:
            return numpy_helper.to_array(self._constants[name])
        except (ValueError, TypeError, KeyError) as error:
            refuse(
                f"the constant '{name}' cannot be read, its data should fill its shape: {error}",
                "export the model again, or copy it again if it was transferred",
                "SNN002",
            )

    def tensor(self, name: str) -> onnx.TensorProto:
        """A constant as it is stored."""
        return self._constants[name]

    def constant_shape(self, name: str) -> Shape | None:
        """A constant's shape, as declared; None when the value depends on the input."""
        return tuple(self._constants[name].dims) if name in self._constants else None

    def floats(self, node: OnnxNode, index: int, what: str) -> Floats:
        """A constant input as float64; refuses the node when it is computed."""
        array = self.constant(node.inputs[index])
        if array is None:
            refuse(
                f"its {what} '{node.inputs[index]}' is computed by the network, should be constant",
                "export with constant weights (do_constant_folding=True, eval mode)",
            )
        numbers = self._numbers(node, index, what, array)
        if not np.isfinite(numbers).all():
            refuse(
                f"its {what} '{node.inputs[index]}' has numbers that are not finite",
                "look whether training diverged; export a sound checkpoint",
            )
        return numbers

    def scalar(self, node: OnnxNode, index: int, what: str) -> float:
        """A constant input of one number, which may be infinite; refuses anything else."""
        array = self.constant(node.inputs[index])
        if array is None or array.size != 1:
            found = "computed by the network" if array is None else f"{array.size} numbers"
            refuse(
                f"its {what} '{node.inputs[index]}' is {found}, should be one constant number",
                "export with one constant number",
            )
        return float(self._numbers(node, index, what, array).item())

    @staticmethod
    def _numbers(node: OnnxNode, index: int, what: str, array: Array) -> Floats:
        if array.dtype.kind not in "biufV":  # V: bfloat16 and other formats of ml_dtypes
            refuse(
                f"its {what} '{node.inputs[index]}' has type {array.dtype}, should have numbers",
                "export it as float32",
            )
        return np.asarray(array, np.float64)

    def integers(self, node: OnnxNode, index: int, what: str) -> tuple[int, ...]:
        """A constant input of integers; refuses the node when it is computed."""
        return tuple(int(number) for number in self.floats(node, index, what).reshape(-1))

    def define_constant(self, name: str, tensor: onnx.TensorProto) -> None:
        self._constants[name] = tensor

    def bind(self, onnx_name: str, value: str) -> None:
        """Says which IR value an ONNX value is."""
        self._values[onnx_name] = value

    def knows(self, onnx_name: str) -> bool:
        return onnx_name in self._values or onnx_name in self._constants

    def is_value(self, onnx_name: str) -> bool:
        """Whether it depends on the input."""
        return onnx_name in self._values

    def value(self, onnx_name: str) -> str:
        """The IR value of an ONNX value; refuses the node when it is a constant."""
        if onnx_name not in self._values:
            refuse(
                f"its operand '{onnx_name}' is a constant, should be a value of the network",
                "swap the operands, or fold the constant before the export",
            )
        return self._values[onnx_name]

    def type(self, onnx_name: str) -> Type:
        return self.builder[self.value(onnx_name)].type

    def shape(self, onnx_name: str) -> Shape:
        """Without the batch axis."""
        return self.type(onnx_name).shape

    def emit(self, node: OnnxNode, op: Op, *inputs: str) -> str:
        """Adds an IR node; `inputs` are IR values. Returns its name."""
        name = self.builder.unique(readable(node.name, node.op_type, op.name))
        self.builder.add(name, op, inputs, Origin((node.source,)))
        return name

    def axis(self, axis: int, shape: Shape) -> int:
        """An ONNX axis as the IR's (without the batch axis); refuses the batch axis."""
        rank = len(shape) + 1
        positive = axis + rank if axis < 0 else axis
        if not 1 <= positive < rank:
            refuse(
                f"its axis is {axis} of a value with {rank} axes, should be 1 to {rank - 1}",
                "keep the batch axis out of it",
            )
        return positive - 1


def readable(name: str, op_type: str, fallback: str) -> str:
    """A short name from an exporter's: '/layer1/layer1.0/conv1/Conv' is 'layer1.0.conv1'."""
    parts = [part for part in name.split("/") if part]
    if parts and parts[-1] == op_type and len(parts) > 1:
        parts.pop()
    kept = [
        part
        for part, following in zip(parts, [*parts[1:], ""], strict=False)
        if not following.startswith(part)
    ]
    short = ".".join(kept)
    if not short or len(short) > LONGEST_NAME or ";" in short:
        return fallback
    return short
