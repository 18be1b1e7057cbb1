"""`current-maxima`: maxima over what are no spikes, as neurons that compare two numbers each.

    %p = maxpool(%c)     →     %p.more = neuron(%a − %b) {model=relu{}},  %p = %b + %p.more

because max(a, b) = b + relu(a − b). Axis after axis, a window is two halves, each of them two
halves, down to single numbers; halves that windows share are compared once. What of a window lies
in the padding is left out. Where the numbers come from a weighted layer, they first become the
spikes of two populations, x = relu(x) − relu(−x), so that each comparison reads spikes.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node, Tensor, f32
from snncc_ir.ops import (
    Add,
    Affine,
    AnyInput,
    Concat,
    MaxPool,
    Neuron,
    Op,
    Pad,
    Relu,
    Reshape,
    Scale,
    Slice,
    Transpose,
    View,
)  # fmt: skip

Interval = tuple[int, int]
"""First and last number of a window along an axis."""

_ONE_TO_ONE = (Add, Affine, Concat, Pad, Reshape, Scale, Slice, Transpose, View)


@dataclass(frozen=True)
class CurrentMaxima(Pass):
    """Max pools over currents become populations that compare two numbers."""

    name = "current-maxima"
    needs = LOWERED
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        if not any(_is_over_currents(node) for node in graph):
            return graph
        builder = GraphBuilder(graph.name)
        for node in graph:
            if isinstance(node.op, MaxPool) and _is_over_currents(node):
                _Comparison(builder, node, self.name).add(node.op)
            else:
                builder.add(node.name, node.op, node.inputs, node.origin)
        return builder.graph()


def _is_over_currents(node: Node) -> bool:
    return isinstance(node.op, MaxPool) and isinstance(node.type, Current)


class _Comparison:
    """Adds the nodes that stand for one max pool."""

    def __init__(self, builder: GraphBuilder, node: Node, by: str) -> None:
        self._builder, self._node = builder, node
        self._origin = node.origin.by(by)

    def add(self, op: MaxPool) -> None:
        value = self._node.inputs[0]
        if not _is_one_to_one(self._builder, value):
            value = self._paired(value)
        rank = len(op.kernel)
        for axis, size in enumerate(self._builder[value].type.shape[1:]):
            begin = -op.pads[axis]
            last = size + op.pads[axis + rank] - op.kernel[axis]
            firsts = range(begin, last + 1, op.stride[axis])
            windows = [(max(first, 0), min(first + op.kernel[axis], size) - 1) for first in firsts]
            value = self._largest(value, axis + 1, windows)
        shape = self._builder[value].type.shape
        index = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
        self._builder.add(self._node.name, View(Tensor(index)), [value], self._origin)

    def _largest(self, value: str, axis: int, windows: list[Interval]) -> str:
        """The largest number of each window along an axis."""
        if all(first == last for first, last in windows):
            return self._taken(value, axis, [first for first, _ in windows])
        halves = [_halves(window) for window in windows]
        below = sorted({half for pair in halves for half in pair})
        inner = self._largest(value, axis, below)
        places = {half: place for place, half in enumerate(below)}
        a, b = (self._taken(inner, axis, [places[pair[i]] for pair in halves]) for i in (0, 1))
        less = self._new(Affine(f32(-1.0), f32(0.0)), b)
        more = self._new(Neuron(Relu()), self._new(Add(), a, less))
        return self._new(Add(), b, more)

    def _taken(self, value: str, axis: int, places: list[int]) -> str:
        shape = self._builder[value].type.shape
        if places == list(range(shape[axis])):
            return value
        index = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
        return self._new(View(Tensor(np.take(index, places, axis))), value)

    def _paired(self, value: str) -> str:
        """relu(x) − relu(−x)."""
        positive = self._new(Neuron(Relu()), value)
        negative = self._new(Neuron(Relu()), self._new(Affine(f32(-1.0), f32(0.0)), value))
        return self._new(Add(), positive, self._new(Affine(f32(-1.0), f32(0.0)), negative))

    def _new(self, op: Op, *inputs: str) -> str:
        name = self._builder.unique(f"{self._node.name}.{op.name}")
        return self._builder.add(name, op, inputs, self._origin).name


def _halves(window: Interval) -> tuple[Interval, Interval]:
    """Two intervals of half the length, which may overlap, that together are the window."""
    first, last = window
    half = (last - first) // 2
    return (first, first + half), (last - half, last)


def _is_one_to_one(builder: GraphBuilder, name: str) -> bool:
    """Whether each number is a weighted sum of few spikes or inputs, moved at most."""
    seen, open_names = set(), [name]
    while open_names:
        node = builder[open_names.pop()]
        if node.name in seen or isinstance(node.op, AnyInput | Neuron | MaxPool):
            continue
        seen.add(node.name)
        if not isinstance(node.op, _ONE_TO_ONE):
            return False
        open_names += node.inputs
    return True
