"""`fuse`: the graph in normal form, where only populations, max pools, inputs and outputs are left.

    %c = conv(%x) {weight=W, bias=b}
    %s = add(%c, %y)                      %r = population(%x, %y)
    %r = neuron(%s) {model=relu{}}   →        {maps=[[conv{weight=W}], [scale{weight=1}]], bias=b}

A residual sum is two projections into one population, a concat is several sources, an average is a
sum of spikes times a weight. Biases of all layers in between become the population's own bias: what
it receives when its sources send nothing.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.chains import compress, simplify
from snncc_ir import (
    LOWERED,
    NORMAL,
    Analog,
    Diagnostic,
    Floats,
    Graph,
    GraphBuilder,
    Node,
    Origin,
    SnnccError,
    Tensor,
    f32,
    fail,
)  # fmt: skip
from snncc_ir.ops import (
    Add,
    Affine,
    AnyInput,
    Chain,
    Concat,
    Conv,
    Dense,
    Input,
    MaxPool,
    Model,
    Neuron,
    Op,
    Output,
    Pad,
    Population,
    Quantize,
    Readout,
    Relu,
    Reshape,
    Scale,
    Slice,
    Transpose,
    View,
    index_of,
)  # fmt: skip

HINT = "put a ReLU between two linear layers, or merge them before the export"
PATH_LIMIT = 256
"""Most ways from sources to one population; beyond, sums of sums have multiplied them."""


@dataclass(frozen=True)
class Fuse(Pass):
    """Gathers linear layers into the maps of populations."""

    name = "fuse"
    needs = LOWERED
    leaves = NORMAL
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        if all(isinstance(node.op, AnyInput | Population | MaxPool | Output) for node in graph):
            return graph  # in normal form already
        return _Fusion(graph, self.name).run()


@dataclass(frozen=True)
class _Linear:
    """A value as a sum of paths from sources, and what is left when all sources are zero."""

    paths: tuple[tuple[str, Chain], ...]
    rest: Floats
    origin: Origin


class _Fusion:
    def __init__(self, graph: Graph, by: str) -> None:
        self._graph, self._by = graph, by
        self._builder = GraphBuilder(graph.name)
        self._values: dict[str, _Linear] = {}
        self._problems: list[Diagnostic] = []

    def run(self) -> Graph:
        try:
            for node in self._graph:
                operands = [self._values[name] for name in node.inputs]
                if isinstance(node.op, Population):
                    raise fail(
                        "SNN020",
                        f"population '{node.name}' stands among layers that are not fused",
                        str(node.origin),
                        "write neurons and layers, or all of the network as populations",
                    )
                if isinstance(node.op, AnyInput | Neuron | MaxPool | Output):
                    self._source(node, operands)
                else:
                    self._values[node.name] = self._linear(node, operands)
        except SnnccError:
            if not self._problems:  # else it may be due to a stand-in
                raise
        if self._problems:
            raise SnnccError(dict.fromkeys(self._problems))
        graph = self._builder.graph()
        if graph.code is None:
            raise fail(
                "SNN006",
                "no result of the network depends on neurons",
                graph.name,
                "put a ReLU (or ReLU6) between its layers",
            )
        return graph

    def _source(self, node: Node, operands: list[_Linear]) -> None:
        match node.op:
            case AnyInput():
                self._builder.add(node.name, node.op, [], node.origin)
            case Neuron(model):
                self._population(node.name, model, operands[0], node)
            case MaxPool():
                source = self._spiking(operands[0], node)
                self._builder.add(node.name, node.op, [source], node.origin.by(self._by))
            case Output():
                self._output(node, operands[0])
                return
        self._values[node.name] = _Linear(
            ((node.name, ()),), np.zeros((1, *node.type.shape)), Origin()
        )

    def _linear(self, node: Node, operands: list[_Linear]) -> _Linear:
        paths: list[tuple[str, Chain]] = []
        for which, operand in enumerate(operands):
            step = self._step(node, which)
            paths += [(source, (*chain, *step)) for source, chain in operand.paths]
        if len(paths) > PATH_LIMIT:
            self._refuse(node, f"{len(paths)} ways lead from neurons to it")
        rest = node.op.evaluate(tuple(operand.rest for operand in operands))
        origin = Origin().joined([*(operand.origin for operand in operands), node.origin], self._by)
        return _Linear(tuple(paths), rest, origin)

    def _step(self, node: Node, which: int) -> Chain:
        """What a linear node does to its operand `which`, without constant terms."""
        match node.op:
            case Add():
                return ()
            case Affine(scale, _):
                return (Scale(scale),)
            case Conv(weight, stride, pads, dilation, groups, _):
                return (Conv(weight, stride, pads, dilation, groups),)
            case Dense(weight, _):
                return (Dense(weight),)
            case Quantize():
                hint = "run adopt-grids and drop-grids before fuse"
                self._refuse(node, "numbers are rounded between layers", hint=hint)
                return ()
            case Concat():
                types = tuple(operand.type for operand in self._graph.operands(node))
                index = index_of(node.op, types, which).reshape(node.type.shape)
                return (View(Tensor(index.astype(np.int32))),)
        return (node.op,)

    def _population(self, name: str, model: Model, value: _Linear, node: Node) -> None:
        shape = value.rest.shape[1:]
        sources, maps = [], []
        for source, chain in value.paths:
            simple = simplify(chain, self._builder[source].type)
            if simple is None:
                found = " → ".join(op.name for op in chain)
                place = Origin().joined([value.origin, node.origin], self._by)
                self._refuse(node, f"{found}, should be one layer with weights", place)
                simple = (Scale(f32(0.0)),)
            sources.append(source)
            maps.append(simple)
        if self._problems:
            # a stand-in, so that later nodes can be looked at too
            self._builder.add(name, Input(shape), [], node.origin)
            return
        bias = f32(compress(value.rest[0]))
        op = Population(shape, tuple(maps), bias, model)
        origin = Origin().joined([value.origin, node.origin], self._by)
        self._builder.add(name, op, sources, origin)

    def _spiking(self, value: _Linear, node: Node) -> str:
        """A spiking node that sends `value`; a relay population where there is none yet."""
        (source, chain), *others = value.paths
        if not others and not chain and not isinstance(self._builder[source].type, Analog):
            return source
        if any(
            not _moves_only(chain) or isinstance(self._builder[origin].type, Analog)
            for origin, chain in value.paths
        ):
            self._refuse(node, "a maximum of what are no spikes")
        name = self._builder.unique(f"{node.name}.relay")
        self._population(name, Relu(), value, node)
        return name

    def _output(self, node: Node, value: _Linear) -> None:
        operand, index = self._graph[node.inputs[0]], None
        while _only_orders(operand.op):
            (below,) = self._graph.operands(operand)
            step = index_of(operand.op, (below.type,)).astype(np.int32).reshape(operand.type.shape)
            index = step if index is None else step.reshape(-1)[index]
            operand = below
        name = operand.name
        if name not in self._builder:
            self._population(name, Readout(), self._values[name], operand)
        order = None if index is None else Tensor(index)
        if order is not None and order.shape == operand.type.shape:
            order = None if View(order).is_reshape(operand.type) else order
        self._builder.add(node.name, Output(index=order), [name], node.origin.by(self._by))

    def _refuse(self, node: Node, what: str, place: Origin | None = None, hint: str = HINT) -> None:
        self._problems.append(
            Diagnostic(
                "SNN007",
                f"the layers before it cannot be made one projection: {what}",
                str(place or node.origin),
                hint,
            )
        )


def _only_orders(op: Op) -> bool:
    """Whether an output can do what a move does: it takes numbers, and adds none."""
    if isinstance(op, View):
        return bool(op.index.array.min() >= 0)
    return isinstance(op, Reshape | Transpose | Slice)


def _moves_only(chain: Chain) -> bool:
    return all(isinstance(op, View | Reshape | Transpose | Slice | Pad) for op in chain)
