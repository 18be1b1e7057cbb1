"""The tables of a network: a row for each node and projection, and the working memory of all."""

from collections.abc import Mapping
from dataclasses import dataclass

from snncc_c.kernels import can_multiply, density_of, kernel_of
from snncc_c.layout import Blob, Maps, State
from snncc_c.shapes import NO_WINDOW, Box, periodic, spread, storage, window
from snncc_ir import Code, FirstSpike, Floats, Graph, Node, Radix, Spikes
from snncc_ir.ops import (
    Counting,
    EventInput,
    Input,
    IntegrateFire,
    MaxPool,
    Output,
    Population,
    Readout,
    TimeToFirstSpike,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A table entry and the comment above it."""

    comment: str
    table: str


@dataclass(frozen=True)
class Tables:
    """nodes: in order, outputs aside, and the number of each by name. rows: theirs. work: byte
    offsets of what they share in working memory, -1 for what the code does not need."""

    nodes: tuple[Node, ...]
    number: Mapping[str, int]
    maps: Maps
    state: State
    rows: tuple[Row, ...]
    work: Mapping[str, int]
    slots: int
    planes: int


def tables_of(graph: Graph, blob: Blob, spikes: Mapping[str, Floats] | None = None) -> Tables:
    """The tables of a graph at stage INTEGER; its constants go into `blob`.

    spikes: of each neuron of a spiking node, flat, of all steps, by which kernels are chosen.
    """
    nodes = tuple(node for node in graph if not isinstance(node.op, Output))
    number = {node.name: i for i, node in enumerate(nodes)}
    state = State()
    steps = graph.code.results if graph.code else 1
    density = {name: density_of(sent, steps) for name, sent in (spikes or {}).items()}
    maps = Maps(blob, code=graph.code, density=density)
    rows = tuple(_node(graph, node, number, maps, state) for node in nodes)
    stage = 4 * maps.largest_stage
    work = {
        "list": state.take(maps.longest_list + 1, 4),
        "list_less": state.take(maps.longest_list + 1, 4),
        "list_values": state.take(maps.longest_list + 1, 4),
        "scratch": state.take(stage, 1),
        "scratch_next": state.take(stage, 1),
        "box": state.take(maps.largest_box, 2),
        "products": -1,
        "arriving": -1,
        "first_of_slot": -1,
        "by_slot": -1,
        "tally": state.take(2 * len(nodes), 8),
    }
    slots = planes = 0
    if isinstance(graph.code, FirstSpike):
        work["products"] = state.take(maps.most_weights, 4)
        work["first_of_slot"] = state.take(graph.code.steps + 2, 4)
        work["by_slot"] = state.take(maps.largest_stage, 4)
        planes = max(bits for node in nodes if (bits := _input_bits(node)))
    if isinstance(graph.code, FirstSpike | Radix):
        slots = graph.code.steps
        work["arriving"] = state.take(max(node.type.size for node in nodes), 1)
    return Tables(nodes, number, maps, state, rows, work, slots, planes)


def comment(text: str) -> str:
    """Text as it may stand in a C comment: printable ASCII that cannot end or extend it.

    Names come from the user's file and may hold anything.
    """
    kept = "".join(c if " " <= c <= "~" and c not in '\\"?' else "." for c in text)
    return kept.replace("*/", "*.").replace("/*", "/.")


def _node(graph: Graph, node: Node, number: dict[str, int], maps: Maps, state: State) -> Row:
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
        "least": 0,
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
        case EventInput(most=most, signed=signed):
            fields |= {
                "kind": "SNNCC_EVENTS",
                "most": most,
                "least": -most if signed else 0,
                "spikes": state.take(size, 1),
            }
        case MaxPool():
            (source,) = graph.operands(node)
            fields |= {
                "kind": _kind("MAXPOOL", graph.code),
                "most": node.type.code.most if isinstance(node.type, Spikes) else 1,
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
    return Row(comment(f"{node.op.name} '{node.name}', from {node.origin}"), table)


def _population(
    graph: Graph, node: Node, op: Population, number: dict[str, int], maps: Maps, state: State
) -> dict[str, object]:
    target, size, blob = storage(graph, node), node.type.size, maps.blob
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        order = storage(graph, source).order
        kernel = kernel_of(chain, source, maps.density.get(source.name))
        bits = _input_bits(source)
        boxed = can_multiply(chain, source)
        maps.add(chain, number[source.name], source.type, order, target, kernel, boxed, bits)
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


def projection_rows(tables: Tables) -> list[Row]:
    """A row for each projection, in the order of populations."""
    names = [
        f"{source} to {node.name}: {' '.join(op.name for op in chain)}"
        for node in tables.nodes
        if isinstance(node.op, Population)
        for source, chain in zip(node.inputs, node.op.maps, strict=True)
    ]
    return [
        Row(comment(name), table)
        for name, table in zip(names, tables.maps.projections, strict=True)
    ]
