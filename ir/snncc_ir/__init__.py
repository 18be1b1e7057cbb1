"""The spiking intermediate representation of snncc: types, ops, graph, text form, two semantics.

* Types and ops: `types`, `ops` (one file a family; `OPS` lists them).
* Graph: `graph` (immutable), `checker` (what each stage has to obey).
* Text form `.sir`: `printer`, `parser`, `text.lark`; tensors beside it: `files`.
* Value semantics: `values` (ONNX, run by onnxruntime). Spike semantics: `spikes` (integers, numpy).
"""

from snncc_ir.checker import CODED, INTEGER, LOWERED, NORMAL, STAGES, Stage, check
from snncc_ir.diagnostics import CATALOG, Diagnostic, SnnccError, fail
from snncc_ir.files import pack, read_graph, tensor_bytes, unpack, write_graph
from snncc_ir.graph import Graph, GraphBuilder, Node, Origin, Source, with_op
from snncc_ir.parser import parse_graph
from snncc_ir.printer import graph_tensors, node_tensors, print_graph, print_type, print_value
from snncc_ir.spikes import Oracle, Step, decode
from snncc_ir.tensors import FORMATS, UNIT, Array, Floats, Integers, Tensor, f32, i16, i32
from snncc_ir.types import Analog, Code, Current, Rate, Shape, Spikes, Type
from snncc_ir.values import Batch, ValueRunner, session, to_onnx

__all__ = [
    "CATALOG", "CODED", "FORMATS", "INTEGER", "LOWERED", "NORMAL", "STAGES", "UNIT", "Analog",
    "Array", "Batch",
    "Code", "Current", "Diagnostic", "Floats", "Graph", "GraphBuilder", "Integers",
    "Node", "Oracle", "Origin", "Rate", "Shape", "SnnccError", "Source", "Spikes", "Stage", "Step",
    "Tensor", "Type", "ValueRunner", "check", "decode", "f32", "fail", "graph_tensors", "i16",
    "i32", "node_tensors", "pack", "parse_graph", "print_graph", "print_type", "print_value",
    "read_graph", "session", "tensor_bytes", "to_onnx", "unpack", "with_op", "write_graph",
]  # fmt: skip
