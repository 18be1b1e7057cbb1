"""The bundle's C files: fixed runtime, tables and schedule from templates, weights."""

import struct
from collections.abc import Iterator, Mapping
from importlib.resources import files
from zlib import crc32

import numpy as np

from snncc_backends import EarlyExit, Preprocessing, margin_unit
from snncc_c.layout import Blob
from snncc_c.shapes import box
from snncc_c.tables import comment, projection_rows, tables_of
from snncc_ir import FirstSpike, Floats, Graph, Node, SnnccError, Spikes
from snncc_ir.ops import AnyInput, EventInput, Input
from snncc_templates import render

FOLDER = "c"
EMBEDDED_ELEMENTS = 1 << 16
"""Networks of at most so many weights have them compiled in."""
TOGETHER = 8
"""Samples that are run together where that is faster."""
LARGE_WEIGHTS = 1 << 22
"""Bytes of weights that do not stay in a core's caches."""
RUNTIME = (
    "main.c",
    "snncc_box.h",
    "snncc_dense.c",
    "snncc_dense.h",
    "snncc_dense_kernel.h",
    "snncc_kernels.h",
    "snncc_project.h",
    "snncc_runtime.c",
    "snncc_runtime.h",
    "snncc_signs.h",
    "snncc_ttfs.h",
)


def emit_c(
    graph: Graph, preprocessing: Preprocessing, spikes: Mapping[str, Floats] | None = None
) -> dict[str, bytes]:
    """The files of the target, by path in the bundle.

    spikes: of each neuron of a spiking node, flat, a sample on average: kernels are chosen by them.
    """
    blob = Blob()
    tables = tables_of(graph, blob, spikes)
    nodes, number, maps = tables.nodes, tables.number, tables.maps
    sources = list(dict.fromkeys(node.inputs[0] for node in graph.outputs))
    inputs = [node for node in nodes if isinstance(node.op, AnyInput)]
    events = any(isinstance(node.op, EventInput) for node in inputs)
    alike = preprocessing.per_first_axis(inputs[0].type.shape)
    takes_bytes = len(inputs) == 1 and not events and alike
    embedded = blob.elements <= EMBEDDED_ELEMENTS
    content = blob.content
    values: dict[str, object] = {
        "title": comment(f"network '{graph.name}'"),
        "steps": graph.code.results if graph.code else 1,
        "slots": tables.slots,
        "code": graph.code.name if graph.code else "",
        "planes": tables.planes,
        "neurons": sum(node.type.size for node in nodes if isinstance(node.type, Spikes)),
        "input_size": sum(node.type.size for node in inputs),
        "input_node": number[inputs[0].name],
        "events": events,
        "inputs": list(_inputs(inputs, number)),
        "output_size": sum(graph[name].type.size for name in sources),
        "output_nodes": [number[name] for name in sources],
        "outputs": [comment(f"'{name}', {_what_is_read(graph[name])}") for name in sources],
        "state_bytes": tables.state.size,
        "weight_bytes": len(content),
        "embedded": embedded,
        "checksum": crc32(content),
        "work": tables.work,
        "moves": maps.moves,
        "projections": projection_rows(tables),
        "nodes": tables.rows,
        "takes_bytes": takes_bytes,
        "can_exit": _can_exit(graph),
        "batch": _batch(graph, len(content)),
        "bytes": _bytes(inputs[0], preprocessing) if takes_bytes else {},
    }
    texts = {
        "model_exit.h": render("c/model_exit.h.j2", margin=0),
        "model.h": render("c/model.h.j2", **values),
        "model.c": render("c/model.c.j2", **values),
    }
    result = {name: text.encode() for name, text in texts.items()}
    sources_c = ["main.c", "model.c", "snncc_dense.c", "snncc_runtime.c"]
    if embedded:
        words = [f"0x{word:x}" for (word,) in struct.iter_unpack("<Q", content)]
        result["model_weights.c"] = render("c/model_weights.c.j2", words=words).encode()
        sources_c.insert(2, "model_weights.c")
    else:
        result["weights.bin"] = content
    headers = ["model.h", "model_exit.h", *(name for name in RUNTIME if name.endswith(".h"))]
    result["Makefile"] = render("c/Makefile.j2", sources=sources_c, headers=headers).encode()
    for name in RUNTIME:
        result[name] = (files("snncc_c") / "runtime" / name).read_bytes()
    return {f"{FOLDER}/{name}": result[name] for name in sorted(result)}


def emit_exit(early_exit: EarlyExit) -> dict[str, bytes]:
    """The file that is another one for a network whose samples end early."""
    text = render("c/model_exit.h.j2", margin=early_exit.margin)
    return {f"{FOLDER}/model_exit.h": text.encode()}


def _batch(graph: Graph, weight_bytes: int) -> int:
    """Samples to run together: where products of weights are computed, or weights fill caches, once
    for all of them; else one, whose potentials then stay in the cache from step to step."""
    shared = isinstance(graph.code, FirstSpike) or weight_bytes > LARGE_WEIGHTS
    return TOGETHER if shared else 1


def _can_exit(graph: Graph) -> bool:
    try:
        margin_unit(graph)
    except SnnccError:
        return False
    return True


def _what_is_read(node: Node) -> str:
    if not isinstance(node.type, Spikes):
        return "v"
    return "k" if isinstance(node.type.code, FirstSpike) else "n"


def _inputs(inputs: list[Node], number: Mapping[str, int]) -> Iterator[dict[str, int]]:
    offset = 0
    for node in inputs:
        yield {"node": number[node.name], "offset": offset}
        offset += node.type.size


def _bytes(node: Node, preprocessing: Preprocessing) -> dict[str, object]:
    """What each uint8 number means, by channel, and where in the data it stands."""
    if not isinstance(node.op, Input):
        raise AssertionError("the node is an input")
    shape = box(node.type.shape)
    channels, area = shape.channels, shape.height * shape.width
    last = preprocessing.layout == "nhwc"
    # the same arithmetic as for data files, on every number that a byte can be
    gain, offset = (c.reshape(-1, 1) for c in preprocessing.coefficients(node.type.shape))
    numbers = np.broadcast_to(np.arange(256, dtype=np.float32), (channels, 256))
    if not preprocessing.is_identity:
        numbers = numbers * gain + offset
    units = node.op.quantize(numbers.astype(np.float64))
    return {
        "channels": channels,
        "area": area,
        "table": units.tolist(),
        "index": f"i * {channels} + c" if last else f"c * {area} + i",
    }
