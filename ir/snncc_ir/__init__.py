"""The spiking intermediate representation of snncc: types, ops, graph, text form, two semantics.

* Types and ops: `types`, `ops` (one file a family; `OPS` lists them).
* Graph: `graph` (immutable), `checker` (what each stage has to obey).
* Text form `.sir`: `printer`, `parser`, `text.lark`; tensors beside it: `files`.
* Value semantics: `values` (ONNX, run by onnxruntime).
* Spike semantics, integers in numpy: `spikes` (rate), `slots` (ttfs), `products` (its arithmetic),
  `digits` (radix).
"""

from snncc_ir.checker import CODED, INTEGER, LOWERED, NORMAL, STAGES, Stage, check, violations
from snncc_ir.composed import LARGEST_CODE, RESOLUTIONS, Binary, Composed, Factored, Linear, Log2
from snncc_ir.cores import cores, side_thread, spread
from snncc_ir.diagnostics import CATALOG, Diagnostic, SnnccError, fail, nearest, why
from snncc_ir.digits import Numbers, digit_train, run_digits
from snncc_ir.files import pack, read_graph, tensor_bytes, unpack, write_graph
from snncc_ir.graph import Graph, GraphBuilder, Node, Origin, Source, with_op
from snncc_ir.parser import parse_graph
from snncc_ir.printer import graph_tensors, node_tensors, print_graph, print_type, print_value
from snncc_ir.products import constants, octave, offsets, products
from snncc_ir.slots import Phases, run_phases, slots_of, spike_train, value_of
from snncc_ir.spikes import Oracle, Step, decode
from snncc_ir.stopwatch import Stopwatch
from snncc_ir.tensors import (
    FORMATS,
    UNIT,
    Array,
    Floats,
    Integers,
    Tensor,
    f32,
    i8,
    i16,
    i32,
    small,
)
from snncc_ir.types import (
    MOST_DIGITS,
    MOST_PAYLOAD,
    MOST_SLOTS,
    TAUS,
    Analog,
    Code,
    Current,
    FirstSpike,
    Radix,
    Rate,
    Shape,
    Spikes,
    Type,
)
from snncc_ir.values import Batch, NodeRunner, ValueRunner, runtime_says, session, to_onnx

__all__ = [
    "CATALOG",
    "CODED",
    "FORMATS",
    "INTEGER",
    "LARGEST_CODE",
    "LOWERED",
    "MOST_DIGITS",
    "MOST_PAYLOAD",
    "MOST_SLOTS",
    "NORMAL",
    "RESOLUTIONS",
    "STAGES",
    "TAUS",
    "UNIT",
    "Analog",
    "Array",
    "Batch",
    "Binary",
    "Code",
    "Composed",
    "Current",
    "Diagnostic",
    "Factored",
    "FirstSpike",
    "Floats",
    "Graph",
    "GraphBuilder",
    "Integers",
    "Linear",
    "Log2",
    "Node",
    "NodeRunner",
    "Numbers",
    "Oracle",
    "Origin",
    "Phases",
    "Radix",
    "Rate",
    "Shape",
    "SnnccError",
    "Source",
    "Spikes",
    "Stage",
    "Step",
    "Stopwatch",
    "Tensor",
    "Type",
    "ValueRunner",
    "check",
    "constants",
    "cores",
    "decode",
    "digit_train",
    "f32",
    "fail",
    "graph_tensors",
    "i8",
    "i16",
    "i32",
    "nearest",
    "node_tensors",
    "octave",
    "offsets",
    "pack",
    "parse_graph",
    "print_graph",
    "print_type",
    "print_value",
    "products",
    "read_graph",
    "run_digits",
    "run_phases",
    "runtime_says",
    "session",
    "side_thread",
    "slots_of",
    "small",
    "spike_train",
    "spread",
    "tensor_bytes",
    "to_onnx",
    "unpack",
    "value_of",
    "violations",
    "why",
    "with_op",
    "write_graph",
]  # fmt: skip
