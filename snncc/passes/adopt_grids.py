"""`adopt-grids`: the grids of a quantized network go into what computes the values.

    %q = quantize(%c) {step=s, low=0, high=255}   →   %q = neuron(%c) {model=relu{ceiling=255·s,
                                                                                 step=s}}

A grid from 0 on over a sum is a ReLU too, and tools that quantize leave the network's own ReLU out
there. Where there is one, before the grid or behind it, the grid joins it, also across max pools
and moves: these commute with rounding. A grid on the network's input becomes its integers,

    %x = input                                        %x = input {scale=s, levels=117}
    %q = quantize(%x) {step=s, low=-117, high=138}  →  %x.units = affine(%x) {scale=s, offset=0}

and of a grid on values that are on it already nothing is left. Others stay: see `drop-grids`.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node, Origin, Tensor, f32
from snncc_ir.ops import (
    Add,
    Affine,
    AnyInput,
    AvgPool,
    Concat,
    Input,
    MaxPool,
    Neuron,
    Op,
    Pad,
    Quantize,
    Relu,
    Reshape,
    Slice,
    SumPool,
    Transpose,
    TtfsRelu,
)  # fmt: skip

COMMUTING = (MaxPool, Pad, Reshape, Slice, Transpose)
"""Rounding gives the same before them as after them, with one step for all numbers."""
KEEPS_SIGN = (*COMMUTING, Add, AvgPool, Concat, SumPool)


@dataclass(frozen=True)
class AdoptGrids(Pass):
    """Moves grids (`quantize`) into neurons and into the network's input."""

    name = "adopt-grids"
    needs = LOWERED
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        if not any(isinstance(node.op, Quantize) for node in graph):
            return graph
        return _Adoption(graph, self.name).run()


@dataclass(frozen=True)
class _Grid:
    """Where all values of a node are multiples of a step, by integers from low to high."""

    step: Tensor
    low: int
    high: int

    def holds(self, op: Quantize) -> bool:
        """Whether `op` leaves values on this grid as they are."""
        return self.step == op.step and op.low <= self.low and self.high <= op.high


