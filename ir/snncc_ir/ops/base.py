"""What every op declares, once: attributes (dataclass fields), type rule, numpy and ONNX meaning.

Printer, parser, checker and evaluators read the declaration; a new op needs no other change than
its class in a file of this folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from snncc_ir.tensors import Array, Floats
from snncc_ir.types import Analog, Current, Shape, Spikes, Type


class TypeRuleError(ValueError):
    """The operands of an op have types that it does not take; the message says what it takes."""


class OnnxWriter(Protocol):
    """Where an op writes its value semantics as ONNX nodes. Tensors carry a leading batch axis."""

    def node(
        self, op_type: str, inputs: Sequence[str], **attributes: int | float | Sequence[int]
    ) -> str:
        """Adds a node of one output; returns the name of that output."""

    def constant(self, array: Array) -> str:
        """Adds a constant; returns its name. float64 is stored as float32."""


Types = tuple[Type, ...]
Values = tuple[Floats, ...]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Op:
    """Base of all ops. Subclasses are frozen dataclasses whose fields are the op's attributes."""

    name: ClassVar[str]
    arity: ClassVar[int | None] = 1
    """Number of operands; None for any number from one on."""

    def output_type(self, operands: Types) -> Type:
        """Type of the result; raises `TypeRuleError` when the operands do not fit."""
        raise NotImplementedError

    def evaluate(self, operands: Values) -> Floats:
        """The op's numbers, with a leading batch axis.

        float64 keeps integers exact below 2^53, whatever the order of summation; spike semantics
        stand on that.
        """
        raise NotImplementedError

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        """Writes the op's value semantics; returns the name of the result."""
        raise NotImplementedError


def operand(operands: Types) -> Type:
    """The only operand."""
    (single,) = operands
    return single


def expect(condition: bool, found: str, expected: str) -> None:
    """Raises `TypeRuleError` unless `condition` holds."""
    if not condition:
        raise TypeRuleError(f"{found}, should be {expected}")


def as_current(shape: Shape) -> Current:
    """The type of every weighted sum."""
    return Current(shape)


def common_kind(operands: Types, shape: Shape) -> Type:
    """Type of operands put side by side: their own when all are equal in kind, else a current."""
    first = operands[0]
    if all(isinstance(other, Analog) for other in operands):
        return Analog(shape)
    if isinstance(first, Spikes) and all(
        isinstance(other, Spikes) and other.code == first.code for other in operands
    ):
        return first.with_shape(shape)
    return Current(shape)


def batched(shape: Shape, fill: float = 0.0) -> Floats:
    """One sample of the given shape."""
    return np.full((1, *shape), fill)
