"""From the numbers of a data file to those that the network takes: x = (data · scale − mean) / std.

Recorded in the manifest, applied alike by `run`, `verify` and the generated C.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snncc_backends.event_window import EventWindow
from snncc_ir import Array, Floats, Shape, fail

LAYOUTS = ("model", "nhwc")


@dataclass(frozen=True)
class Preprocessing:
    """scale: what data are multiplied by. mean and std: none, one, or one per channel (the
    network's first axis, or last for `nhwc`).

    events: how events become an input; `scale` then says what one is worth. None for numbers.
    layout: `model` when the data has the network's axes; `nhwc` when its channels come last and the
    network's come first.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    layout: str = "model"
    events: EventWindow | None = None

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise fail(
                "SNN030",
                f"layout is '{self.layout}', should be {' or '.join(LAYOUTS)}",
                hint="--layout nhwc for data whose channels come last; else leave it out",
            )
        if not np.isfinite([self.scale, *self.mean, *self.std]).all():
            raise fail(
                "SNN030",
                "scale, mean or std is not finite, should be a number",
                hint="--scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
            )
        if any(value == 0 for value in self.std) or self.scale == 0:
            raise fail(
                "SNN030",
                "scale or std is 0, should be another number",
                hint="leave it out where the network takes the data as it is",
            )

        if self.events is not None and self.events.streams:
            self._check_stream()

    def _check_stream(self) -> None:
        """Raises SNN034 for what would make something of no event."""
        if self.mean or self.std or self.layout != "model" or self.scale < 0:
            raise fail(
                "SNN034",
                "mean, std, layout or a negative scale is given with a stream of events, should be "
                "a scale alone, as an event is worth one number and none is worth 0",
                hint="--scale with what one event is worth; --events input=frame for the rest",
            )

    @property
    def is_identity(self) -> bool:
        """Whether the network takes the data as they are."""
        return replace(self, events=None) == Preprocessing()

    def as_json(self) -> dict[str, object]:
        """As it stands in the manifest."""
        numbers = asdict(replace(self, events=None))
        del numbers["events"]
        return numbers if self.events is None else {**numbers, "events": self.events.as_json()}

    @staticmethod
    def from_json(value: Mapping[str, object]) -> "Preprocessing":
        """Of a manifest; raises SNN051 when it does not fit."""
        match value:
            case {
                "scale": int() | float() as scale,
                "mean": list() as mean,
                "std": list() as std,
                "layout": str() as layout,
            } if all(isinstance(number, int | float) for number in (*mean, *std)):
                events = value.get("events")
                return Preprocessing(
                    float(scale),
                    tuple(map(float, mean)),
                    tuple(map(float, std)),
                    layout,
                    None if events is None else EventWindow.from_json(events),
                )
        raise fail(
            "SNN051",
            f"the preprocessing is {dict(value)}, should have scale, mean, std and layout",
            "manifest.json",
            "compile the network anew",
        )

    def coefficients(self, shape: Shape) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(gain, offset), broadcastable to `shape`, so that x = float32(data · gain + offset).

        Several numbers belong to the network's first axis, or to its last where only that has as
        many places (a network that takes channels last). Raises SNN030 when they fit neither.
        """
        gain, offset = np.full((1,) * len(shape), self.scale), np.zeros((1,) * len(shape))
        if self.std:
            gain = gain / self._spread("std", self.std, shape)
        if self.mean:
            std = self._spread("std", self.std or (1.0,), shape)
            offset = offset - self._spread("mean", self.mean, shape) / std
        return gain.astype(np.float32), offset.astype(np.float32)

    def per_first_axis(self, shape: Shape) -> bool:
        """Whether numbers differ along the first axis of the network's input at most."""
        return all(array.size in (1, shape[0]) and array.size == array.shape[0]
                   for array in self.coefficients(shape))  # fmt: skip

    def _spread(self, what: str, numbers: tuple[float, ...], shape: Shape) -> Floats:
        for axis in (0, len(shape) - 1):
            if len(numbers) in (1, shape[axis]):
                spread = [1] * len(shape)
                spread[axis] = len(numbers)
                return np.array(numbers).reshape(spread)
        raise fail(
            "SNN030",
            f"{what} has {len(numbers)} numbers, should have 1, or one for each channel of the "
            f"network's input {list(shape)}",
            hint=f"--{what} with {shape[0]} numbers, or with one for all channels",
        )

    def apply(self, data: Array, shape: Shape) -> NDArray[np.float32]:
        """Data (N, …) as the network takes it, (N, *shape) float32.

        Axes of length one may be missing (28×28 for 1×28×28). Raises SNN030 for data that does not
        fit.
        """
        if data.dtype.kind not in "uif":
            raise fail(
                "SNN030",
                f"the data has type {data.dtype}, should be numbers",
                hint="uint8 or float32, such as x.astype(np.float32)",
            )
        wanted = (*shape[1:], shape[0]) if self.layout == "nhwc" else shape
        if _squeezed(data.shape[1:]) != _squeezed(wanted):
            raise self._mismatch(data.shape, shape, wanted)
        x = data.reshape(len(data), *wanted)
        if self.layout == "nhwc":
            x = np.moveaxis(x, -1, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
            result = x.astype(np.float32)
            if not self.is_identity:
                gain, offset = self.coefficients(shape)
                result = result * gain + offset
        if not np.isfinite(result).all():
            raise fail(
                "SNN030",
                "the data has numbers that are not finite, should have none",
                hint="leave such samples out: x[np.isfinite(x).reshape(len(x), -1).all(1)]",
            )
        return np.ascontiguousarray(result, dtype=np.float32)

    def _mismatch(self, found: Shape, shape: Shape, wanted: Shape) -> Exception:
        hint = "give samples of the network's shape, the first axis counting samples"
        if self.layout == "model" and len(found) == len(shape) + 1:
            if tuple(found[1:]) == (*shape[1:], shape[0]):
                hint = "--layout nhwc, as the channels come last here"
        if self.layout == "nhwc" and tuple(found[1:]) == shape:
            hint = "leave --layout nhwc out, as the data has the network's axes already"
        return fail(
            "SNN030",
            f"samples have shape {list(found[1:])}, should have {list(wanted)}",
            hint=hint,
        )


def _squeezed(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
