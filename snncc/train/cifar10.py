"""CIFAR-10 from a folder that the user has: `cifar-10-batches-py`, as torchvision unpacks it.

The files are pickles, which can run anything when they are read as such. Here a pickle may only
build lists, texts, numbers, and arrays of bytes: nothing in it is ever called but the stand-ins of
this module.
"""

import io
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc.data import Dataset
from snncc.train.data import Split, as_images, read_images
from snncc_backends import Preprocessing
from snncc_ir import SnnccError, fail, why

CIFAR10 = Preprocessing(1 / 255, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
"""Mean and standard deviation of the training images' channels."""
FOLDER = "cifar-10-batches-py"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
SIZE = 3 * 32 * 32


def cifar10(
    train: Path | str,
    test: Path | str | None = None,
    preprocessing: Preprocessing = CIFAR10,
    layout: str = "nhwc",
) -> Split:
    """CIFAR-10 of the folder `train` (or of one that has the folder cifar-10-batches-py); or of two
    .npz with `x`, uint8, and `y`.

    layout: of the images in .npz files. Raises SNN030 for what is neither, is incomplete or
    damaged.
    """
    place = Path(train)
    if place.is_dir():
        folder = place / FOLDER if (place / FOLDER).is_dir() else place
        parts = [read_batch(folder / name) for name in TRAIN]
        images = np.concatenate([part.arrays["x"] for part in parts])
        classes = np.concatenate([part.labels for part in parts if part.labels is not None])
        return Split(
            as_images(Dataset({"x": images}, classes, str(folder)), preprocessing),
            as_images(read_batch(folder / TEST), preprocessing),
        )
    if test is None:
        raise fail(
            "SNN030",
            "there are no test images, should be a second .npz",
            str(place),
            f"a folder {FOLDER}, or the .npz of test images, too",
        )
    pre = Preprocessing(preprocessing.scale, preprocessing.mean, preprocessing.std, layout)
    return Split(read_images(place, pre), read_images(test, pre))


def read_batch(path: Path) -> Dataset:
    """One file of the folder: uint8 (N, 3, 32, 32) and classes 0 to 9; raises SNN030."""
    hint = f"unpack cifar-10-python.tar.gz anew; the folder {FOLDER} has {TRAIN[0]} to {TEST}"
    try:
        found = _Reader(io.BytesIO(path.read_bytes())).load()
        images, classes = _parts(found)
    except SnnccError:
        raise
    except Exception as error:  # a damaged pickle raises about anything
        raise fail("SNN030", f"the file cannot be read: {why(error)}", str(path), hint) from None
    return Dataset({"x": images}, classes, str(path))


def _parts(found: object) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    match found:
        case {b"data": _Bytes() as data, b"labels": list() as labels}:
            images, classes = data.array(), np.array(labels)
            fits = len(images) == len(classes) > 0 and classes.dtype.kind == "i"
            if fits and classes.ndim == 1 and 0 <= classes.min() and classes.max() <= 9:
                return images.reshape(-1, 3, 32, 32), classes.astype(np.int64)
    raise ValueError("it has no images 'data' of 3072 bytes each with 'labels' 0 to 9")


@dataclass
class _Kind:
    """Stands in for a numpy.dtype; only bytes are taken."""

    code: object = None

    def __setstate__(self, state: object) -> None:
        """Byte order and flags, which bytes do not have."""


@dataclass
class _Bytes:
    """Stands in for a numpy.ndarray: keeps what a pickle says of it."""

    state: tuple[object, ...] = field(default=())

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.state = state

    def array(self) -> NDArray[np.uint8]:
        """(N, 3072); raises ValueError for any other array."""
        match self.state:
            case (
                _,
                (int() as rows, 3072),
                _Kind("u1" | b"u1"),
                bool() | 0 | 1 as columns,
                bytes(raw),
            ):
                if len(raw) == rows * SIZE:
                    found = np.frombuffer(raw, np.uint8)
                    return found.reshape(SIZE, rows).T if columns else found.reshape(rows, SIZE)
        raise ValueError("its images are no array of 3072 bytes each")


def _kind(code: object, *_: object) -> _Kind:
    return _Kind(code)


def _array(*_: object) -> _Bytes:
    return _Bytes()


def _encoded(text: object, _: object) -> bytes:
    """What protocol 2 writes for bytes: a text in latin-1."""
    if not isinstance(text, str):
        raise pickle.UnpicklingError("bytes are written as no text")
    return text.encode("latin-1")


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): _Bytes,
    ("numpy", "dtype"): _kind,
    ("_codecs", "encode"): _encoded,
}


class _Reader(pickle.Unpickler):
    """Knows the names that such files need, each by its stand-in, and no others."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> object:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no such file needs"
            ) from None

    def persistent_load(self, identity: object) -> object:
        raise pickle.UnpicklingError("it refers to objects outside of it")
