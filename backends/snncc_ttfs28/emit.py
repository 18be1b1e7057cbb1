"""From a network in normal form to an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir import (
    Diagnostic,
    FirstSpike,
    Graph,
    Integers,
    Log2,
    Node,
    SnnccError,
    Spikes,
    constants,
)  # fmt: skip
from snncc_ir.ops import (
    Conv,
    Dense,
    Input,
    MaxPool,
    Output,
    Population,
    Readout,
    Scale,
    TimeToFirstSpike,
)  # fmt: skip
from snncc_ttfs28.image import Image, Map, Parameters
from snncc_ttfs28.machine import Machine
from snncc_ttfs28.routes import Box, box, routes, target_box
from snncc_ttfs28.schedule import Scheduler
from snncc_ttfs28.tables import Place

SPIKES, INPUT, OUTPUT = 0, 1, 2
"""Spaces of external memory."""


def make_image(graph: Graph, machine: Machine) -> Image:
    """The image of a graph (stage INTEGER, ttfs code) that obeys the target's rules.

    Raises SNN041 for all layers that cannot be cut into tiles that fit the buffers.
    """
    made = schedule(graph, machine)
    if made.findings:
        raise SnnccError(made.findings)
    return image_of(made, machine)


def image_of(made: "Schedule", machine: Machine) -> Image:
    """The image of a schedule without findings."""
    code, nodes, scheduler = made.code, made.nodes, made.scheduler
    tables = scheduler.tables
    octave = scheduler.machine.octave
    return Image(
        machine.digest,
        scheduler.machine,
        tuple(scheduler.instructions),
        np.concatenate(tables.weights) if tables.weights else np.zeros(0, np.uint8),
        np.array(tables.exponents, np.uint16),
        np.array(tables.biases, np.int32),
        np.array(tables.thresholds, np.int32).reshape(-1, code.steps),
        constants(code.constant_bits, octave).astype(np.uint32),
        tuple(_map(node, i, made.places[node.name]) for i, node in enumerate(nodes)),
        tuple(node.name for node in nodes),
    )


@dataclass(frozen=True)
class Schedule:
    """Of a network: its nodes, outputs aside, where their numbers lie, and all instructions but
    those of the layers that `findings` are about."""

    code: FirstSpike
    nodes: tuple[Node, ...]
    places: Mapping[str, Place]
    scheduler: Scheduler
    findings: tuple[Diagnostic, ...]


def schedule(graph: Graph, machine: Machine) -> Schedule:
    """The instructions of all layers that can be cut into tiles; findings for the others."""
    code = graph.code
    if not isinstance(code, FirstSpike):
        raise AssertionError("the rules hold that the code is ttfs")
    nodes = tuple(node for node in graph if not isinstance(node.op, Output))
    places, cells = _places(graph, nodes)
    scheduler = Scheduler(_parameters(graph, machine, code, cells))
    findings: list[Diagnostic] = []
    for layer, node in enumerate(nodes):
        try:
            match node.op:
                case MaxPool():
                    source = places[node.inputs[0]]
                    scheduler.pool(layer, str(node.origin), places[node.name], source, node)
                case Population():
                    _population(graph, node, node.op, code, layer, places, scheduler)
        except SnnccError as error:
            findings += error.diagnostics
    scheduler.end()
    return Schedule(code, nodes, places, scheduler, tuple(findings))


def _places(graph: Graph, nodes: Sequence[Node]) -> tuple[dict[str, Place], list[int]]:
    """Where each node's numbers lie, and the cells of each space."""
    used = [0, 0, 0]
    places = {}
    for node in nodes:
        space = INPUT if isinstance(node.op, Input) else OUTPUT
        if isinstance(node.type, Spikes):
            space = SPIKES
        shape: Box = box(node.type.shape)
        if isinstance(node.op, Population):
            shape = target_box(graph, node, node.op)
        places[node.name] = Place(space, used[space], shape)
        used[space] += prod(shape)
    return places, used


def _parameters(graph: Graph, machine: Machine, code: FirstSpike, cells: list[int]) -> Parameters:
    levels = [node.op.levels or 1 for node in graph.inputs if isinstance(node.op, Input)]
    weights = [weight for node in graph for weight in log_weights(node)]
    # as many bits as the codes need; a network of zeros takes the fewest
    largest = max((int(np.abs(weight.codes.integers).max()) for weight in weights), default=1)
    return Parameters(
        code.steps,
        code.tau,
        weights[0].resolution if weights else machine.resolution,
        max(2, largest.bit_length() + 1),
        code.constant_bits,
        machine.accumulator_bits,
        max(level.bit_length() for level in levels),
        machine.processing_elements,
        machine.weight_buffer,
        machine.spike_buffer,
        machine.accumulators,
        machine.bus_bits,
        cells[INPUT],
        cells[SPIKES],
        cells[OUTPUT],
    )


def log_weights(node: Node) -> list[Log2]:
    """The weights of a population's maps."""
    if not isinstance(node.op, Population):
        return []
    last = [chain[-1] for chain in node.op.maps]
    return [
        op.weight
        for op in last
        if isinstance(op, Conv | Dense | Scale) and isinstance(op.weight, Log2)
    ]


def _population(
    graph: Graph,
    node: Node,
    op: Population,
    code: FirstSpike,
    layer: int,
    places: dict[str, Place],
    scheduler: Scheduler,
) -> None:
    at = places[node.name]
    feeding = list(routes(graph, node, op, code))
    bias: Integers = np.broadcast_to(op.bias.integers, op.shape).reshape(at.box)
    rows = bias.reshape(at.box[0], -1)
    if bool(np.all(rows == rows[:, :1])):
        bias = rows[:, 0]
    thresholds = op.model.threshold.integers if isinstance(op.model, TimeToFirstSpike) else None
    sources = [places[route.source.name] for route in feeding]
    scheduler.population(layer, str(node.origin), at, feeding, sources, bias, thresholds)


def _map(node: Node, name: int, place: Place) -> Map:
    levels, scale = 0, 0.0
    match node.op:
        case Input():
            levels, scale = node.op.levels or 1, node.op.scale
        case Population():
            each = node.op.scale.floats
            if bool(np.all(each == each.flat[0])):
                scale = float(each.flat[0])
                if isinstance(node.op.model, Readout):
                    scale /= float(node.op.model.theta.floats.flat[0])
    return Map(name, place.space, place.address, place.box, levels, scale)
