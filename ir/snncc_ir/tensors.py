"""Constant tensors of a graph: read-only, compared by their bytes, identified by their content."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

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


def small(values: Array | Sequence[int]) -> Tensor:
    """An int8 tensor of the given values where they fit, else an int16 one."""
    given = np.asarray(values)
    fits = given.size == 0 or (given.min() >= -128 and given.max() <= 127)
    return i8(given) if fits else i16(given)


def _exact(values: Array | Sequence[int] | int, dtype: np.dtype[np.generic]) -> Tensor:
    given = np.asarray(values)
    array = given.astype(dtype)
    if not np.array_equal(array, given):
        raise OverflowError(f"values do not fit {dtype}")
    return Tensor(array)
