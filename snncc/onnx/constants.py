"""The constants of a model: small ones at hand, large ones in their file until they are asked for,
and results of nodes that depend on constants only, computed by onnx's reference implementation."""

import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import external_data_helper, helper, numpy_helper

from snncc.onnx.domains import STANDARD
from snncc.onnx.refusal import refuse
from snncc.onnx.wire import Span
from snncc_ir import Array, Shape

LARGEST = 1 << 28
"""Elements of a constant that is still computed; a damaged file may ask for any number."""
_KEPT = 1 << 12
"""Elements of a computed constant that is kept, at most."""
_DEEPEST = 64
"""Nodes one behind the other that are computed at once."""
_AGAIN = "export the model again, or copy it again if it was transferred"


@dataclass(frozen=True)
class Stored:
    """A tensor whose numbers are in a file: in the model's own (raw_data), or beside it."""

    stub: onnx.TensorProto
    path: Path
    raw_data: Span | None

    def read(self) -> Array:
        if self.raw_data is None:
            return self._external()
        declared = math.prod(self.stub.dims)
        dtype = _plain(self.stub.data_type)
        if dtype is None or sys.byteorder == "big":
            tensor = onnx.TensorProto()
            tensor.CopyFrom(self.stub)
            with self.path.open("rb") as file:
                file.seek(self.raw_data.start)
                tensor.raw_data = file.read(self.raw_data.length)
            return numpy_helper.to_array(tensor)
        if declared * dtype.itemsize != self.raw_data.length:
            raise ValueError(f"{self.raw_data.length} bytes of {dtype} for {declared} numbers")
        array = np.fromfile(self.path, dtype, declared, offset=self.raw_data.start)
        shaped = array.reshape(tuple(self.stub.dims))
        shaped.flags.writeable = False  # so that a tensor of the graph need not copy it
        return shaped

    def _external(self) -> Array:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(self.stub)
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(self.path.parent))
        except (onnx.checker.ValidationError, OSError, RuntimeError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            where = next((e.value for e in self.stub.external_data if e.key == "location"), "")
            if "not regular file" in reason:
                reason = "there is no such file beside the model"
            refuse(
                f"the numbers of '{self.stub.name}' cannot be read from '{where}': {reason}",
                "put the file into the model's folder, where the exporter wrote it",
                "SNN001",
            )
        return numpy_helper.to_array(tensor)


class Constants:
    """What is known of each constant by its name; numbers are read when they are asked for."""

    def __init__(self, opset: int, stored: Mapping[str, Stored]) -> None:
        self.opset = opset
        self._stored = dict(stored)
        self._tensors: dict[str, onnx.TensorProto] = {}
        self._arrays: dict[str, Array] = {}
        self._computed: dict[str, onnx.NodeProto] = {}
        self.shapes: dict[str, Shape] = {}
        """Of computed ones, as far as inference knows them."""

    def __contains__(self, name: str) -> bool:
        return any(
            name in known for known in (self._stored, self._tensors, self._arrays, self._computed)
        )

    def define(self, name: str, value: onnx.TensorProto | Array) -> None:
        """A constant that is at hand."""
        if isinstance(value, onnx.TensorProto):
            self._tensors[name] = value
        else:
            self._arrays[name] = value

    def define_computed(self, node: onnx.NodeProto) -> None:
        """The results of a node whose operands are all constants."""
        self._computed.update((name, node) for name in node.output if name)

    def shape(self, name: str) -> Shape | None:
        """As declared or inferred; None when it is not known before the numbers are."""
        if name in self._arrays:
            return self._arrays[name].shape
        if name in self._computed:
            return self.shapes.get(name)
        tensor = self._tensors.get(name) or self._stored[name].stub
        return tuple(tensor.dims)

    def array(self, name: str) -> Array:
        """The numbers. Refuses the node that asks for them when they cannot be read."""
        try:
            return self._array(name, _DEEPEST)
        except (ValueError, TypeError, KeyError, OSError, MemoryError) as error:
            refuse(
                f"the constant '{name}' cannot be read, its data should fill its shape: {error}",
                _AGAIN,
                "SNN002",
            )

    def _array(self, name: str, depth: int) -> Array:
        if name in self._arrays:
            return self._arrays[name]
        if name in self._tensors:
            return numpy_helper.to_array(self._tensors[name])
        if name in self._stored:
            return self._stored[name].read()
        node = self._computed[name]
        self._expect_moderate(node, depth)
        operands = {each: self._array(each, depth - 1) for each in node.input if each}
        computed = _evaluate(node, operands, self.opset)
        results: dict[str, Array] = dict(zip(node.output, computed, strict=True))
        # small ones are kept, since others may be computed from them; of large ones memory is dear
        self._arrays.update((n, a) for n, a in results.items() if n and a.size <= _KEPT)
        return results[name]

    def _expect_moderate(self, node: onnx.NodeProto, depth: int) -> None:
        sizes = [math.prod(self.shapes.get(name, ())) for name in node.output]
        if max(sizes) > LARGEST or depth == 0:
            found = "more constants one behind the other" if depth == 0 else f"{max(sizes)} numbers"
            refuse(
                f"the constant '{node.output[0]}' is computed as {found}, should be stored",
                "fold constants in the export (do_constant_folding=True), or with onnxsim",
            )


def _evaluate(node: onnx.NodeProto, operands: Mapping[str, Array], opset: int) -> list[Array]:
    """What a node makes of constants, by onnx's reference implementation."""
    from onnx.reference import ReferenceEvaluator  # takes a while, and few models need it

    if node.domain not in STANDARD:
        refuse(
            f"{node.domain}.{node.op_type} '{node.name}' computes a constant, should be an "
            "operator of ONNX itself",
            "fold constants in the export (do_constant_folding=True), or with onnxsim",
        )
    results = [name for name in node.output if name]
    graph = helper.make_graph(
        [node],
        "constant",
        [helper.make_empty_tensor_value_info(name) for name in operands],
        [helper.make_empty_tensor_value_info(name) for name in results],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        found = ReferenceEvaluator(model).run(None, dict(operands))
    except Exception as error:  # whatever numpy or the reference raises for contradictory operands
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        refuse(
            f"the constant '{node.output[0]}' cannot be computed by {node.op_type}: {first}",
            "fold constants in the export (do_constant_folding=True), or with onnxsim",
        )
    by_name = dict(zip(results, map(np.asarray, found), strict=True))
    return [by_name.get(name, np.zeros(0)) for name in node.output]


def _plain(data_type: int) -> np.dtype[np.generic] | None:
    """The numpy format of raw data that needs no unpacking; None for others."""
    with suppress(KeyError, TypeError, ValueError):
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(data_type))
        if dtype.kind in "biuf" and dtype.isbuiltin == 1:
            return dtype
    return None
