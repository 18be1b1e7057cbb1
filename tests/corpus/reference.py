"""What the files of the corpus give: samples, and what onnxruntime makes of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from snncc_ir import session

Array = npt.NDArray[np.generic]

TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


def reference(path: Path, count: int, names: Sequence[str]) -> tuple[list[Array], dict[str, Array]]:
    """Inputs in their order, (count, …) each, and values of the file by their `names`.

    Normal noise, for uint8 inputs all integers, and what onnxruntime makes of them. Of a file that
    it cannot run, NAME.expected.npz beside the file has inputs and outputs by their names.
    """
    stored = path.with_suffix(".expected.npz")
    if stored.exists():
        graph = onnx.load(path, load_external_data=False).graph
        constants = {tensor.name for tensor in graph.initializer}
        with np.load(stored) as arrays:
            given = [arrays[value.name] for value in graph.input if value.name not in constants]
            if set(names) <= set(arrays):
                return given, {name: arrays[name] for name in names}
        return given, _computed(_session(path, names), given, names)
    running = _session(path, names)
    random = np.random.default_rng(0)
    given = [
        _noise(random, (count, *value.shape[1:]), value.type) for value in running.get_inputs()
    ]
    return given, _computed(running, given, names)


def _session(path: Path, names: Sequence[str]) -> onnxruntime.InferenceSession:
    """With other values of the file for results, where it is not its outputs that are asked for."""
    running = session(str(path), threads=1)
    if {value.name for value in running.get_outputs()} >= set(names):
        return running
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, names))
    return session(model.SerializeToString(), threads=1)


def _computed(
    running: onnxruntime.InferenceSession, given: Sequence[Array], results: Sequence[str]
) -> dict[str, Array]:
    """Results by their names, in as many runs as a fixed batch needs."""
    sizes = {value.shape[0] for value in running.get_inputs()}
    batch = next((size for size in sizes if isinstance(size, int)), len(given[0]))
    names = [value.name for value in running.get_inputs()]
    parts = [
        running.run(
            list(results),
            dict(zip(names, (array[i : i + batch] for array in given), strict=True)),
        )
        for i in range(0, len(given[0]), batch)
    ]
    return {
        name: np.concatenate([part[index] for part in parts]) for index, name in enumerate(results)
    }


def _noise(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    dtype = TYPES[kind]
    if dtype is np.uint8:
        return random.integers(0, 256, shape, np.uint8)
    return random.standard_normal(shape).astype(dtype)
