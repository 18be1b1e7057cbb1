"""The scales S of a whole network, for chips that have few thresholds and narrow biases.

Each channel's S is lowered from what there is room for until its threshold S·theta is a value that
the chip has; weights, biases and starts follow, so that resolution is all that is lost.

Where the host writes numbers into biases (neurons with a one-to-one map of the network's input, as
`encode-input` makes them), a weight of 1 or 2 must not be rounded: S = m/|w| with an integer m. S
cannot follow a threshold then. The population's scale does in its place: with a threshold that is
f times what it should be, one spike is worth f times as much, and all weights of what it feeds are
multiplied by f. Where these cannot follow (binary weights with several thresholds before them), the
threshold is rounded to the nearest that there is.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.encode_input import encodes
from snncc.passes.linear_scale import largest_multiple
from snncc.passes.rescale import rescaled
from snncc.passes.rounding import rounded
from snncc.passes.scale_room import Limits, Room, grouped, overshoot, room, shares_scale
from snncc.passes.scales import uniform_nodes
from snncc.passes.threshold_values import choose, largest_below, nearest_to, representable
from snncc_ir import Floats, Graph, Integers, Node, f32
from snncc_ir.ops import Counting, MaxPool, Output, Population, Scale

LARGEST_STRETCH = 1 / 16
"""In octaves: so far from what they should be, thresholds of the input's neurons are near enough
for no more different ones to be spent on them, of which they get half at most."""
LEAST_THETA = 4
"""Of a channel's threshold as an integer: below, its unit is made larger, MOST_COARSE times at
most."""
MOST_COARSE = 1024.0
NO_STRETCH = 1e-6
"""Relative: a threshold is what it should be, as far as float32 knows."""
IMPORTANCE = 1 << 20
"""Of a population among others, in choosing thresholds; its channels share it."""


@dataclass(frozen=True)
class Choice:
    """Of a population: its S, broadcastable to its shape, and the room that there is for it.

    theta: integer thresholds that are not round(S·theta), (*shape), or None. fits: whether there
    is room for S at all.
    """

    scale: Floats
    room: Room
    fits: bool = True
    theta: Integers | None = None


def choices(
    graph: Graph, limits: Limits, thresholds: int, theta_bits: int, by: str
) -> tuple[Graph, dict[str, Choice]]:
    """S of every population, and the graph to which they belong: units of the input's neurons may
    have changed, by the pass `by`.

    thresholds: how many different ones there may be; theta_bits: of their mantissas; 0: any.
    """
    if not (thresholds or theta_bits or limits.bias):
        return graph, {node.name: _plain(graph, node, op, limits) for node, op in _all(graph)}
    graph = _coarser(graph, limits, by)
    # without a mantissa to obey, thresholds within 1/128 of each other are as good as one
    grid = theta_bits or (8 if thresholds else 0)
    written = _written(graph, limits)
    fixed: frozenset[int] = frozenset()
    if grid and written:
        graph, written = _stretched(graph, written, limits, (thresholds, grid), by)
        fixed = frozenset(
            int(value)
            for name, choice in written.items()
            for value in np.unique(_theta(graph[name], choice))
        )
    found: dict[str, Choice] = {}
    for node, op in _all(graph):
        if node.name not in written:
            found[node.name] = _plain(graph, node, op, limits)
    if grid:
        found = _lowered(graph, found, limits, (thresholds, grid), fixed)
    return graph, {**written, **found}


def _coarser(graph: Graph, limits: Limits, by: str) -> Graph:
    """The graph with larger units for channels whose weights would be too large for their bits.

    They hardly ever respond (`normalize` gives no more to a channel than 256 thresholds a step).
    """
    units = {node.name: np.ones((1,) * len(node.type.shape)) for node in graph}
    uniform = uniform_nodes(graph)
    for node, op in _all(graph):
        if isinstance(op.model, Counting) and _written_weight(graph, node, op) is None:
            theta = room(graph, node, op, limits).scale * op.model.theta.floats
            # whole octaves, which float32 weights follow exactly
            wanted = np.exp2(np.ceil(np.log2(np.maximum(LEAST_THETA / theta, 1.0))))
            unit = grouped(np.broadcast_to(wanted, op.shape), node.name in uniform)
            units[node.name] = np.minimum(unit, MOST_COARSE)
    return _in_units(graph, units, by)


def _in_units(graph: Graph, units: dict[str, Floats], by: str) -> Graph:
    """As `rescaled`, with units of populations given; pools and outputs have their sources'."""
    if all(bool(np.all(unit == 1)) for unit in units.values()):
        return graph
    for node in graph:
        if isinstance(node.op, Output | MaxPool):
            units[node.name] = units[node.inputs[0]]
    return rescaled(graph, units, by)


