"""Makes the event data of this example: handwritten digits that move before an event camera.

    python make.py

Writes calib.npz and test.npz beside this file, from the images of ../digits; seeded, the same bytes
every time. A digit of 16 × 16 pixels makes three saccades of 30 ms before a camera of 20 × 20, as
people move a camera before pictures to get event data (Orchard et al. 2015). A pixel sends an event
whenever the logarithm of its brightness has moved by a threshold since its last one (Lichtsteiner
et al. 2008), and now and then one without a cause.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
DIGITS = HERE.parent / "digits"
SENSOR, DIGIT = 20, 16
"""Sides of the camera and of a digit, in pixels."""
SACCADES, SACCADE = 3, 30
"""How many, and milliseconds of each."""
REACH = 2.0
"""Pixels that a saccade goes, from the middle to each side."""
DARK = 0.15
"""Brightness of the background, where 1 is that of ink."""
THRESHOLD = 0.45
NOISE = 0.1
"""Events without a cause a pixel and second."""

Images = NDArray[np.uint8]
Floats = NDArray[np.float64]


def paths(count: int, random: np.random.Generator) -> Floats:
    """Where digits are in each millisecond, relative to the middle: (N, steps, 2)."""
    corners = random.uniform(-REACH, REACH, (count, SACCADES + 1, 2))
    corners[:, 1::2] = -corners[:, :-1:2]  # to the other side and back, so that each is long
    along = np.arange(SACCADES * SACCADE) / SACCADE
    first = along.astype(np.int64)
    rest = (along - first)[None, :, None]
    moved: Floats = corners[:, first] * (1 - rest) + corners[:, first + 1] * rest
    return moved


def brightness(images: Images, where: Floats) -> Floats:
    """Images 0..16 (N, 8, 8) as the camera sees them with their middles at `where`, (N, 2)."""
    scale = DIGIT / images.shape[1]
    places = np.arange(SENSOR) - (SENSOR - 1) / 2
    weights = []
    for axis in (0, 1):
        # linear interpolation between the middles of an image's pixels, nothing outside
        source = (places[None] - where[:, axis, None]) / scale + (images.shape[1] - 1) / 2
        distance = np.abs(source[:, :, None] - np.arange(images.shape[1]))
        weights.append(np.maximum(1 - distance, 0))
    seen: Floats = np.einsum("nyi,nij,nxj->nyx", weights[0], images / 16, weights[1])
    return seen


def make_events(images: Images, seed: int) -> dict[str, NDArray[np.generic]]:
    """Events of each image: t in microseconds, x, y, p, offsets, sensor and start."""
    random = np.random.default_rng(seed)
    count = len(images)
    where = paths(count, random)
    level = np.log(DARK + brightness(images, where[:, 0]))
    found: list[tuple[NDArray[np.int64], ...]] = []
    for step in range(1, where.shape[1]):
        now = np.log(DARK + brightness(images, where[:, step]))
        number = np.trunc((now - level) / THRESHOLD).astype(np.int64)
        level = level + number * THRESHOLD
        noise = random.choice(
            [-1, 0, 1], number.shape, p=[NOISE / 2000, 1 - NOISE / 1000, NOISE / 2000]
        )
        number = number + noise
        sample, y, x = np.nonzero(number)
        each = np.abs(number[sample, y, x])
        sample, y, x, sign = (np.repeat(a, each) for a in (sample, y, x, number[sample, y, x] > 0))
        t = 1000 * step + random.integers(0, 1000, len(sample))
        found.append((sample, t, x, y, sign.astype(np.int64)))
    sample, t, x, y, p = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((t, sample))
    offsets = np.searchsorted(sample[order], np.arange(count + 1))
    return {
        "t": t[order].astype(np.int32),
        "x": x[order].astype(np.uint8),
        "y": y[order].astype(np.uint8),
        "p": p[order].astype(np.uint8),
        "offsets": offsets.astype(np.int32),
        "start": np.zeros(count, np.int32),
        "sensor": np.array([SENSOR, SENSOR], np.int32),
    }


def main() -> None:
    """Writes both files, and says how many events there are."""
    for seed, name in enumerate(("calib", "test")):
        with np.load(DIGITS / f"{name}.npz") as file:
            images, classes = file["x"], file["y"]
        events = make_events(images, seed)
        np.savez(HERE / f"{name}.npz", **events, labels=classes)  # type: ignore[arg-type]
        each = len(events["t"]) / len(images)
        print(f"{name}.npz: {len(images)} samples of {each:.0f} events on average")


if __name__ == "__main__":
    main()
