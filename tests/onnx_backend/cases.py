"""The ONNX project's own backend test cases, as its loader gives them."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from tests.onnx_backend.backend import data_inputs, is_elementwise

KINDS = ("node", "pytorch-operator", "pytorch-converted", "simple")
"""Of the loader's kinds, those that need no download."""
Samples = tuple[Sequence[object], Sequence[object]]


@dataclass(frozen=True)
class Case:
    """A model with inputs and expected outputs, in one or more sets."""

    name: str
    kind: str
    model: onnx.ModelProto
    sets: tuple[Samples, ...]
    rtol: float
    atol: float

    @property
    def operators(self) -> frozenset[str]:
        """Operators of its nodes, with their domain where they have one; constants aside."""
        return frozenset(
            f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            for node in self.model.graph.node
        ) - {"Constant"}

    @property
    def opset(self) -> int:
        return next((o.version for o in self.model.opset_import if o.domain in ("", "ai.onnx")), 1)

    @property
    def node(self) -> onnx.NodeProto:
        """Its last node, which is its only one in all but a few cases."""
        last: onnx.NodeProto = self.model.graph.node[-1]
        return last

    @property
    def attributes(self) -> dict[str, object]:
        """Of `node`."""
        return {a.name: onnx.helper.get_attribute_value(a) for a in self.node.attribute}

    @property
    def inputs(self) -> dict[str, object]:
        """By name, of the first set."""
        constants = {tensor.name for tensor in self.model.graph.initializer}
        names = [given.name for given in self.model.graph.input if given.name not in constants]
        return dict(zip(names, self.sets[0][0], strict=False))

    @property
    def outputs(self) -> tuple[object, ...]:
        """Expected, of the first set."""
        return tuple(self.sets[0][1])

    @property
    def data(self) -> list[NDArray[np.generic]]:
        """What samples are given for, of the first set; numbers only."""
        wanted = data_inputs(self.model.graph)
        return [a for n, a in self.inputs.items() if n in wanted and isinstance(a, np.ndarray)]

    @property
    def is_elementwise(self) -> bool:
        return is_elementwise(self.model)

    def constant(self, index: int) -> NDArray[np.generic] | None:
        """An input of `node` that is no data: given with the case, stored, or made by a node."""
        name = self.node.input[index] if index < len(self.node.input) else ""
        given = self.inputs.get(name)
        if isinstance(given, np.ndarray):
            return given
        stored = [t for t in self.model.graph.initializer if t.name == name]
        stored += [
            a.t for n in self.model.graph.node if name in n.output for a in n.attribute if a.t.dims
        ]
        return numpy_helper.to_array(stored[0]) if name and stored else None


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case that comes with the onnx package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what overflows in the making of cases, on purpose
        return tuple(_cases())


def _cases() -> Iterator[Case]:
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            if case.model is not None:
                sets: list[Samples] = [(_arrays(i), _arrays(o)) for i, o in case.data_sets or ()]
                yield Case(case.name, kind, case.model, tuple(sets), case.rtol, case.atol)
            elif case.model_dir is not None:
                folder = Path(case.model_dir)
                model = onnx.load(folder / "model.onnx")
                sets = [_stored(model, s) for s in sorted(folder.glob("test_data_set_*"))]
                yield Case(case.name, kind, model, tuple(sets), case.rtol, case.atol)


def _arrays(values: Sequence[object]) -> list[object]:
    """Tensors in formats that numpy does not have come as protocol buffers."""
    return [numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else v for v in values]


def _stored(model: onnx.ModelProto, folder: Path) -> Samples:
    """A set of samples from its folder of protocol buffers."""

    def read(values: Sequence[onnx.ValueInfoProto], what: str) -> list[object]:
        found: list[object] = []
        for i, value in enumerate(values):
            content = (folder / f"{what}_{i}.pb").read_bytes()
            if value.type.HasField("tensor_type"):
                tensor = onnx.TensorProto()
                tensor.ParseFromString(content)
                found.append(numpy_helper.to_array(tensor))
            else:
                found.append(content)
        return found

    constants = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in constants]
    return read(given, "input"), read(model.graph.output, "output")
