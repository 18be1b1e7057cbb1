"""Weights in formats of several tensors: `log2`, `binary`, `linear`."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from typing import ClassVar

import numpy as np

from snncc_ir.tensors import Array, Floats, Integers, Tensor, f32, i8, small


class Composed(Tensor):
    """Weights in a format of several tensors, of which `array` has the numbers.

    Its fields are written as those of an op: `log2{codes=…, exponent=…}`.
    """

    name: ClassVar[str]

    @property
    def format(self) -> str:
        return self.name

    @cached_property
    def digest(self) -> str:
        parts = (p.digest if isinstance(p, Tensor) else str(p) for p in self._parts)
        return sha256("".join((self.name, *parts)).encode()).hexdigest()[:16]

    @property
    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, field.name) for field in fields(self) if field.init)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Composed) and type(other) is type(self)
        ) and other._parts == self._parts

    __hash__ = Tensor.__hash__


class Factored(Composed):
    """Weights (O, …) as integers, and one positive factor for each output channel, or for all."""

    def times(self, factors: Floats) -> "Factored":
        """Each output channel times its factor, (O), none of them negative, in f32."""
        raise NotImplementedError

    def negated(self) -> "Factored":
        """−w, with the same factors."""
        raise NotImplementedError


def _expect_factor(what: str, factor: Tensor, shape: tuple[int, ...]) -> None:
    outputs, *inputs = shape
    ones = (1,) * len(inputs)
    if factor.shape not in ((outputs, *ones), (1, *ones)):
        raise ValueError(
            f"{what} has shape {list(factor.shape)}, should be {[outputs, *ones]} or {[1, *ones]}"
        )
    if not bool(np.all(factor.floats >= 0)):
        raise ValueError(f"{what} is negative, should be at least 0")


RESOLUTIONS = (1, 2, 4)


@dataclass(frozen=True, eq=False, repr=False)
class Log2(Composed):
    """Weights that are powers of 2^(1/resolution): a sign and an exponent each.

    codes: i8; 0 is weight zero, ±(q + 1) is ±2^((exponent − q) / resolution) with q ≥ 0.
    exponent: i16, broadcastable to the codes without enlarging them: one for all, or one for each
    output channel. `array` has the weights in float64.
    """

    array: Array = field(init=False)
    codes: Tensor
    exponent: Tensor
    resolution: int = 2
    name: ClassVar[str] = "log2"

    def __post_init__(self) -> None:
        if self.codes.format != "i8" or self.exponent.format != "i16":
            raise ValueError(
                f"formats are {self.codes.format} and {self.exponent.format}, should be i8 and i16"
            )
        if self.resolution not in RESOLUTIONS:
            raise ValueError(f"resolution is {self.resolution}, should be 1, 2 or 4")
        if np.broadcast_shapes(self.codes.shape, self.exponent.shape) != self.codes.shape:
            raise ValueError(
                f"exponent has shape {list(self.exponent.shape)}, should be broadcastable to "
                f"{list(self.codes.shape)}"
            )
        magnitude = np.exp2((self.exponent.floats - self.steps) / self.resolution)
        object.__setattr__(self, "array", np.sign(self.codes.floats) * magnitude)
        super().__post_init__()

    @property
    def bits(self) -> int:
        """Of a code: a sign, and as many as the codes in use need."""
        return 1 + int(np.abs(self.codes.integers).max(initial=0)).bit_length()

    @property
    def steps(self) -> Integers:
        """The exponent codes q, in steps of 1/resolution octave; −1 for weight zero."""
        return np.abs(self.codes.integers) - 1


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Factored):
    """Weights ±alpha: a sign each, and one factor for each output channel, or for all.

    signs: i8, 1 or −1. alpha: f32 or i16, not negative, (O, 1, …) or (1, 1, …) for signs (O, …).
    `array` has the weights in the format of alpha. Packing signs to bits is a backend's business.
    """

    array: Array = field(init=False)
    signs: Tensor
    alpha: Tensor
    name: ClassVar[str] = "binary"

    def __post_init__(self) -> None:
        if self.signs.format != "i8" or self.alpha.format not in ("f32", "i16"):
            raise ValueError(
                f"formats are {self.signs.format} and {self.alpha.format}, should be i8, and f32 "
                "or i16"
            )
        if not bool(np.all(np.abs(self.signs.integers) == 1)):
            raise ValueError("a sign is neither 1 nor -1")
        if not self.signs.shape:
            raise ValueError("the signs are one number, should have a dimension at least")
        _expect_factor("alpha", self.alpha, self.signs.shape)
        array = (self.signs.floats * self.alpha.floats).astype(self.alpha.array.dtype)
        object.__setattr__(self, "array", array)
        super().__post_init__()

    @property
    def bits(self) -> int:
        return 1

    def times(self, factors: Floats) -> "Binary":
        """Each output channel times its factor, (O), none of them negative; alpha is f32."""
        column = factors.reshape(-1, *[1] * (len(self.signs.shape) - 1))
        return Binary(self.signs, f32(self.alpha.floats * column))

    def negated(self) -> "Binary":
        return Binary(i8(-self.signs.integers), self.alpha)


LARGEST_CODE = 255
"""Of linear weights: bytes, signed or not, less a zero point."""


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Factored):
    """Weights codes · step: small integers, and one step for each output channel, or for all.

    codes: i8, or i16 where one does not fit a byte, of magnitude 255 at most. step: f32 or i16, not
    negative, (O, 1, …) or (1, 1, …) for codes (O, …). `array` has the weights: in f32, or for an
    integer step in i8 or i16, whichever holds them.
    """

    array: Array = field(init=False)
    codes: Tensor
    step: Tensor
    name: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        if self.codes.format not in ("i8", "i16") or self.step.format not in ("f32", "i16"):
            raise ValueError(
                f"formats are {self.codes.format} and {self.step.format}, should be i8 or i16, and "
                "f32 or i16"
            )
        if not self.codes.shape:
            raise ValueError("the codes are one number, should have a dimension at least")
        largest = int(np.abs(self.codes.integers).max(initial=0))
        if largest > LARGEST_CODE:
            raise ValueError(f"a code is {largest}, should be at most {LARGEST_CODE}")
        _expect_factor("step", self.step, self.codes.shape)
        array: Array = self.codes.floats * self.step.floats
        if self.step.format == "f32":
            array = array.astype(np.float32)
        else:
            most = int(np.abs(array).max(initial=0))
            if most > np.iinfo(np.int16).max:
                raise ValueError(f"a weight is {most}, should be at most {np.iinfo(np.int16).max}")
            array = array.astype(np.int8 if most <= np.iinfo(np.int8).max else np.int16)
        object.__setattr__(self, "array", array)
        super().__post_init__()

    @property
    def bits(self) -> int:
        return 8 * self.array.dtype.itemsize

    def times(self, factors: Floats) -> "Linear":
        """Each output channel times its factor, (O), none of them negative; step is f32."""
        column = factors.reshape(-1, *[1] * (len(self.codes.shape) - 1))
        return Linear(self.codes, f32(self.step.floats * column))

    def negated(self) -> "Linear":
        return Linear(small(-self.codes.integers), self.step)


COMPOSED: dict[str, type[Composed]] = {kind.name: kind for kind in (Log2, Binary, Linear)}
"""Formats of several tensors by their names in the text form."""
