"""What a lowering function sees: one ONNX node, and the network as far as it is lowered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import onnx
from onnx import helper

from snncc.onnx.constants import Constants
from snncc.onnx.domains import STANDARD
from snncc.onnx.exporters import written
from snncc.onnx.refusal import Refusal as Refusal
from snncc.onnx.refusal import refuse as refuse
from snncc_ir import Array, Floats, GraphBuilder, Origin, Shape, Source, Tensor, Type, f32
from snncc_ir.ops import Op, Quantize

LONGEST_NAME = 48
LARGEST = 1 << 25
"""Numbers in one value of a sample; a damaged file may ask for any."""
Curve = Callable[[Floats], Floats]
"""A function of numbers, one by one."""


@dataclass(frozen=True)
class OnnxNode:
    """A node with its attributes as Python values."""

    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, object]
    scope: str = ""
    """The module that it was written in, such as `layer1.0.conv1`, where the exporter says so."""
    line: str = ""
    """The line of the user's program that made it, where the exporter says so."""

    @staticmethod
    def of(proto: onnx.NodeProto) -> "OnnxNode":
        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        outputs = tuple(proto.output)
        name = proto.name or next((output for output in outputs if output), "")
        scope, line = written(proto)
        return OnnxNode(
            proto.op_type, proto.domain, name, tuple(proto.input), outputs, attributes, scope, line
        )

    @property
    def source(self) -> Source:
        return Source(self.op_type, self.name)

    @property
    def operator(self) -> str:
        """Its key in the tables of lowerings: with the domain, where that is not ONNX's own."""
        return self.op_type if self.domain in STANDARD else f"{self.domain}.{self.op_type}"

    @property
    def wish(self) -> str:
        """What IR nodes that it becomes are to be called."""
        return self.scope or self.name

    @property
    def written(self) -> str:
        """Where in the user's program it was written, for people."""
        scope = f", in {self.scope}" if self.scope else ""
        return f"{scope}, {self.line}" if self.line else scope

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

    def __init__(self, name: str, constants: Constants, batch: int | None = None) -> None:
        self.builder = GraphBuilder(name)
        self.constants = constants
        self.opset = constants.opset
        self.batch = batch
        """The model's batch size where it is fixed."""
        self.approximate = False
        """Whether activations that are no sums of ReLUs may become such by approximation."""
        self.curves: dict[str, tuple[str, Curve]] = {}
        """ONNX values that are functions of another one, number by number: of which, and which."""
        self.notes: list[str] = []
        self.final: frozenset[str] = frozenset()
        """ONNX values behind which nothing is computed but which class is the largest."""
        self.choices: set[str] = set()
        """ONNX values that say which number of the IR value is the largest."""
        self.stands_for: dict[str, str | None] = {}
        """Where something is left out: the ONNX value that has the IR value's numbers, if any."""
        self.grids: dict[str, Quantize] = {}
        """IR values whose integers are clipped: their grid before, which says what 0 stands for."""
        self.trained: dict[str, dict[str, int | float | str]] = {}
        """By coding, settings that the network was trained for."""
        self.sigmoids: set[str] = set()
        """ONNX values that are sigmoids, left out, of their IR values."""
        self._values: dict[str, str] = {}
        self._deferred: dict[str, tuple[Shape, Callable[[], str]]] = {}

    def constant(self, name: str) -> Array | None:
        """A constant's numbers; None when the value depends on the input."""
        return self.constants.array(name) if name in self.constants else None

    def constant_shape(self, name: str) -> Shape | None:
        """A constant's shape; None when the value depends on the input, or it is not known yet."""
        return self.constants.shape(name) if name in self.constants else None

    def weight(self, node: OnnxNode, index: int, what: str) -> Tensor:
        """A constant input as float32, without a copy where it is that; refuses others."""
        array = self._given(node, index, what)
        if array.dtype != np.float32:
            return f32(self.floats(node, index, what))
        weight = Tensor(array)
        if not weight.is_finite:
            self._refuse_infinite(node, index, what)
        return weight

    def floats(self, node: OnnxNode, index: int, what: str) -> Floats:
        """A constant input as float64; refuses the node when it is computed."""
        numbers = self._numbers(node, index, what, self._given(node, index, what))
        if not np.isfinite(numbers).all():
            self._refuse_infinite(node, index, what)
        return numbers

    def _given(self, node: OnnxNode, index: int, what: str) -> Array:
        array = self.constant(node.inputs[index])
        if array is None:
            refuse(
                f"its {what} '{node.inputs[index]}' is computed by the network, should be constant",
                "export with constant weights: eval mode, do_constant_folding=True, and without "
                "weight normalization or other parametrizations",
            )
        return array

    @staticmethod
    def _refuse_infinite(node: OnnxNode, index: int, what: str) -> NoReturn:
        refuse(
            f"its {what} '{node.inputs[index]}' has numbers that are not finite, should have none",
            "look whether training diverged; export a sound checkpoint",
        )

    def scalar(self, node: OnnxNode, index: int, what: str) -> float:
        """A constant input of one number, which may be infinite; refuses anything else."""
        array = self.constant(node.inputs[index])
        if array is None or array.size != 1:
            found = "computed by the network" if array is None else f"{array.size} numbers"
            refuse(
                f"its {what} '{node.inputs[index]}' is {found}, should be one constant number",
                "write the number into the layer, such as x.clamp(0, 6), and do not compute it",
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

    def define_constant(self, name: str, value: onnx.TensorProto | Array) -> None:
        """Says that an ONNX value is a constant."""
        self.constants.define(name, value)

    def bind(self, onnx_name: str, value: str) -> None:
        """Says which IR value an ONNX value is."""
        self._values[onnx_name] = value

    def defer(self, onnx_name: str, shape: Shape, make: Callable[[], str]) -> None:
        """Says how an ONNX value of N×`shape` is made, if anything should read it."""
        self._deferred[onnx_name] = (shape, make)

    def is_deferred(self, onnx_name: str) -> bool:
        """Whether nothing has read it so far."""
        return onnx_name in self._deferred and onnx_name not in self._values

    def knows(self, onnx_name: str) -> bool:
        return self.is_value(onnx_name) or onnx_name in self.constants

    def is_value(self, onnx_name: str) -> bool:
        """Whether it depends on the input."""
        return onnx_name in self._values or onnx_name in self._deferred

    def value(self, onnx_name: str) -> str:
        """The IR value of an ONNX value; refuses the node when it is a constant."""
        if self.is_deferred(onnx_name):
            self._values[onnx_name] = self._deferred[onnx_name][1]()
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
        if self.is_deferred(onnx_name):
            return self._deferred[onnx_name][0]
        return self.type(onnx_name).shape

    def emit(self, node: OnnxNode, op: Op, *inputs: str, instead: str = "") -> str:
        """Adds an IR node; `inputs` are IR values. Returns its name.

        instead: an IR value whose work it does, too.
        """
        name = self.builder.unique(readable(node.wish, node.op_type, op.name))
        origin = Origin((node.source,))
        if instead:
            origin = self.builder[instead].origin.joined([origin], "import")
        made = self.builder.add(name, op, inputs, origin)
        if made.type.size > LARGEST:
            refuse(
                f"its result would have {made.type.size} numbers, should be {LARGEST} at most",
                "look at its sizes; a smaller input makes all layers smaller",
            )
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