class _Adoption:
    """Ops, operands and origins of all nodes, while they change; and whom a node gave way to."""

    def __init__(self, graph: Graph, by: str) -> None:
        self._graph, self._by = graph, by
        self._ops: dict[str, Op] = {node.name: node.op for node in graph}
        self._operands = {node.name: node.inputs for node in graph}
        self._origins = {node.name: node.origin for node in graph}
        self._stands: dict[str, str] = {}
        self._units: dict[str, Tensor] = {}
        self._grids: dict[str, _Grid] = {}

    def run(self) -> Graph:
        for node in self._graph:
            self._operands[node.name] = tuple(self._stands.get(n, n) for n in node.inputs)
            match node.op:
                case Quantize():
                    self._grid(node, node.op)
                case Neuron(model=Relu(step=None) as relu) if not isinstance(relu, TtfsRelu):
                    self._neuron(node, relu)
            if node.name not in self._stands:
                found = self._grid_of(node.name)
                if found is not None:
                    self._grids[node.name] = found
        return self._rebuilt()

    def _grid(self, node: Node, op: Quantize) -> None:
        (operand,) = self._operands[node.name]
        there = self._grids.get(operand)
        if there is not None and there.holds(op):
            self._replace(node, operand)
            return
        top = self._above(operand, op)
        if op.rounding != "even" or op.high == 0:
            return
        match self._ops[top] if top else None:
            case Neuron(model=Relu(step=None) as relu) if not isinstance(relu, TtfsRelu):
                self._put(top, Neuron(_on_grid(relu, op)), node.origin)
                self._spread(top, operand)
                self._replace(node, operand)
                return
            case Input(shape, levels=None):
                levels = max(-op.low, op.high)
                self._put(top, Input(shape, float(op.step.floats.item()), levels), node.origin)
                self._units[top] = op.step
                self._grids[top] = _Grid(op.step, -levels, levels)
                self._spread(top, operand)
                if self._grids[operand].holds(op):
                    self._replace(node, operand)
                return
        kind = self._graph[operand].type
        pooled = any(isinstance(user.op, MaxPool) for user in self._graph.users[node.name])
        if op.low == 0 and isinstance(kind, Current) and (pooled or not self._never_negative(node)):
            self._put(node.name, Neuron(_on_grid(Relu(), op)), Origin())

    def _neuron(self, node: Node, relu: Relu) -> None:
        """A ReLU right behind a grid: one neuron that does both."""
        (operand,) = self._operands[node.name]
        match self._ops[operand]:
            case Quantize(rounding="even") as op if op.high > 0:
                self._put(node.name, Neuron(_on_grid(relu, op)), self._origins[operand])
                self._operands[node.name] = self._operands[operand]
            case Neuron(model=Relu(ceiling, step)) if step is not None and ceiling is not None:
                if relu.ceiling is None or relu.ceiling.floats.min() >= ceiling.floats.max():
                    self._replace(node, operand)

    def _above(self, name: str, op: Quantize) -> str:
        """The node above moves and max pools that nothing but this grid reads; '' if none."""
        while self._only_for(name, op):
            if not isinstance(self._ops[name], COMMUTING):
                return name
            if op.step.array.size != 1:
                return ""
            (name,) = self._operands[name]
        return ""

    def _only_for(self, name: str, op: Quantize) -> bool:
        users = self._graph.users[name]
        return len(users) == 1 or all(user.op == op for user in users)

    def _spread(self, top: str, down_to: str) -> None:
        """Grids of the moves from `top` to an operand, once `top` has one."""
        way = [down_to]
        while way[-1] != top:
            way.append(self._operands[way[-1]][0])
        for name in reversed(way):
            found = self._grid_of(name)
            if found is not None:
                self._grids[name] = found

    def _grid_of(self, name: str) -> _Grid | None:
        op, operands = self._ops[name], self._operands[name]
        given = [self._grids.get(operand) for operand in operands]
        match op:
            case Quantize():
                return _Grid(op.step, op.low, op.high)
            case Neuron(model=Relu(step=Tensor() as step) as relu):
                return _Grid(step, 0, int(relu.levels.max()))
            case AnyInput():
                return self._grids.get(name)
        known = [grid for grid in given if grid is not None]
        if not known or len(known) < len(given) or known[0].step.array.size != 1:
            return None
        same = all(grid.step == known[0].step for grid in known)
        if not same or not isinstance(op, (*COMMUTING, Concat)):
            return None
        return _Grid(known[0].step, min(g.low for g in known), max(g.high for g in known))

    def _never_negative(self, node: Node) -> bool:
        """Whether the grid's operand is, so that the grid is no ReLU, and no neurons are needed."""
        pending = list(self._operands[node.name])
        while pending:
            name = pending.pop()
            op = self._ops[name]
            if isinstance(op, Neuron) or (isinstance(op, Quantize) and op.low == 0):
                continue
            if not isinstance(op, KEEPS_SIGN):
                return False
            pending += self._operands[name]
        return True

    def _put(self, name: str, op: Op, origin: Origin) -> None:
        self._ops[name] = op
        self._origins[name] = self._origins[name].joined([origin], self._by)

    def _replace(self, node: Node, stand: str) -> None:
        """`node` gives way to one of equal value, which keeps where both come from."""
        self._stands[node.name] = stand
        self._origins[stand] = self._origins[stand].joined([self._origins[node.name]], self._by)

    def _rebuilt(self) -> Graph:
        builder = GraphBuilder(self._graph.name)
        names: dict[str, str] = {}
        for node in self._graph:
            if node.name in self._stands:
                continue
            origin = self._origins[node.name]
            inputs = [names[operand] for operand in self._operands[node.name]]
            names[node.name] = builder.add(node.name, self._ops[node.name], inputs, origin).name
            if node.name in self._units:
                units = Affine(self._units[node.name], f32(0.0))
                name = builder.unique(_free(self._graph, f"{node.name}.units"))
                names[node.name] = builder.add(name, units, [node.name], origin).name
        return builder.graph()


def _free(graph: Graph, wish: str) -> str:
    while wish in graph.by_name:
        wish += "_"
    return wish


def _on_grid(relu: Relu, op: Quantize) -> Relu:
    """Neurons that send what the grid makes of the ReLU."""
    step = op.step.floats
    levels = np.full(step.shape, float(op.high))
    if relu.ceiling is not None:
        levels = np.minimum(np.rint(relu.ceiling.floats / step), levels)
    return Relu(f32(levels * step), op.step)
