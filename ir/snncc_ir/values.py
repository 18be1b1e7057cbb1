"""Value semantics: the graph written back as ONNX, so that onnxruntime runs it fast.

Each op writes itself (`Op.to_onnx`). Between nodes of the normal form a number counts in units of
the node's `scale`; outputs are in the user's own units again.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from snncc_ir.cores import cores, limit, spread
from snncc_ir.diagnostics import fail, why
from snncc_ir.graph import Graph
from snncc_ir.ops import AnyInput, EventInput, Op, Output
from snncc_ir.tensors import Array
from snncc_ir.types import Type

Batch = Mapping[str, Array]
"""Samples by input name, each (N, *shape); of an event input counts, int8 (N, steps, *shape)."""

OPSET = 17
IR_VERSION = 8
NUMBERS_AT_ONCE = 1 << 19
"""Of the largest value of the samples that run together: few enough for caches, and enough that
threads wait little for each other."""
LEAST_AT_ONCE, MOST_AT_ONCE = 8, 256
"""Samples that run together. How many depends on the network alone, not on the machine."""
RESULTS_AT_ONCE = 1 << 30
"""Bytes of results that batches side by side may have in all; then fewer cores work."""


class _Writer:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(
        self, op_type: str, inputs: Sequence[str], **attributes: int | float | Sequence[int]
    ) -> str:
        name = f"t{len(self.nodes)}"
        node = helper.make_node(op_type, inputs, [name])
        node.attribute.extend(helper.make_attribute(key, attributes[key]) for key in attributes)
        self.nodes.append(node)
        return name

    def constant(self, array: Array) -> str:
        name = f"c{len(self.initializers)}"
        stored = array.astype(np.float32) if array.dtype == np.float64 else array
        self.initializers.append(numpy_helper.from_array(np.asarray(stored, order="C"), name))
        return name

    def alias(self, value: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))


def to_onnx(graph: Graph, extra: Iterable[str] = ()) -> onnx.ModelProto:
    """The graph's value semantics, float32, with a dynamic batch axis.

    Results are named as the graph's output nodes; `extra` names further nodes whose values (in
    units of their scale) become results too. Inputs and results carry the prefix `in:` or `out:`,
    because an input may have the name of an output.
    """
    writer = _Writer()
    values: dict[str, str] = {}
    inputs, outputs = [], []
    wanted = set(extra)
    for node in graph:
        if isinstance(node.op, AnyInput):
            name = f"in:{node.name}"
            inputs.append(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *node.op.shape])
            )
            operands: tuple[str, ...] = (name,)
        else:
            operands = tuple(values[name] for name in node.inputs)
        types = tuple(source.type for source in graph.operands(node))
        values[node.name] = node.op.to_onnx(writer, operands, types)
        if isinstance(node.op, Output) or node.name in wanted:
            result = f"out:{node.name}"
            writer.alias(values[node.name], result)
            outputs.append(
                helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", *node.type.shape])
            )
    proto = helper.make_graph(writer.nodes, "snncc", inputs, outputs, writer.initializers)
    return helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


class ValueRunner:
    """Runs a graph's value semantics in onnxruntime, batches side by side, a core each."""

    def __init__(self, graph: Graph, extra: Iterable[str] = (), threads: int = 0) -> None:
        """threads: at most, 0 for the cores there are."""
        self._names = [node.name for node in graph.outputs] + [
            name for name in dict.fromkeys(extra) if not isinstance(graph[name].op, Output)
        ]
        self._inputs = {node.name: node.op for node in graph.inputs}
        self._session = session(to_onnx(graph, extra).SerializeToString(), threads=1)
        self._batch = _at_once(node.type for node in graph)
        numbers = self._batch * sum(graph[name].type.size for name in self._names)
        self._threads = min(threads or cores(), max(1, RESULTS_AT_ONCE // (4 * numbers)))

    def batches(self, samples: Batch) -> Iterator[dict[str, Array]]:
        """Results by node name, some samples at a time, in order."""
        count = len(next(iter(samples.values())))
        starts = range(0, count, self._batch)
        workers = min(self._threads, len(starts))
        if workers < 2:
            yield from (self._results(samples, start) for start in starts)
            return
        with ThreadPoolExecutor(workers) as pool:
            waiting = deque[Future[dict[str, Array]]]()
            for start in starts:
                waiting.append(pool.submit(self._results, samples, start))
                if len(waiting) > workers:  # what nobody has taken yet is held in memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _results(self, samples: Batch, start: int) -> dict[str, Array]:
        feed = {
            f"in:{name}": np.ascontiguousarray(
                _numbers(op, samples[name][start : start + self._batch]), dtype=np.float32
            )
            for name, op in self._inputs.items()
        }
        results = self._session.run([f"out:{name}" for name in self._names], feed)
        return dict(zip(self._names, results, strict=True))

    def run(self, samples: Batch) -> dict[str, Array]:
        """Results by node name for all samples."""
        parts = list(self.batches(samples))
        return {name: np.concatenate([part[name] for part in parts]) for name in self._names}


def _at_once(types: Iterable[Type]) -> int:
    """How many samples run together."""
    largest = max(kind.size for kind in types)
    return min(max(NUMBERS_AT_ONCE // largest, LEAST_AT_ONCE), MOST_AT_ONCE)


def _numbers(op: Op, samples: Array) -> Array:
    """What value semantics takes: of a stream of events the accumulated frames."""
    return op.accumulated(samples) if isinstance(op, EventInput) else samples


class NodeRunner:
    """Runs the value semantics of one node, or of the chain of ops of a map, as `ValueRunner`."""

    def __init__(self, ops: Sequence[Op], types: Sequence[Type], threads: int = 0) -> None:
        """ops: the first takes operands of `types`, each further one the result before it.

        threads: at most, 0 for the cores there are; 1 for a caller that has its own, and that says
        by the number of samples how many run together.
        """
        sizes = list(types)
        writer = _Writer()
        names: tuple[str, ...] = tuple(f"in:{i}" for i in range(len(types)))
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *kind.shape])
            for name, kind in zip(names, types, strict=True)
        ]
        kinds = tuple(types)
        for op in ops:
            names, kinds = (op.to_onnx(writer, names, kinds),), (op.output_type(kinds),)
            sizes.extend(kinds)
        writer.alias(names[0], "out")
        result = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", *kinds[0].shape])
        proto = helper.make_graph(writer.nodes, "node", inputs, [result], writer.initializers)
        model = helper.make_model(
            proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        self._session = session(model.SerializeToString(), threads=1)
        self._threads = threads
        self._shape = kinds[0].shape
        self._batch = _at_once(sizes)

    def run(self, operands: Sequence[Array]) -> NDArray[np.float32]:
        """The result for all samples: operands (N, *shape), float32."""
        count = len(operands[0])
        if count == 0:
            raise ValueError("there is no sample, should be one at least")
        if self._threads == 1 or count <= self._batch:
            return self._result(operands, slice(None))
        joined = np.empty((count, *self._shape), np.float32)

        def work(start: int) -> None:
            part = slice(start, start + self._batch)
            joined[part] = self._result(operands, part)

        spread(work, range(0, count, self._batch), self._threads)
        return joined

    def _result(self, operands: Sequence[Array], part: slice) -> NDArray[np.float32]:
        feed = {
            f"in:{i}": np.ascontiguousarray(value[part], dtype=np.float32)
            for i, value in enumerate(operands)
        }
        result: NDArray[np.float32] = self._session.run(["out"], feed)[0]
        return result


def session(model: bytes | str, threads: int = 0) -> onnxruntime.InferenceSession:
    """A quiet onnxruntime session on the CPU; raises SNN002 when onnxruntime refuses the model.

    threads: 0 for as many as onnxruntime likes, or $SNNCC_CORES.

    Without its fusion of Pad into pools, which can make paddings that it then refuses itself; and
    where it can, with kernels for 8-bit integers that do not saturate on processors without VNNI,
    since theirs then compute another network than the file says.
    """
    try:
        return _session(model, threads, exact=True)
    except Exception:  # it has no such kernels for some operators, among them QLinearConv
        pass
    try:
        return _session(model, threads, exact=False)
    except Exception as error:  # onnxruntime raises a dozen classes without a common base
        raise fail(
            "SNN002",
            f"onnxruntime refuses the model: {runtime_says(error)}",
            model if isinstance(model, str) else "",
            "export it again with a newer exporter, or update onnxruntime",
        ) from None


def _session(model: bytes | str, threads: int, exact: bool) -> onnxruntime.InferenceSession:
    """exact: integer kernels that never saturate."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or limit()
    # threads that wait by spinning take the cores from what comes next
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.x64quantprecision", "1" if exact else "0")
    return onnxruntime.InferenceSession(
        model,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["Pad_Fusion"],
    )


def runtime_says(error: Exception) -> str:
    """What onnxruntime says, in one line without its own codes."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", why(error))
    # the place in onnxruntime's own source, with a signature in C++, helps nobody here
    return re.sub(r"/\w*onnxruntime\w*/\S+:\d+ .*?\)( const)? ", "", text)[:400]
