"""A residual network that is small enough for SANA-FE, with random weights, and data for it.

    python -m benchmarks.referees.small_residual FOLDER

Two blocks (the second with stride and a projection) of 8 and 16 channels on 3 × 12 × 12 numbers:
about 2500 neurons and 400 000 synapses. Writes residual.onnx, calib.npz and test.npz.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, CLASSES = 12, 10
Arrays = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]


def model(path: Path) -> None:
    rng = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    weights: Arrays = {}

    def conv(source: str, name: str, out: int, into: int, size: int, stride: int = 1) -> str:
        scale = np.sqrt(2 / (into * size * size))
        weights[f"{name}.w"] = (scale * rng.normal(size=(out, into, size, size))).astype(np.float32)
        weights[f"{name}.b"] = (0.1 * rng.normal(size=out)).astype(np.float32)
        nodes.append(
            helper.make_node("Conv", [source, f"{name}.w", f"{name}.b"], [name], name,
                             pads=[size // 2] * 4, strides=[stride] * 2)
        )  # fmt: skip
        return name

    def relu(source: str) -> str:
        nodes.append(helper.make_node("Relu", [source], [f"{source}.relu"], f"{source}/relu"))
        return f"{source}.relu"

    def block(source: str, name: str, out: int, into: int, stride: int) -> str:
        first = relu(conv(source, f"{name}.1", out, into, 3, stride))
        second = conv(first, f"{name}.2", out, out, 3)
        short = source if stride == 1 else conv(source, f"{name}.0", out, into, 1, stride)
        nodes.append(helper.make_node("Add", [second, short], [name], name))
        return relu(name)

    last = relu(conv("x", "conv", 8, 3, 3))
    last = block(block(last, "block1", 8, 8, 1), "block2", 16, 8, 2)
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["mean"], "mean"))
    nodes.append(helper.make_node("Flatten", ["mean"], ["flat"], "flat"))
    nodes.append(helper.make_node("Gemm", ["flat", "fc.w"], ["y"], "fc", transB=1))
    weights["fc.w"] = rng.normal(size=(CLASSES, 16)).astype(np.float32)
    graph = helper.make_graph(
        nodes,
        "residual",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    model(folder / "residual.onnx")
    rng = np.random.default_rng(1)
    for name, count in (("calib", 64), ("test", 4)):
        numbers = rng.normal(size=(count, 3, SIDE, SIDE)).astype(np.float32)
        np.savez(folder / f"{name}.npz", x=numbers, y=rng.integers(0, CLASSES, count))


if __name__ == "__main__":
    main()