def _all(graph: Graph) -> list[tuple[Node, Population]]:
    return [(node, node.op) for node in graph if isinstance(node.op, Population)]


def _plain(graph: Graph, node: Node, op: Population, limits: Limits) -> Choice:
    """The largest integer that there is room for, or multiple of what linear weights need."""
    given = room(graph, node, op, limits)
    unit, scale = largest_multiple(op, shares_scale(graph, node, op), given.scale)
    while limits.bound == "reset" and (scale / unit).min() >= 1:
        integer = rounded(graph, node, op, scale, limits.bits)
        over = overshoot(graph, node, integer, limits)
        if over.max() <= 1:
            break
        less = np.floor(np.minimum(scale / over, scale - 1) / unit) * unit
        scale = np.where(over > 1, less, scale)
    return Choice(scale, given, bool(scale.min() >= 1))


def _written_weight(graph: Graph, node: Node, op: Population) -> Floats | None:
    """|w| of each channel, (C, 1, …), for neurons that get one number each, weighted by it."""
    if len(op.maps) != 1 or not isinstance(op.model, Counting) or not encodes(graph, node):
        return None
    (last,) = op.maps[0]
    if not isinstance(last, Scale):
        return None
    behind = np.broadcast_to(last.weight.floats, graph.operands(node)[0].type.shape)
    weight = np.abs(behind.reshape(op.shape))
    most, least = grouped(weight, False), -grouped(-weight, False)
    return most if np.array_equal(most, least) and least.min() > 0 else None


def _written(graph: Graph, limits: Limits) -> dict[str, Choice]:
    """S = m / |w| for neurons that get one number each, with the largest m that there is room for.

    One m for all of them: with several, thresholds would differ for no other reason.
    """
    weights, rooms = {}, {}
    for node, op in _all(graph):
        weight = _written_weight(graph, node, op)
        if weight is not None:
            weights[node.name] = weight
            rooms[node.name] = room(graph, node, op, limits, exact=True)
    most = {
        name: float(np.floor(given.scale * weights[name]).min()) for name, given in rooms.items()
    }
    factor = max(min(most.values(), default=1.0), 1.0)
    return {
        name: Choice(factor / weights[name], given, most[name] >= 1)
        for name, given in rooms.items()
    }


def _theta(node: Node, choice: Choice) -> Integers:
    """The thresholds of a population as integers, broadcastable to its shape."""
    if choice.theta is not None:
        return choice.theta
    _, model = _spiking(node)
    found: Integers = np.rint(model.theta.floats * choice.scale).astype(np.int64)
    return np.maximum(found, 1)


