"""Small ONNX models, for tests of the whole way from a model to a verified bundle."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

Weights = dict[str, NDArray[np.float32]]
CLASSES = 3
HALF = [2, 2]
"""Windows that halve a picture."""


def mlp(folder: Path) -> Path:
    """Two dense layers."""
    weights = {"w1": _numbers(1, 12, 8), "b1": _numbers(2, 12), "w2": _numbers(3, CLASSES, 12)}
    return _dense(folder / "mlp.onnx", weights)


def signs(folder: Path) -> Path:
    """Two dense layers of weights that are all ±1/4, without biases."""
    weights = {
        name: (np.where(array < 0, -1, 1) / 4).astype(np.float32)
        for name, array in (("w1", _numbers(1, 12, 8)), ("w2", _numbers(3, CLASSES, 12)))
    }
    return _dense(folder / "signs.onnx", weights)


def _dense(path: Path, weights: Weights) -> Path:
    first = ["x", *(name for name in ("w1", "b1") if name in weights)]
    nodes = [
        helper.make_node("Gemm", first, ["h"], "/fc1/Gemm", transB=1),
        helper.make_node("Relu", ["h"], ["a"], "/relu/Relu"),
        helper.make_node("Gemm", ["a", "w2"], ["y"], "/fc2/Gemm", transB=1),
    ]
    return _save(path, nodes, MODELS[path.stem][1], weights)


def cnn(folder: Path) -> Path:
    """Convolutions, one with a shortcut, and average pooling."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "/conv1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "/relu1/Relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "/conv2/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", "r1"], ["s"], "/Add"),
        helper.make_node("Relu", ["s"], ["r2"], "/relu2/Relu"),
        helper.make_node("AveragePool", ["r2"], ["p"], "/pool", kernel_shape=HALF, strides=HALF),
        helper.make_node("Flatten", ["p"], ["f"], "/Flatten"),
        helper.make_node("Gemm", ["f", "w3"], ["y"], "/fc/Gemm", transB=1),
    ]
    weights = {
        "w1": _numbers(1, 4, 2, 3, 3), "w2": _numbers(2, 4, 4, 3, 3), "w3": _numbers(3, CLASSES, 36)
    }  # fmt: skip
    return _save(folder / "cnn.onnx", nodes, MODELS["cnn"][1], weights)


MODELS = {"mlp": (mlp, (8,)), "signs": (signs, (8,)), "cnn": (cnn, (2, 6, 6))}
"""What writes each into a folder, and the shape of its input."""


def samples(shape: tuple[int, ...], count: int, seed: int = 7) -> NDArray[np.float32]:
    """Numbers of about −1..1, (count, *shape)."""
    return _numbers(seed, count, *shape)


def _numbers(seed: int, *shape: int) -> NDArray[np.float32]:
    """Multiples of 1/16 in −1..1, of which floating-point sums are exact in any order."""
    numbers = np.random.default_rng(seed).integers(-16, 17, shape)
    return (numbers / 16).astype(np.float32)


def _save(path: Path, nodes: list[NodeProto], shape: tuple[int, ...], weights: Weights) -> Path:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path
