"""Training data: scikit-learn's digits, .npz files, and seeded augmentation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from snncc.data import Dataset, read_dataset
from snncc_backends import Preprocessing
from snncc_ir import Array, Shape, fail

DIGITS_SEED, DIGITS_TEST, DIGITS_CALIBRATION = 0, 360, 256
"""The split of examples/digits."""


@dataclass(frozen=True)
class Images:
    """Samples as the network takes them, float32 (N, C, H, W), and their classes, int64 (N,)."""

    x: Tensor
    y: Tensor

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.x) < 1 or self.y.ndim != 1:
            raise ValueError(
                f"samples have shape {list(self.x.shape)} and classes {list(self.y.shape)}, should "
                "be as many, at least 1"
            )

    def __len__(self) -> int:
        return len(self.x)

    def first(self, count: int) -> "Images":
        """The first `count` samples."""
        return Images(self.x[:count], self.y[:count])


@dataclass(frozen=True)
class Split:
    """What a network learns from, and what it is measured on at the end and at no time before."""

    train: Images
    test: Images


@dataclass(frozen=True)
class Augmentation:
    """Random moves by up to `crop` places to each side, zeros moving in, and, with `flip`, every
    other sample mirrored left to right.

    Called with (N, C, H, W) and the generator (on the CPU) that all randomness comes from.
    """

    crop: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        if self.crop < 0:
            raise ValueError(f"crop is {self.crop}, should be 0 or more places")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        count, _, height, width = x.shape
        moves = torch.randint(2 * self.crop + 1, (2, count, 1), generator=generator)
        mirrored = torch.rand(count, 1, generator=generator) < (0.5 if self.flip else 0.0)
        rows = moves[0] + torch.arange(height)
        columns = moves[1] + torch.arange(width)
        columns = torch.where(mirrored, columns.flip(1), columns)
        padded = torch.nn.functional.pad(x, [self.crop] * 4)
        which = torch.arange(count, device=x.device)[:, None, None]
        rows, columns = rows[:, :, None].to(x.device), columns[:, None, :].to(x.device)
        return padded.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2).contiguous()


def digits() -> Split:
    """scikit-learn's digits, 1×8×8 of 0 to 1: the split of examples/digits, 1437 and 360 samples.

    Calibration there is on 256 of the training samples. Raises SNN054 without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise fail(
            "SNN054", "scikit-learn is not installed", hint="pip install 'snncc[train]'"
        ) from None
    found = load_digits()
    images, classes = found.images.astype(np.uint8), found.target.astype(np.uint8)
    x, x_test, y, y_test = train_test_split(
        images, classes, test_size=DIGITS_TEST, stratify=classes, random_state=DIGITS_SEED
    )
    scale = Preprocessing(1 / 16)
    return Split(
        as_images(Dataset({"x": x}, y), scale), as_images(Dataset({"x": x_test}, y_test), scale)
    )


def read_images(path: Path | str, preprocessing: Preprocessing | None = None) -> Images:
    """Samples `x` (N, H, W), (N, C, H, W), or (N, H, W, C) with layout `nhwc`, and classes `y`.

    preprocessing is what `snncc --scale --mean --std --layout` say of the same file. Raises SNN030
    for a file that is no .npz, of other shapes, or without classes.
    """
    found = read_dataset(Path(path))
    if not isinstance(found, Dataset):
        raise fail(
            "SNN030",
            "the data are events, should be images 'x' and classes 'y'",
            str(path),
            "accumulate them to frames first, as docs/events.md says",
        )
    return as_images(found, preprocessing or Preprocessing())


def as_images(data: Dataset, preprocessing: Preprocessing) -> Images:
    """The samples of a data set in the network's own numbers; raises SNN030."""
    x = data.arrays.get("x")
    if x is None or data.labels is None:
        raise fail(
            "SNN030",
            f"the data has arrays {', '.join(sorted(data.arrays))}"
            f"{'' if data.labels is None else ' and y'}, should have 'x' and 'y' to train with",
            data.place,
            "np.savez('data.npz', x=samples, y=classes)",
        )
    if data.labels.min() < 0:
        raise fail(
            "SNN030",
            f"classes 'y' go down to {data.labels.min()}, should be 0 or more",
            data.place,
            "count classes from 0, in the order of the network's outputs",
        )
    array = preprocessing.apply(x, _shape(x, preprocessing.layout, data.place))
    return Images(torch.from_numpy(array), torch.from_numpy(data.labels.astype(np.int64)))


def _shape(x: Array, layout: str, place: str) -> Shape:
    """(C, H, W) that the network sees."""
    match x.shape[1:]:
        case (height, width):
            return (1, height, width)
        case (first, second, third):
            return (third, first, second) if layout == "nhwc" else (first, second, third)
    raise fail(
        "SNN030",
        f"samples have shape {list(x.shape[1:])}, should have two axes, or three with channels",
        place,
        "x.reshape(len(x), channels, height, width)",
    )