def _stretched(
    graph: Graph, written: dict[str, Choice], limits: Limits, values: tuple[int, int], by: str
) -> tuple[Graph, dict[str, Choice]]:
    """Thresholds of the input's neurons, and the graph in the units that follow from them.

    values: how many there are in the whole network (0: any), and the bits of their mantissas.
    """
    thresholds, grid = values
    wanted: Counter[int] = Counter()
    for name, choice in written.items():
        wanted.update(_shares(representable(_theta(graph[name], choice), grid, nearest=True)))
    chosen: tuple[int, ...] = tuple(wanted)
    for count in range(1, max(thresholds // 2, 1) + 1) if thresholds else ():
        chosen = choose({}, wanted, count)
        asked = np.array(list(wanted))
        octaves = np.log2(nearest_to(asked, chosen)) - np.log2(asked)
        if np.abs(octaves).max() <= LARGEST_STRETCH:
            break
    uniform = uniform_nodes(graph)
    units = {node.name: np.ones((1,) * len(node.type.shape)) for node in graph}
    for name, choice in written.items():
        theta = nearest_to(representable(_theta(graph[name], choice), grid, nearest=True), chosen)
        op, model = _spiking(graph[name])
        stretch = theta / (model.theta.floats * choice.scale)
        # a float32 weight of 1/2047 is a little more or less
        stretch = np.where(np.abs(stretch - 1) < NO_STRETCH, 1.0, stretch)
        each = grouped(np.broadcast_to(stretch, op.shape), name in uniform)
        if not np.array_equal(np.broadcast_to(each, op.shape), np.broadcast_to(stretch, op.shape)):
            each = np.ones_like(each)
        units[name] = each
        written[name] = replace(choice, scale=choice.scale * each, theta=theta)
    graph = _in_units(graph, units, by)
    return graph, {name: _held(graph, name, choice, limits) for name, choice in written.items()}


def _held(graph: Graph, name: str, choice: Choice, limits: Limits) -> Choice:
    """Whether there is room for S with the thresholds that were chosen."""
    op, model = _spiking(graph[name])
    theta = f32(_theta(graph[name], choice) / choice.scale)
    there = room(
        graph, graph[name], replace(op, model=replace(model, theta=theta)), limits, exact=True
    )
    enough = bool(np.all(choice.scale <= there.scale * (1 + NO_STRETCH)))
    return replace(choice, fits=choice.fits and enough)


def _lowered(
    graph: Graph,
    found: dict[str, Choice],
    limits: Limits,
    values: tuple[int, int],
    fixed: frozenset[int],
) -> dict[str, Choice]:
    """The largest of few thresholds that each channel has room for; values as in `_stretched`."""
    thresholds, grid = values
    wanted: Counter[int] = Counter()
    asked: dict[str, Integers] = {}
    for name, choice in found.items():
        op = graph[name].op
        if isinstance(op, Population) and isinstance(op.model, Counting) and choice.fits:
            most = np.broadcast_to(op.model.theta.floats, op.shape) * choice.scale
            # a float32 threshold of 0.9 is a little more or less
            whole = np.maximum(np.floor(most * (1 + NO_STRETCH)), 1).astype(np.int64)
            asked[name] = representable(whole, grid)
            wanted.update(_shares(asked[name]))
    chosen = choose(wanted, {}, thresholds, fixed) if thresholds and wanted else tuple(wanted)
    result, smaller = dict(found), dict(found)
    for name, most_theta in asked.items():
        node, theta = graph[name], largest_below(most_theta, chosen)
        result[name] = _with_theta(graph, node, found[name], theta)
        if limits.bound == "reset":
            op, scale = _spiking(node)[0], result[name].scale
            over = overshoot(
                graph, node, rounded(graph, node, op, scale, limits.bits, theta), limits
            )
            if over.max() > 1:
                # weights were rounded up, most of them
                less = np.where(over > 1, scale / over * (1 - 2.0**-7), found[name].scale)
                smaller[name] = replace(found[name], scale=less, fits=bool(less.min() > 0.5))
    if all(smaller[name] is found[name] for name in found):
        return result
    return _lowered(graph, smaller, limits, values, fixed)


def _with_theta(graph: Graph, node: Node, choice: Choice, theta: Integers) -> Choice:
    """S as it follows from thresholds, where one S is of one threshold."""
    op, model = _spiking(node)
    shared = shares_scale(graph, node, op)
    full = np.broadcast_to(model.theta.floats, op.shape)
    scale = choice.scale
    if np.array_equal(grouped(full, shared), -grouped(-full, shared)):
        scale = np.minimum(grouped(theta / full, shared), scale)
    return replace(choice, scale=scale, theta=theta)


def _spiking(node: Node) -> tuple[Population, Counting]:
    """A population that sends spikes, and its model, which has thresholds."""
    if not isinstance(node.op, Population) or not isinstance(node.op.model, Counting):
        raise AssertionError("a population that sends spikes has thresholds")
    return node.op, node.op.model


def _shares(values: Integers) -> dict[int, int]:
    """Each value with its share of a population's importance."""
    different, counts = np.unique(values, return_counts=True)
    return {
        int(value): max(int(IMPORTANCE * count // counts.sum()), 1)
        for value, count in zip(different, counts, strict=True)
    }
