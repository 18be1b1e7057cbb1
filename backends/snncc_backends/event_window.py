"""From the events of a sample to numbers of events in time steps, as a network takes them.

Recorded in the manifest as a part of the preprocessing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from snncc_ir import MOST_PAYLOAD, Array, Shape, SnnccError, fail, nearest

POLARITIES = ("channels", "signed", "merged")
KINDS = ("stream", "frame")
LONGEST = 1 << 40
"""Microseconds, or events, of a window: twelve days."""
Size = tuple[int, int]
"""Height and width."""
Grid = tuple[int, int, int]
"""Channels, height and width."""


@dataclass(frozen=True)
class EventWindow:
    """What of a sample's events a network gets, and when.

    One of three says how long a sample is. duration: microseconds that all time steps share; step:
    microseconds of one time step; count: so many first events, which all time steps share. What
    comes later is left out.

    polarity: `channels` (OFF events are channel 0, ON events channel 1), `signed` (one channel, an
    OFF event counts −1), `merged` (one channel, both count 1). sensor: height and width, by default
    what the network's input and `downsample` make of it. downsample: k × k pixels become one.
    most: events that are kept at a place in a time step; 0: as many as calibration data has, up to
    127. input: `stream`, spikes over time; `frame`, numbers of all events, held like other input.
    """

    duration: int = 0
    step: int = 0
    count: int = 0
    polarity: str = "channels"
    sensor: Size | None = None
    downsample: int = 1
    most: int = 0
    input: str = "stream"

    def __post_init__(self) -> None:
        """Raises SNN034 for what does not fit together."""
        lengths = [self.duration, self.step, self.count]
        if sum(length != 0 for length in lengths) != 1:
            raise _wrong(
                f"duration={self.duration}, step={self.step}, count={self.count} are given, should "
                "be one of them",
                "--events duration=100000: a sample takes 0.1 s, which all time steps share",
            )
        if not 0 < max(lengths) <= LONGEST or min(lengths) < 0:
            raise _wrong(
                f"the window is {min(lengths) or max(lengths)} long, should be 1 to {LONGEST}",
                "--events duration=100000",
            )
        for what, value, known in (
            ("polarity", self.polarity, POLARITIES),
            ("input", self.input, KINDS),
        ):
            if value not in known:
                raise _wrong(f"{what} is '{value}', should be {' or '.join(known)}", known[0])
        sides = self.sensor or (1, 1)
        if len(sides) != 2 or not all(0 < size <= 1 << 15 for size in sides):
            raise _wrong(f"the sensor is {'x'.join(map(str, sides))}, should be 1x1 to 32768x32768",
                         "--events sensor=HEIGHTxWIDTH")  # fmt: skip
        if not 1 <= self.downsample <= 1 << 15:
            raise _wrong(f"downsample is {self.downsample}, should be at least 1", "downsample=2")
        if not 0 <= self.most <= MOST_PAYLOAD:
            raise _wrong(
                f"most is {self.most}, should be 1 to {MOST_PAYLOAD}, or 0 for all there are",
                "leave it out",
            )
        if self.input == "frame" and self.step:
            raise _wrong(
                "a frame has no time steps, so that step says nothing of it",
                "--events duration=100000,input=frame",
            )

    @property
    def streams(self) -> bool:
        """Whether the network gets spikes over time."""
        return self.input == "stream"

    @property
    def channels(self) -> int:
        return 2 if self.polarity == "channels" else 1

    def as_json(self) -> dict[str, object]:
        """As it stands in the manifest: what is not the default."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @staticmethod
    def from_json(value: object) -> "EventWindow":
        """Of a manifest; raises SNN051 when it does not fit."""
        try:
            if not isinstance(value, Mapping):
                raise TypeError
            given: dict[str, object] = {
                str(key): tuple(item) if isinstance(item, list) else item
                for key, item in value.items()
            }
            default = asdict(EventWindow(duration=1))
            for key, item in given.items():
                wanted = tuple if key == "sensor" else type(default[key])
                if type(item) is not wanted:
                    raise TypeError
            return EventWindow(**given)  # type: ignore[arg-type]
        except (KeyError, TypeError, SnnccError):
            raise fail(
                "SNN051",
                f"the preprocessing's events are {value}, should be a window of events",
                "manifest.json",
                "compile the network anew",
            ) from None

    @staticmethod
    def parse(texts: Iterable[str]) -> "EventWindow | None":
        """Of `KEY=VALUE,…` texts; None without any. Raises SNN034."""
        values: dict[str, object] = {}
        known = {field.name: field.default for field in fields(EventWindow)}
        for text in texts:
            for part in text.split(","):
                key, equals, value = (piece.strip() for piece in part.partition("="))
                if key not in known or not equals:
                    raise _wrong(
                        f"--events has '{part}', should be KEY=VALUE, of {', '.join(known)}",
                        nearest(key, known, "--events duration=100000"),
                    )
                values[key] = _parsed(key, value, known[key])
        return EventWindow(**values) if values else None  # type: ignore[arg-type]

    def grid(
        self, shape: Shape, sensor: Size | None = None, place: str = ""
    ) -> tuple[int, int, int]:
        """Channels, height and width of a network's input of `shape`; raises SNN034.

        A network may also take them flat, if the sensor is known. sensor: of the data, if known.
        """
        k = self.downsample
        found = self.sensor or sensor
        if found is not None:
            grid = (self.channels, -(-found[0] // k), -(-found[1] // k))
            if shape in (grid, (int(np.prod(grid)),), *([grid[1:]] if grid[0] == 1 else [])):
                return grid
            raise self._misfit(shape, found, grid, place)
        if len(shape) > 1:
            plain = (self.channels, shape[-2], shape[-1])
            if shape == plain or (self.channels == 1 and shape == plain[1:]):
                return plain
        wanted = f"{self.channels} channels, height and width" if shape else "an image"
        raise fail(
            "SNN034",
            f"the network's input has shape {list(shape)}, should have {wanted} for polarity="
            f"{self.polarity}",
            place,
            "another polarity: channels for 2 channels, signed or merged for 1; for a network that "
            "takes a flat vector, --events sensor=HEIGHTxWIDTH",
        )

    def _misfit(self, shape: Shape, sensor: Size, grid: Shape, place: str) -> SnnccError:
        hint = "another polarity: channels for 2 channels, signed or merged for 1"
        if len(shape) == 3 and shape[0] == self.channels:
            factor = max(round(sensor[0] / shape[1]), 1)
            exact = all(-(-size // factor) == s for size, s in zip(sensor, shape[1:], strict=True))
            hint = (
                f"--events downsample={factor}, which adds up {factor} × {factor} pixels"
                if exact and factor != self.downsample
                else "a network of the sensor's size, or data of its own"
            )
        return fail(
            "SNN034",
            f"the sensor of {sized(sensor)} pixels gives an input of shape {list(grid)}, should be "
            f"the network's, {list(shape)}",
            place,
            hint,
        )

    def counts(
        self,
        t: NDArray[np.int64],
        x: NDArray[np.int32],
        y: NDArray[np.int32],
        p: NDArray[np.bool_],
        start: int,
        steps: int,
        grid: Grid,
    ) -> NDArray[np.int32]:
        """Numbers of events, (steps, *grid), of a sample's events, in the order of time.

        t: microseconds; the window begins at `start`. p: whether a pixel became brighter. Event i
        of a window of `count` lies in step i · steps // count; one of time t of a window of
        `duration` in step (t − start) · steps // duration.
        """
        if self.count:
            which = np.arange(min(len(t), self.count), dtype=np.int64) * steps // self.count
            kept = slice(len(which))
        else:
            duration = self.duration or self.step * steps
            kept = slice(int(np.searchsorted(t - start, duration)))
            which = (t[kept] - start) * steps // duration
        channels, height, width = grid
        place = y[kept] // self.downsample * width + x[kept] // self.downsample
        bright = p[kept]
        first = which * channels + (bright if channels == 2 else 0)
        index = first * (height * width) + place
        size = steps * channels * height * width
        if self.polarity == "signed":
            total = np.bincount(index[bright], minlength=size)
            total = total - np.bincount(index[~bright], minlength=size)
        else:
            total = np.bincount(index, minlength=size)
        return total.reshape(steps, *grid).astype(np.int32)

    def inside(self, t: NDArray[np.int64], start: int, steps: int) -> int:
        """How many of a sample's events lie in the window."""
        if self.count:
            return min(len(t), self.count)
        return int(np.searchsorted(t - start, self.duration or self.step * steps))


def sized(size: Size) -> str:
    """HEIGHTxWIDTH."""
    return f"{size[0]}x{size[1]}"


def _parsed(key: str, value: str, default: object) -> object:
    try:
        if key == "sensor":
            height, width = (int(number) for number in value.lower().split("x"))
            return height, width
        return int(value) if isinstance(default, int) else value
    except ValueError:
        wanted = "HEIGHTxWIDTH" if key == "sensor" else "an integer"
        raise _wrong(f"{key} is '{value}', should be {wanted}", f"--events {key}=…") from None


def _wrong(message: str, hint: str) -> SnnccError:
    return fail("SNN034", message, "", hint)


def clipped(counts: Array, most: int) -> int:
    """How many events are lost where no place keeps more than `most`."""
    return int(np.maximum(np.abs(counts.astype(np.int64)) - most, 0).sum())
