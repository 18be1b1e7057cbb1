"""A backend for `onnx.backend.test`: the front end, then the IR's value semantics."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.backend.base import Backend, BackendRep
from onnx.reference import ReferenceEvaluator

from snncc.onnx import import_model
from snncc_ir import ValueRunner

Tensor = NDArray[np.generic]

EVERY_INPUT = frozenset({"Add", "Concat", "Max", "Mean", "Min", "Sub", "Sum"})
"""Operators all of whose inputs are data; of the others the first is, and the rest is constant."""


ELEMENTWISE = frozenset(
    {
        "Abs", "Add", "Celu", "Clip", "Div", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Identity",
        "LeakyRelu", "Max", "Mean", "Min", "Mish", "Mul", "Neg", "PRelu", "Relu", "Selu", "Sigmoid",
        "Softplus", "Sub", "Sum", "Swish", "Tanh",
    }
)  # fmt: skip
"""Operators that do not know which axis is the batch's: their cases get one more, of one sample."""


LEFT_OUT = frozenset({"ArgMax", "LogSoftmax", "Softmax"})
"""Operators that the front end leaves out at the end: their cases get them behind our results."""


def _on_the_host(model: onnx.ModelProto, numbers: Tensor) -> list[Tensor]:
    """What the last node of a case makes of our results, by onnx's reference implementation."""
    last = model.graph.node[-1]
    alone = helper.make_graph(
        [last],
        "host",
        [helper.make_empty_tensor_value_info(last.input[0])],
        [helper.make_empty_tensor_value_info(last.output[0])],
    )
    host = helper.make_model(alone, opset_imports=model.opset_import)
    return [np.asarray(r) for r in ReferenceEvaluator(host).run(None, {last.input[0]: numbers})]


def data_inputs(graph: onnx.GraphProto) -> list[str]:
    """Inputs that samples are given for; of networks and functions of several nodes, the first."""
    constants = {tensor.name for tensor in graph.initializer}
    names = [given.name for given in graph.input if given.name not in constants]
    if len(graph.node) == 1 and graph.node[0].op_type in EVERY_INPUT:
        return names
    return names[:1]


def is_elementwise(model: onnx.ModelProto) -> bool:
    """Whether a case gets a batch axis of its own: PRelu knew the axis of channels before 7."""
    nodes = model.graph.node
    old = model.opset_import[0].version < 7
    return len(nodes) == 1 and nodes[0].op_type in ELEMENTWISE - ({"PRelu"} if old else set())


def _with_batch_axis(arrays: dict[str, Tensor], data: list[str]) -> dict[str, Tensor]:
    """Data as one sample, all of as many axes, so that they broadcast as they did."""
    rank = max(arrays[name].ndim for name in data)
    return {
        name: array.reshape(1, *[1] * (rank - array.ndim), *array.shape) if name in data else array
        for name, array in arrays.items()
    }


def _read_again(graph: onnx.GraphProto) -> None:
    """Puts a node behind the result: at the end of a network, a Sigmoid would be left out."""
    result = graph.output[0].name
    for node in graph.node:
        names = [f"{name} inside" if name == result else name for name in node.output]
        node.output[:] = names
    graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), "one"))
    graph.node.append(helper.make_node("Mul", [f"{result} inside", "one"], [result]))


@dataclass(frozen=True)
class _Prepared(BackendRep):
    model: onnx.ModelProto
    approximate: bool

    def run(self, inputs: Sequence[Tensor], **kwargs: object) -> tuple[Tensor, ...]:
        """Results for a batch; the model is imported here, because constants come as inputs."""
        graph = self.model.graph
        constants = {tensor.name for tensor in graph.initializer}
        names = [given.name for given in graph.input if given.name not in constants]
        arrays = dict(zip(names, inputs, strict=True))
        data = data_inputs(graph)
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        model.ir_version = max(model.ir_version, 4)  # the first whose constants are no inputs
        widened = is_elementwise(self.model)
        if widened:
            arrays = _with_batch_axis(arrays, data)
            for given in model.graph.input:
                if given.name in data:
                    sizes = [helper.make_tensor_value_info("", 1, arrays[given.name].shape)]
                    given.type.tensor_type.shape.CopyFrom(sizes[0].type.tensor_type.shape)
            for result in model.graph.output:
                result.type.tensor_type.shape.dim.insert(0, onnx.TensorShapeProto.Dimension())
                result.type.tensor_type.shape.dim[0].dim_value = 1
        if self.approximate:
            _read_again(model.graph)
        for name in set(arrays) - set(data):
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(arrays[name]), name))
        kept = [given for given in model.graph.input if given.name in data]
        del model.graph.input[:]
        model.graph.input.extend(kept)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.onnx"
            onnx.save(model, path)
            imported = import_model(path, approximate=self.approximate, needs_neurons=False).graph
        with np.errstate(over="ignore"):  # a case has float64 that are no float32
            samples = {
                node.name: np.asarray(arrays[name], np.float32)
                for node, name in zip(imported.inputs, data, strict=True)
            }
        found = list(ValueRunner(imported).run(samples).values())
        if graph.node[-1].op_type in LEFT_OUT:
            found = _on_the_host(self.model, found[0])
        results = []
        for value, declared in zip(found, graph.output, strict=True):
            kind = declared.type.tensor_type
            result = value.astype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
            if widened:
                result = result.reshape([dim.dim_value for dim in kind.shape.dim])
            elif len(kind.shape.dim) == 1 and result.shape[1:] == (1,):
                result = result[:, 0]  # a value of nothing but the batch axis has one number here
            results.append(result)
        return tuple(results)


class IrBackend(Backend):
    """snncc's front end and value semantics."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: object) -> _Prepared:
        """approximate=True: as of `import_model`."""
        return _Prepared(model, bool(kwargs.get("approximate", False)))

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"
