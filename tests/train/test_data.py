"""Training data: the digits' split, .npz files, CIFAR-10's folder, augmentation."""

import os
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from snncc import Preprocessing
from snncc.train import CIFAR10, Augmentation, Images, cifar10, digits, read_images
from snncc_ir import SnnccError
from tests.conftest import ROOT


def test_digits_are_split_as_the_shipped_example() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    split = digits()
    test = np.load(ROOT / "examples" / "digits" / "test.npz")
    assert np.array_equal(split.test.x[:, 0] * 16, test["x"])
    assert np.array_equal(split.test.y, test["y"])
    assert (len(split.train), len(split.test)) == (1437, 360)
    calibration = np.load(ROOT / "examples" / "digits" / "calib.npz")["x"]
    train = {image.tobytes() for image in (split.train.x[:, 0] * 16).to(torch.uint8).numpy()}
    assert {image.tobytes() for image in calibration} <= train


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((2, 5, 6), "model", (1, 5, 6)),
        ((2, 3, 5, 6), "model", (3, 5, 6)),
        ((2, 5, 6, 3), "nhwc", (3, 5, 6)),
    ],
)
def test_npz_files_are_read_as_the_compiler_reads_them(
    tmp_path: Path, shape: tuple[int, ...], layout: str, expected: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.savez(tmp_path / "d.npz", x=x, y=np.array([[3], [1]]))
    pre = Preprocessing(1 / 255, (0.5,), (0.25,), layout)
    found = read_images(tmp_path / "d.npz", pre)
    assert np.array_equal(found.x, pre.apply(x, expected))
    assert found.x.dtype == torch.float32
    assert found.y.tolist() == [3, 1]
    assert found.first(1).y.tolist() == [3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 3, 3))}, "should have 'x' and 'y'"),
        ({"z": np.zeros((2, 3, 3)), "y": np.zeros(2, int)}, "arrays z and y"),
        ({"x": np.zeros((2, 9)), "y": np.zeros(2, int)}, r"shape \[9\], should have two axes"),
        ({"x": np.zeros((2, 3, 3)), "y": np.array([-1, 0])}, "go down to -1"),
    ],
)
def test_npz_files_that_cannot_be_trained_with(
    tmp_path: Path, arrays: dict[str, NDArray[np.float64]], message: str
) -> None:
    np.savez(tmp_path / "d.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(SnnccError, match=f"SNN030: .*{message}"):
        read_images(tmp_path / "d.npz")


def test_samples_and_classes_are_as_many() -> None:
    with pytest.raises(ValueError, match="should be as many"):
        Images(torch.zeros(2, 1, 3, 3), torch.zeros(3))


class Python2(pickle._Pickler):
    """Writes bytes as Python 2 wrote its texts, as the files of CIFAR-10 have them."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_text(self, text: bytes) -> None:
        self.write(b"T" + len(text).to_bytes(4, "little") + text)  # type: ignore[attr-defined]

    dispatch[bytes] = save_text  # type: ignore[assignment]


def batch(path: Path, first: int, modern: bool, **changed: object) -> NDArray[np.uint8]:
    """One file with four images; returns them."""
    x = np.random.default_rng(first).integers(0, 256, (4, 3072), np.uint8)
    content: dict[object, object] = {b"batch_label": b"b", b"labels": [first, 1, 2, 9], b"data": x,
                                     b"filenames": [b"a.png"] * 4}  # fmt: skip
    content.update({key.encode(): value for key, value in changed.items()})
    with path.open("wb") as file:
        (pickle.Pickler if modern else Python2)(file, 2).dump(content)
    return x


def folder(place: Path, modern: bool) -> list[NDArray[np.uint8]]:
    place.mkdir(parents=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    return [batch(place / name, first, modern) for first, name in enumerate(names)]


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("inside", ["", "cifar-10-batches-py"])
def test_cifar10_of_a_folder(tmp_path: Path, modern: bool, inside: str) -> None:
    parts = folder(tmp_path / "data" / inside, modern)
    split = cifar10(tmp_path / "data")
    assert split.train.x.shape == (20, 3, 32, 32)
    assert split.train.y.tolist() == [k for first in range(5) for k in (first, 1, 2, 9)]
    assert split.test.y.tolist() == [5, 1, 2, 9]
    images = np.concatenate(parts[:5]).reshape(-1, 3, 32, 32) / 255
    for channel in range(3):
        wanted = (images[:, channel] - CIFAR10.mean[channel]) / CIFAR10.std[channel]
        assert np.allclose(split.train.x[:, channel], wanted, atol=1e-5)


def test_cifar10_of_two_files(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 2])
    split = cifar10(tmp_path / "a.npz", tmp_path / "a.npz")
    assert split.train.x.shape == (3, 3, 32, 32)
    with pytest.raises(SnnccError, match="SNN030: there are no test images"):
        cifar10(tmp_path / "a.npz")


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("what", ["code", "missing", "cut", "shape", "type", "classes", "short"])
def test_files_of_cifar10_that_are_none(tmp_path: Path, what: str) -> None:
    folder(tmp_path / "c", modern=True)
    path, touched = tmp_path / "c" / "data_batch_3", tmp_path / "touched"
    message = "it has no images 'data'"
    match what:
        case "code":
            batch(path, 0, True, filenames=Evil(touched))
            message = "it asks for posix.mkdir"
        case "missing":
            path.unlink()
            message = "No such file"
        case "cut":
            path.write_bytes(path.read_bytes()[:5000])
            message = "cannot be read"
        case "shape":
            batch(path, 0, True, data=np.zeros((4, 3071), np.uint8))
            message = "3072 bytes each"
        case "type":
            batch(path, 0, True, data=np.full((4, 3072), None))
            message = "3072 bytes each"
        case "classes":
            batch(path, 0, True, labels=[1, 2, 3, 10])
        case "short":
            batch(path, 0, True, labels=[1, 2, 3])
    with pytest.raises(SnnccError, match=f"SNN030: .*{message}") as caught:
        cifar10(tmp_path / "c")
    assert caught.value.diagnostics[0].place == str(path)
    assert not touched.exists()


def test_crops_and_flips_are_moves_by_seed() -> None:
    x = torch.arange(1.0, 2 * 6 * 5 * 64 + 1).reshape(64, 2, 6, 5)
    random = torch.Generator().manual_seed(1)
    moved = Augmentation(crop=2, flip=True)(x, random)
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    seen = set()
    for before, after in zip(padded, moved, strict=True):
        found = [
            (dy, dx, flip)
            for dy in range(5)
            for dx in range(5)
            for flip in (False, True)
            if torch.equal(
                after,
                before[:, dy : dy + 6, dx : dx + 5].flip(2) if flip
                else before[:, dy : dy + 6, dx : dx + 5],
            )
        ]  # fmt: skip
        assert len(found) == 1
        seen.add(found[0])
    assert {flip for *_, flip in seen} == {False, True}
    assert len({dy for dy, *_ in seen}) == len({dx for _, dx, _ in seen}) == 5
    again = Augmentation(crop=2, flip=True)(x, torch.Generator().manual_seed(1))
    assert torch.equal(moved, again)
    assert torch.equal(Augmentation()(x, random), x)
    with pytest.raises(ValueError, match="crop is -1"):
        Augmentation(-1)
