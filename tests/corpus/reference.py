"""What the files of the corpus give: samples, results of onnxruntime, what follows the logits."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from snncc_ir import session

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Tail = Callable[[Floats], Array]

TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


def reference(path: Path, count: int) -> tuple[list[Array], dict[str, Array]]:
    """Inputs in their order, (count, …) each, and outputs by name in theirs.

    Normal noise, for uint8 inputs all integers, and what onnxruntime makes of them. Of a file that
    it cannot run, NAME.expected.npz beside the file has inputs and outputs by their names.
    """
    stored = path.with_suffix(".expected.npz")
    if stored.exists():
        graph = onnx.load(path, load_external_data=False).graph
        constants = {tensor.name for tensor in graph.initializer}
        with np.load(stored) as arrays:
            given = [arrays[value.name] for value in graph.input if value.name not in constants]
            return given, {value.name: arrays[value.name] for value in graph.output}
    running = session(str(path), threads=1)
    random = np.random.default_rng(0)
    given = [
        _noise(random, (count, *value.shape[1:]), value.type) for value in running.get_inputs()
    ]
    sizes = {value.shape[0] for value in running.get_inputs()}
    batch = next((size for size in sizes if isinstance(size, int)), count)
    names = [value.name for value in running.get_inputs()]
    parts = [
        running.run(None, dict(zip(names, (array[i : i + batch] for array in given), strict=True)))
        for i in range(0, count, batch)
    ]
    outputs = [value.name for value in running.get_outputs()]
    return given, {
        name: np.concatenate([part[index] for part in parts]) for index, name in enumerate(outputs)
    }


def _noise(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    dtype = TYPES[kind]
    if dtype is np.uint8:
        return random.integers(0, 256, shape, np.uint8)
    return random.standard_normal(shape).astype(dtype)


def tails(path: Path) -> Iterator[tuple[str, str, Tail]]:
    """Each output that comes from a Softmax, LogSoftmax or ArgMax: its name, that operator's, and
    what it does to the numbers before it."""
    model = onnx.load(path, load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    makers = {name: node for node in model.graph.node for name in node.output}
    for output in model.graph.output:
        node = makers[output.name]
        while node.op_type in ("Identity", "Cast") and node.input[0] in makers:
            node = makers[node.input[0]]
        given = {entry.name: entry.i for entry in node.attribute}
        if node.op_type in ("Softmax", "LogSoftmax"):
            axis = given.get("axis", -1 if opset >= 13 else 1)
            yield output.name, node.op_type, _softmax(axis, node.op_type == "LogSoftmax")
        elif node.op_type == "ArgMax":
            kept = bool(given.get("keepdims", 1))
            yield output.name, node.op_type, _argmax(given.get("axis", 0), kept)


def _softmax(axis: int, logarithm: bool) -> Tail:
    def apply(numbers: Floats) -> Floats:
        shifted = numbers - numbers.max(axis, keepdims=True)
        result: Floats = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
        return result if logarithm else np.exp(result)

    return apply


def _argmax(axis: int, kept: bool) -> Tail:
    return lambda numbers: np.argmax(numbers, axis, keepdims=kept)
