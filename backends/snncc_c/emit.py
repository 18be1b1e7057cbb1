"""The bundle's C files: fixed runtime, tables and schedule from templates, weights."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from zlib import crc32

import numpy as np

from snncc_backends import EarlyExit, Preprocessing, margin_unit
from snncc_c.layout import NO_WINDOW, Blob, Box, Maps, State, box, periodic, spread, storage, window
from snncc_ir import Code, FirstSpike, Graph, Node, Radix, SnnccError, Spikes
from snncc_ir.ops import (
    Counting,
    Input,
    IntegrateFire,
    MaxPool,
    Output,
    Population,
    Readout,
    TimeToFirstSpike,
)  # fmt: skip
from snncc_templates import render

FOLDER = "c"
EMBEDDED_ELEMENTS = 1 << 16
"""Networks of at most so many weights have them compiled in."""
RUNTIME = (
    "main.c",
    "snncc_kernels.h",
    "snncc_project.h",
    "snncc_runtime.c",
    "snncc_runtime.h",
    "snncc_signs.h",
)


@dataclass(frozen=True)
class _Row:
    """A table entry and the comment above it."""

    comment: str
    table: str


def emit_c(
    graph: Graph, preprocessing: Preprocessing, early_exit: EarlyExit | None = None
) -> dict[str, bytes]:
    """The files of the target, by path in the bundle."""
    nodes = [node for node in graph if not isinstance(node.op, Output)]
    number = {node.name: i for i, node in enumerate(nodes)}
    blob, state = Blob(), State()
    maps = Maps(blob, code=graph.code)
    rows = [_node(graph, node, number, maps, state) for node in nodes]
    stage = 4 * maps.largest_stage
    work = {
        "list": state.take(maps.longest_list + 1, 4),
        "list_less": state.take(maps.longest_list + 1, 4),
        "list_values": state.take(maps.longest_list + 1, 4),
        "scratch": state.take(stage, 1),
        "scratch_next": state.take(stage, 1),
        "products": -1,
        "arriving": -1,
        "tally": state.take(2 * len(nodes), 8),
    }
    slots = planes = 0
    if isinstance(graph.code, FirstSpike):
        work["products"] = state.take(maps.most_weights, 4)
        planes = max(bits for node in nodes if (bits := _input_bits(node)))
    if isinstance(graph.code, FirstSpike | Radix):
        slots = graph.code.steps
        work["arriving"] = state.take(max(node.type.size for node in nodes), 1)
    sources = list(dict.fromkeys(node.inputs[0] for node in graph.outputs))
    inputs = [node for node in nodes if isinstance(node.op, Input)]
    takes_bytes = len(inputs) == 1 and preprocessing.per_first_axis(inputs[0].type.shape)
    embedded = blob.elements <= EMBEDDED_ELEMENTS
    content = blob.content
    values: dict[str, object] = {
        "title": comment(f"network '{graph.name}'"),
        "steps": graph.code.results if graph.code else 1,
        "slots": slots,
        "code": graph.code.name if graph.code else "",
        "planes": planes,
        "neurons": sum(node.type.size for node in nodes if isinstance(node.type, Spikes)),
        "input_size": sum(node.type.size for node in inputs),
        "input_node": number[inputs[0].name],
        "inputs": list(_inputs(inputs, number)),
        "output_size": sum(graph[name].type.size for name in sources),
        "output_nodes": [number[name] for name in sources],
        "outputs": [comment(f"'{name}', {_what_is_read(graph[name])}") for name in sources],
        "state_bytes": state.size,
        "weight_bytes": len(content),
        "embedded": embedded,
        "checksum": crc32(content),
        "work": work,
        "moves": maps.moves,
        "projections": _projections(graph, nodes, maps),
        "nodes": rows,
        "takes_bytes": takes_bytes,
        "can_exit": _can_exit(graph),
        "exit_margin": early_exit.margin if early_exit else 0,
        "bytes": _bytes(inputs[0], preprocessing) if takes_bytes else {},
    }
    texts = {
        "model.h": render("c/model.h.j2", **values),
        "model.c": render("c/model.c.j2", **values),
    }
    result = {name: text.encode() for name, text in texts.items()}
    sources_c = ["main.c", "model.c", "snncc_runtime.c"]
    if embedded:
        words = [f"0x{word:x}" for (word,) in struct.iter_unpack("<Q", content)]
        result["model_weights.c"] = render("c/model_weights.c.j2", words=words).encode()
        sources_c.insert(2, "model_weights.c")
    else:
        result["weights.bin"] = content
    result["Makefile"] = render("c/Makefile.j2", sources=sources_c).encode()
    for name in RUNTIME:
        result[name] = (files("snncc_c") / "runtime" / name).read_bytes()
    return {f"{FOLDER}/{name}": result[name] for name in sorted(result)}


def _can_exit(graph: Graph) -> bool:
    try:
        margin_unit(graph)
    except SnnccError:
        return False
    return True


def comment(text: str) -> str:
    """Text as it may stand in a C comment: printable ASCII that cannot end or extend it.

    Names come from the user's file and may hold anything.
    """
    kept = "".join(c if " " <= c <= "~" and c not in '\\"?' else "." for c in text)
    return kept.replace("*/", "*.").replace("/*", "/.")


def _node(graph: Graph, node: Node, number: dict[str, int], maps: Maps, state: State) -> _Row:
    shape = storage(graph, node)
    size = node.type.size
    fields: dict[str, object] = {
        "kind": "SNNCC_INPUT",
        "shape": shape,
        "first_projection": len(maps.projections),
        "projections": 0,
        "source": -1,
        "window": NO_WINDOW,
        "scale": "0.0",
        "levels": 0,
        "period": 1,
        "theta": -1,
        "start": -1,
        "bias": -1,
        "most": 1,
        "delay": 0,
        "potential": -1,
        "base": -1,
        "spikes": -1,
        "count": -1,
        "pooled": -1,
    }
    match node.op:
        case Input(scale=scale, levels=levels):
            fields |= {"scale": scale.hex(), "levels": levels, "potential": state.take(size, 4)}
        case MaxPool():
            (source,) = graph.operands(node)
            fields |= {
                "kind": _kind("MAXPOOL", graph.code),
                "most": graph.code.most if graph.code else 1,
                "source": number[source.name],
                "window": window(node.op.window),
                "spikes": state.take(size, 1),
            }
            if not isinstance(graph.code, FirstSpike | Radix):
                fields |= {
                    "count": state.take(size, 4),
                    "pooled": state.take(source.type.size, 4),
                }
        case Population():
            fields |= _population(graph, node, node.op, number, maps, state)
    table = "{" + ", ".join(str(value) for value in fields.values()) + "}"
    return _Row(comment(f"{node.op.name} '{node.name}', from {node.origin}"), table)


def _population(
    graph: Graph, node: Node, op: Population, number: dict[str, int], maps: Maps, state: State
) -> dict[str, object]:
    target, size, blob = storage(graph, node), node.type.size, maps.blob
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        order = storage(graph, source).order
        maps.add(chain, number[source.name], source.type, order, target, _input_bits(source))
    if isinstance(graph.code, FirstSpike):
        return _ttfs(op, target, size, maps, state)
    driven = any(isinstance(source.op, Input) for source in graph.operands(node))
    parameters = {"bias": spread(op.bias, op.shape, target)}
    if isinstance(op.model, Counting):
        parameters["theta"] = spread(op.model.theta, op.shape, target)
        parameters["start"] = spread(op.model.start, op.shape, target)
    # one period for all, so that the runtime walks them together
    period = max(periodic(values, target)[1] for values in parameters.values())
    fields: dict[str, object] = {
        "kind": _kind("READOUT", graph.code),
        "projections": len(op.maps),
        "period": period,
        "potential": state.take(size, 4),
        "base": state.take(size, 4) if driven else -1,
    }
    fields |= {name: blob.add(values[:period], "i4") for name, values in parameters.items()}
    if isinstance(op.model, Readout):
        fields["delay"] = op.model.delay
    if isinstance(op.model, IntegrateFire):
        read = any(node.name in output.inputs for output in graph.outputs)
        most = op.model.code.most
        kind = op.model.name if most > 1 else op.model.name.replace("graded", "if")
        fields |= {
            "kind": f"SNNCC_{kind.upper().replace('-', '_')}",
            "most": most,
            "spikes": state.take(size, 1),
            "count": state.take(size, 4) if op.model.signed or read else -1,
        }
    elif isinstance(op.model, Counting):
        fields |= {"kind": "SNNCC_RADIX", "spikes": state.take(size, 1)}
    return fields


def _kind(what: str, code: Code | None) -> str:
    """The runtime's kind of a node: steps together, or layer by layer."""
    prefix = {"ttfs": "TTFS_", "radix": "RADIX_"}.get(code.name if code else "", "")
    return f"SNNCC_{prefix}{what}"


