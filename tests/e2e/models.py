"""Small models with dyadic weights, for golden bundles and command-line tests.

All weights and samples are multiples of a power of two, so that floating-point sums are exact in
whatever order a processor takes them, and the bundles are the same everywhere.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def dyadic(seed: int, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Multiples of 1/16 in −1..1."""
    numbers = np.random.default_rng(seed).integers(-16, 17, shape)
    return (numbers / 16).astype(np.float32)


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    shape: tuple[int, ...],
    constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
    outputs: tuple[str, ...] = ("y",),
    classes: int = 3,
) -> Path:
    """Writes a model with input `x` of (N, *shape) and outputs of (N, classes)."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", classes]) for n in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def mlp(folder: Path) -> Path:
    """Two dense layers."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], "/fc1/Gemm", transB=1),
        helper.make_node("Relu", ["h"], ["a"], "/relu/Relu"),
        helper.make_node("Gemm", ["a", "w2"], ["y"], "/fc2/Gemm", transB=1),
    ]
    constants = {"w1": dyadic(1, 6, 4), "b1": dyadic(2, 6), "w2": dyadic(3, 3, 6)}
    return save(folder / "mlp.onnx", nodes, (4,), constants)


def residual(folder: Path) -> Path:
    """Convolutions, a strided and padded shortcut, max and average pooling."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "/conv1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "/relu1/Relu"),
        helper.make_node(
            "Conv", ["r1", "w2", "b2"], ["c2"], "/conv2/Conv", pads=[1, 1, 1, 1], strides=[2, 2]
        ),
        helper.make_node("Slice", ["r1", "starts", "ends", "axes", "steps"], ["s"], "/short/Slice"),
        helper.make_node("Pad", ["s", "pads"], ["p"], "/short/Pad"),
        helper.make_node("Add", ["c2", "p"], ["sum"], "/Add"),
        helper.make_node("Relu", ["sum"], ["r2"], "/relu2/Relu"),
        helper.make_node("MaxPool", ["r2"], ["m"], "/pool/MaxPool", kernel_shape=[2, 2]),
        helper.make_node("GlobalAveragePool", ["m"], ["g"], "/GlobalAveragePool"),
        helper.make_node("Flatten", ["g"], ["f"], "/Flatten"),
        helper.make_node("Gemm", ["f", "w3"], ["y"], "/fc/Gemm", transB=1),
    ]
    constants = {
        "w1": dyadic(1, 3, 2, 3, 3), "w2": dyadic(2, 5, 3, 3, 3), "b2": dyadic(3, 5),
        "w3": dyadic(4, 3, 5),
    }  # fmt: skip
    path = save(folder / "residual.onnx", nodes, (2, 6, 6), constants)
    model = onnx.load(path)
    for name, numbers in {
        "starts": [0, 0], "ends": [6, 6], "axes": [2, 3], "steps": [2, 2],
        "pads": [0, 1, 0, 0, 0, 1, 0, 0],
    }.items():  # fmt: skip
        model.graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
    onnx.save(model, path)
    return path


MODELS = {"mlp": (mlp, (4,)), "residual": (residual, (2, 6, 6))}


def samples(path: Path, shape: tuple[int, ...], count: int = 40) -> Path:
    """An .npz of `count` dyadic samples with classes."""
    labels = np.random.default_rng(8).integers(0, 3, count)
    np.savez(path, x=dyadic(7, count, *shape), y=labels)
    return path


def events(path: Path, sides: tuple[int, int] = (6, 6), count: int = 24) -> Path:
    """An .npz of `count` streams of about 60 events in 30 ms, with classes."""
    random = np.random.default_rng(9)
    offsets = np.concatenate([[0], np.cumsum(random.integers(30, 90, count))])
    total = int(offsets[-1])
    sample = np.repeat(np.arange(count), np.diff(offsets))
    t = random.integers(0, 30_000, total)
    t = t[np.lexsort((t, sample))]
    np.savez(
        path,
        t=t,
        x=random.integers(0, sides[1], total),
        y=random.integers(0, sides[0], total),
        p=random.integers(0, 2, total),
        offsets=offsets,
        start=np.zeros(count, np.int64),
        labels=random.integers(0, 3, count),
    )
    return path
