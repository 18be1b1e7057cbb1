"""From a graph to the files: the configuration, the cells of each array, the digital tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import jinja2
import numpy as np

from snncc.backends import to_json
from snncc.ir import Array, Graph, Node, Rate, pack
from snncc.ir.ops import (
    Conv,
    GradedIntegrateFire,
    Input,
    IntegrateFire,
    MaxPool,
    Population,
    Readout,
)
from snncc_xbar.config import (
    CONFIG,
    FOLDER,
    FORMAT,
    MAP,
    TENSORS,
    Arrays,
    Config,
    InputPort,
    Kernel,
    Layer,
    Map,
    PlacedTile,
)
from snncc_xbar.matrices import Projection, projections
from snncc_xbar.settings import XbarSettings
from snncc_xbar.tiling import scheme_of, tiles_of


@dataclass(frozen=True)
class Plan:
    """config: what the file will say. matrices: by the tensors' name of a map."""

    config: Config
    matrices: Mapping[str, Projection]


def plan(graph: Graph, settings: XbarSettings) -> Plan:
    """Puts every matrix on arrays; depends on shapes and on the largest code of each."""
    matrices: dict[str, Projection] = {}
    layers: list[Layer] = []
    arrays = 0
    for node in graph:
        if isinstance(node.op, MaxPool):
            kernel = Kernel(
                node.op.kernel, node.op.stride, node.op.pads, (1,) * len(node.op.kernel)
            )
            layers.append(
                Layer(node.name, "maxpool", node.type.shape, 1, 0, (), kernel, node.inputs[0])
            )
        elif isinstance(node.op, Population):
            maps = []
            for place, projection in enumerate(projections(graph, node)):
                name = f"{len(layers)}.{place}"
                matrices[name] = projection
                maps.append(_map(name, projection, settings, arrays))
                arrays += len(maps[-1].tiles)
            layers.append(_layer(node, node.op, tuple(maps)))
    ports = tuple(
        InputPort(node.name, node.op.shape, node.op.scale, node.op.levels or 1)
        for node in graph.inputs
        if isinstance(node.op, Input)
    )
    size = Arrays(settings.array, settings.array, settings.mux, settings.converter_bits)
    steps = graph.code.steps if isinstance(graph.code, Rate) else 1
    config = Config(FORMAT, steps, size, settings.device, ports, tuple(layers))
    return Plan(config, matrices)


def _layer(node: Node, op: Population, maps: tuple[Map, ...]) -> Layer:
    model = op.model
    most = model.most if isinstance(model, GradedIntegrateFire) else 1
    delay = model.delay if isinstance(model, Readout) else 0
    return Layer(node.name, model.name, op.shape, most, delay, maps, None, "")


def _map(name: str, projection: Projection, settings: XbarSettings, first: int) -> Map:
    feed, last, matrix = projection.feed, projection.last, projection.matrix
    kernel = None
    if isinstance(last, Conv):
        kernel = Kernel(last.window.kernel, last.stride, last.pads, last.dilation)
    given = Map(
        projection.source, name, feed.route is not None, projection.moved, feed.bits, feed.signed,
        kernel, 0, 1, None, (),
    )  # fmt: skip
    if matrix is None:
        return given
    scheme = scheme_of(matrix, settings.cells)
    tiles = tuple(
        PlacedTile(tile.row, tile.rows, tile.output, tile.outputs, first + i)
        for i, tile in enumerate(tiles_of(matrix, scheme, settings.array))
    )
    return replace(
        given, outputs=len(matrix.codes), groups=matrix.groups, scheme=scheme, tiles=tiles
    )


def emit(graph: Graph, settings: XbarSettings) -> dict[str, bytes]:
    """All files by their paths; the same bytes for the same graph and settings."""
    made = plan(graph, settings)
    files = {CONFIG: to_json(made.config.as_json())}
    for layer in made.config.layers:
        for each in layer.maps:
            files.update(_cells(each, made.matrices[each.tensors], made.config.arrays))
    files[TENSORS] = pack(dict(_tensors(graph, made)))
    files[MAP] = _text(made.config, graph.name).encode()
    return files


def array_file(number: int) -> str:
    """Path of an array's cells in a bundle."""
    return str(PurePosixPath(FOLDER) / "arrays" / f"{number}.bin")


def _cells(each: Map, projection: Projection, size: Arrays) -> Iterator[tuple[str, bytes]]:
    if projection.matrix is None or each.scheme is None:
        return
    for tile in each.tiles:
        rows = slice(tile.row, tile.row + tile.rows)
        codes = projection.matrix.codes[tile.output : tile.output + tile.outputs, rows]
        written = each.scheme.cells(codes)
        cells = np.zeros((size.rows, size.columns), bool)
        cells[: written.shape[0], : written.shape[1]] = written
        yield array_file(tile.array), np.packbits(cells.reshape(-1)).tobytes()


def _tensors(graph: Graph, made: Plan) -> Iterator[tuple[str, Array]]:
    """What is not on arrays: thresholds, starts, biases; routes, factors, one-to-one weights."""
    for index, layer in enumerate(made.config.layers):
        op = graph[layer.name].op
        if not isinstance(op, Population):
            continue
        yield f"{index}.bias", op.bias.integers
        if isinstance(op.model, IntegrateFire):
            yield f"{index}.theta", op.model.theta.integers
            yield f"{index}.start", op.model.start.integers
        for each in layer.maps:
            projection = made.matrices[each.tensors]
            if projection.feed.route is not None:
                yield f"{each.tensors}.route", projection.feed.route.astype(np.int32)
            if projection.matrix is not None:
                yield f"{each.tensors}.factor", projection.matrix.factor
            else:
                yield f"{each.tensors}.scale", projection.last.weight.integers


def _text(config: Config, name: str) -> str:
    """What a person reads: which part of which layer is on which array."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("snncc_xbar"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.get_template("map.txt.j2").render(config=config, name=name)