def _ttfs(op: Population, target: Box, size: int, maps: Maps, state: State) -> dict[str, object]:
    """Fields of a population in the ttfs code."""
    bias, period = periodic(spread(op.bias, op.shape, target), target)
    fields: dict[str, object] = {
        "kind": "SNNCC_TTFS_READOUT",
        "projections": len(op.maps),
        "period": period,
        "potential": state.take(size, 4),
        "bias": maps.blob.add(bias, "i4"),
    }
    if isinstance(op.model, TimeToFirstSpike):
        fields |= {
            "kind": "SNNCC_TTFS",
            "theta": maps.blob.add(op.model.threshold.integers, "i4"),
            "spikes": state.take(size, 1),
        }
    return fields


def _input_bits(node: Node) -> int | None:
    """Magnitude bits of an input's numbers; None for spikes."""
    return (node.op.levels or 1).bit_length() if isinstance(node.op, Input) else None


def _what_is_read(node: Node) -> str:
    if not isinstance(node.type, Spikes):
        return "v"
    return "k" if isinstance(node.type.code, FirstSpike) else "n"


def _projections(graph: Graph, nodes: list[Node], maps: Maps) -> list[_Row]:
    names = [
        f"{source} to {node.name}: {' '.join(op.name for op in chain)}"
        for node in nodes
        if isinstance(node.op, Population)
        for source, chain in zip(node.inputs, node.op.maps, strict=True)
    ]
    return [_Row(comment(name), table) for name, table in zip(names, maps.projections, strict=True)]


def _inputs(inputs: list[Node], number: dict[str, int]) -> Iterator[dict[str, int]]:
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
