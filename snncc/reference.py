"""The float network: the user's own model in onnxruntime, which bundles are compared with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from snncc.onnx import import_model
from snncc.onnx.ops.qonnx import DOMAINS
from snncc.onnx.reader import model_digest, read_model, read_whole
from snncc_ir import Array, Batch, Floats, SnnccError, ValueRunner, fail, runtime_says, session

BATCH = 64
"""Samples that the model gets together, where it takes any number."""
_MODEL = "the model that the bundle was compiled from, with --model"


@dataclass(frozen=True)
class Reference:
    """What a bundle's first output stands for, of samples: logits, not their softmax.

    numbers: (N, …). exact: whether the bundle's are to be the same, or only the same of them the
    largest. given: the samples' classes, (N,), as far as they are known.
    """

    numbers: Floats
    exact: bool
    given: Array | None

    @property
    def classes(self) -> Array | None:
        """The largest of each sample, (N,); None unless there are two numbers at least."""
        is_vector = self.numbers.ndim == 2 and self.numbers.shape[1] > 1
        return self.numbers.argmax(1) if is_vector else None

    @property
    def labels(self) -> Array | None:
        """The samples' classes, where there are classes to compare."""
        return None if self.classes is None else self.given


def float_results(
    model: Path, samples: Batch, labels: Array | None, compiled: object, notes: list[str]
) -> Reference:
    """The model's results for samples.

    compiled: SHA-256 of the file that the bundle was compiled from; `notes` gets one if `model` is
    another. Raises SNN001 for what is no ONNX file, SNN002 and SNN030 for what onnxruntime refuses.
    """
    if model_digest(model) != compiled:
        notes.append(f"{model.name} is not the file that the bundle was compiled from")
    imported = _imported_results(model, samples)
    if imported is not None:
        notes.append("onnxruntime has no QONNX operators; compared with the imported network")
        return Reference(imported, True, labels)
    content, exact = comparable(model)
    running = session(content)
    expected = [given.name for given in running.get_inputs()]
    if len(expected) != len(samples):
        raise fail(
            "SNN030",
            f"the model has {len(expected)} inputs, should have {len(samples)} as the bundle",
            str(model),
            _MODEL,
        )
    first = running.get_outputs()[0].name
    batch = running.get_inputs()[0].shape[0]
    size = batch if isinstance(batch, int) else BATCH
    count = len(next(iter(samples.values())))
    parts = []
    for start in range(0, count, size):
        part = {
            given.name: array[start : start + size].astype(_FORMATS.get(given.type, np.float32))
            for given, array in zip(running.get_inputs(), samples.values(), strict=True)
        }
        missing = size - len(part[expected[0]]) if isinstance(batch, int) else 0
        if missing:
            part = {name: np.resize(x, (size, *x.shape[1:])) for name, x in part.items()}
        try:
            (result,) = running.run([first], part)
        except Exception as error:  # onnxruntime raises a dozen classes without a common base
            raise fail(
                "SNN030",
                f"onnxruntime cannot run the model on the data: {runtime_says(error)}",
                str(model),
                _MODEL,
            ) from None
        parts.append(result[: size - missing])
    return Reference(np.concatenate(parts).astype(np.float64), exact, labels)


def comparable(model: Path) -> tuple[str | bytes, bool]:
    """The model, by path or content, whose first output is what a bundle's first output stands for.

    And whether that has the same numbers.
    """
    outputs = read_model(model).proto.graph.output
    try:
        wanted = import_model(model, approximate=True).results[0]
    except SnnccError:  # another model than the one that was compiled
        return str(model), True
    if outputs[0].name == wanted.value:
        return str(model), wanted.exact
    proto = read_whole(model)
    del proto.graph.output[:]
    proto.graph.output.append(onnx.helper.make_empty_tensor_value_info(wanted.value))
    return proto.SerializeToString(), wanted.exact


def _imported_results(model: Path, samples: Batch) -> Floats | None:
    """The first output of a model of QONNX operators, which onnxruntime lacks; None of others.

    That is what the front end makes of it, before any pass.
    """
    if not any(node.domain in DOMAINS for node in read_model(model).proto.graph.node):
        return None
    results = ValueRunner(import_model(model).graph).run(samples)
    return np.asarray(next(iter(results.values())), np.float64)


_FORMATS: dict[str, type[np.number]] = {
    "tensor(double)": np.float64, "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8, "tensor(int8)": np.int8, "tensor(uint16)": np.uint16,
    "tensor(int16)": np.int16, "tensor(uint32)": np.uint32, "tensor(int32)": np.int32,
    "tensor(uint64)": np.uint64, "tensor(int64)": np.int64,
}  # fmt: skip
"""Number formats of inputs by onnxruntime's names; others are float32."""
