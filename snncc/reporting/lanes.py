"""The network drawn as lanes beside a table: a row a layer, straight lines down, arcs for jumps."""

from dataclasses import dataclass

from snncc.reporting.layers import LayerRow, layer_graph
from snncc_ir import Graph
from snncc_templates import render

ROW, LANE, RADIUS, MARGIN = 26.0, 11.0, 5.0, 10.0
"""Pixels: a row of the table, from lane to lane, of a node, and around."""
COLORS = {"input": "#e69f00", "population": "#0072b2", "readout": "#009e73", "maxpool": "#cc79a7"}


@dataclass(frozen=True)
class Edge:
    """From row to row. lane: 0 for the straight way down, else the lane that it takes."""

    source: int
    target: int
    lane: int
    title: str


def ordered(graph: Graph) -> list[str]:
    """Inputs and layers, so that branches stay together: each follows its last source if it can."""
    network = layer_graph(graph)
    place = {node.name: number for number, node in enumerate(graph)}
    waiting = {name: network.in_degree(name) for name in network}
    ready = [name for name in reversed(list(network)) if not waiting[name]]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        following = sorted(network.successors(name), key=lambda each: place[each], reverse=True)
        for user in following:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return order


def edges(graph: Graph, order: list[str]) -> list[Edge]:
    """Lines of all projections; those that would cross a node take lanes, few as they are."""
    import networkx as nx

    network = layer_graph(graph)
    at = {name: row for row, name in enumerate(order)}
    spans = sorted((at[source], at[target]) for source, target in network.edges)
    jumps: nx.Graph[tuple[int, int]] = nx.Graph()
    jumps.add_nodes_from(span for span in spans if span[1] - span[0] > 1)
    for one in jumps:
        for other in jumps:
            if one < other and one[0] < other[1] and other[0] < one[1]:
                jumps.add_edge(one, other)
    by_length = sorted(jumps, key=lambda span: (span[1] - span[0], span))
    lanes = nx.greedy_color(jumps, strategy=lambda _, colors: by_length)
    return [
        Edge(source, target, lanes.get((source, target), -1) + 1,
             f"{order[source]} to {order[target]}")
        for source, target in spans
    ]  # fmt: skip


def network_svg(graph: Graph, rows: dict[str, LayerRow], order: list[str], top: float) -> str:
    """The lanes as SVG, `ROW` pixels a row; top: pixels above the first, for a table's head."""
    lines = edges(graph, order)
    most = max((edge.lane for edge in lines), default=0)
    x = MARGIN + most * LANE + RADIUS
    paths = []
    for edge in lines:
        start, end = (top + (row + 0.5) * ROW for row in (edge.source, edge.target))
        if not edge.lane:
            paths.append((f"M{x} {start}V{end}", edge.title))
            continue
        left, bend = x - edge.lane * LANE, ROW * 0.45
        paths.append(
            (
                f"M{x} {start}C{left} {start} {left} {start} {left} {start + bend}"
                f"V{end - bend}C{left} {end} {left} {end} {x} {end}",
                edge.title,
            )
        )
    nodes = []
    for number, name in enumerate(order):
        row = rows.get(name)
        kind = "input" if row is None else row.layer.kind.partition(":")[0]
        nodes.append((top + (number + 0.5) * ROW, COLORS[kind], f"{name}: {kind}"))
    return render(
        "report/lanes.svg.j2",
        width=x + RADIUS + 3,
        height=top + ROW * len(order),
        x=x,
        radius=RADIUS,
        paths=paths,
        nodes=nodes,
        label=f"{len(order)} layers and inputs, and how they are connected",
    )
