"""Constant tensors of a graph: read-only, compared by their bytes, identified by their content."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FORMATS: dict[str, np.dtype[np.generic]] = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i8": np.dtype(np.int8),
    "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
}
"""Number formats by their names in the text form."""

_NAMES = {dtype: name for name, dtype in FORMATS.items()}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A read-only constant; equal to another in format, shape and bytes (so -0.0 is not 0.0)."""

    array: Array

    def __post_init__(self) -> None:
        if self.array.dtype not in _NAMES:
            raise ValueError(
                f"tensor format is {self.array.dtype}, should be one of {', '.join(FORMATS)}"
            )
        given = np.asarray(self.array)  # numpy gives a number where a result has no axes
        writable = given.flags.writeable or not given.flags.c_contiguous
        array = given.copy(order="C") if writable else given
        array.flags.writeable = False
        object.__setattr__(self, "array", array)

    @property
    def format(self) -> str:
        """Name of the number format, such as `f32` or `i16`."""
        return _NAMES[self.array.dtype]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def bits(self) -> int:
        """Of one number, as it has to be stored."""
        return 8 * self.array.dtype.itemsize

    @cached_property
    def digest(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of format, shape and little-endian bytes."""
        content = np.ascontiguousarray(self.array, self.array.dtype.newbyteorder("<"))
        return sha256(f"{self.format}{self.shape}".encode() + content.tobytes()).hexdigest()[:16]

    @property
    def floats(self) -> Floats:
        """The values in float64."""
        return self.array.astype(np.float64)

    @property
    def integers(self) -> Integers:
        """The values in int64; the tensor has to hold integers."""
        if self.array.dtype.kind != "i":
            raise TypeError(f"tensor format is {self.format}, should be an integer format")
        return self.array.astype(np.int64)

    @cached_property
    def is_finite(self) -> bool:
        """Whether no element is infinite or not a number."""
        if self.array.dtype.kind != "f" or self.array.size == 0:
            return True
        # a NaN is the least and the largest of all, so that no array of truths is needed
        return bool(np.isfinite(self.array.min()) and np.isfinite(self.array.max()))

    @property
    def is_splat(self) -> bool:
        """Whether all elements are the same, byte for byte (and there is at least one)."""
        flat = self.array.reshape(-1)
        return flat.size > 0 and flat.tobytes() == flat[:1].tobytes() * flat.size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.array is other.array or (
            (self.array.dtype, self.shape) == (other.array.dtype, other.shape)
            and self.array.tobytes() == other.array.tobytes()
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Tensor({self.format}<{'x'.join(map(str, self.shape))}>#{self.digest})"


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
class Binary(Composed):
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
        outputs, *inputs = self.signs.shape
        ones = (1,) * len(inputs)
        if self.alpha.shape not in ((outputs, *ones), (1, *ones)):
            raise ValueError(
                f"alpha has shape {list(self.alpha.shape)}, should be {[outputs, *ones]} or "
                f"{[1, *ones]}"
            )
        if not bool(np.all(self.alpha.floats >= 0)):
            raise ValueError("alpha is negative, should be at least 0")
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


COMPOSED: dict[str, type[Composed]] = {kind.name: kind for kind in (Log2, Binary)}
"""Formats of several tensors by their names in the text form."""


def f32(values: Array | Sequence[float] | float) -> Tensor:
    """A float32 tensor of the given values."""
    return Tensor(np.asarray(values, np.float32))


UNIT = f32(1.0)


def i32(values: Array | Sequence[int] | int) -> Tensor:
    """An int32 tensor of the given values, which have to fit."""
    return _exact(values, np.dtype(np.int32))


def i8(values: Array | Sequence[int] | int) -> Tensor:
    """An int8 tensor of the given values, which have to fit."""
    return _exact(values, np.dtype(np.int8))


def i16(values: Array | Sequence[int] | int) -> Tensor:
    """An int16 tensor of the given values, which have to fit."""
    return _exact(values, np.dtype(np.int16))


def _exact(values: Array | Sequence[int] | int, dtype: np.dtype[np.generic]) -> Tensor:
    given = np.asarray(values)
    array = given.astype(dtype)
    if not np.array_equal(array, given):
        raise OverflowError(f"values do not fit {dtype}")
    return Tensor(array)
