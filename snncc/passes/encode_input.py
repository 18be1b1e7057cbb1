"""`encode-input`: the network's numbers become spikes, for chips without constant currents.

    %x = input                    %x = input
    %a = population(%x)      →    %x.on = population(%x) {maps=[[scale{weight=1}]], model=relu{}}
         {maps=[[conv{W}]]}       %x.off = population(%x) {maps=[[scale{weight=-1}]], model=relu{}}
                                  %a = population(%x.on, %x.off) {maps=[[conv{W}], [conv{-W}]]}

because x = relu(x) − relu(−x). What a neuron of the input gets is one number, times ±1: on a chip
it is the neuron's own bias, which the host writes. OFF neurons cost as much as ON neurons, and an
input that is never negative has none.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc_ir import NORMAL, Factored, Graph, GraphBuilder, Node, Tensor, f32, fail
from snncc_ir.ops import Chain, Conv, Dense, Input, Population, Relu, Scale

SIGNS = ("auto", "both", "none")


@dataclass(frozen=True)
class EncodeInput(Pass):
    """Populations ON and OFF between each input and what it feeds.

    sign: `auto` has OFF neurons where calibration samples hold negative numbers, `both` always,
    `none` never.
    """

    sign: str = "auto"
    name = "encode-input"
    needs = NORMAL
    promise = Close()

    def __post_init__(self) -> None:
        if self.sign not in SIGNS:
            raise fail("SNN020", f"sign is '{self.sign}', should be {' or '.join(SIGNS)}")

    def run(self, graph: Graph, context: Context) -> Graph:
        if not any(_takes_numbers(graph, node) for node in graph):
            return graph
        builder = GraphBuilder(graph.name)
        parts: dict[str, list[tuple[str, bool]]] = {}
        for node in graph:
            if _takes_numbers(graph, node) and isinstance(node.op, Population):
                inputs, maps = [], []
                for source, chain in zip(node.inputs, node.op.maps, strict=True):
                    for name, negative in parts.get(source, [(source, False)]):
                        inputs.append(name)
                        maps.append(_negated(chain) if negative else chain)
                op = replace(node.op, maps=tuple(maps))
                builder.add(node.name, op, inputs, node.origin.by(self.name))
                continue
            builder.add(node.name, node.op, node.inputs, node.origin)
            if any(_takes_numbers(graph, user) for user in graph.users[node.name]):
                if isinstance(node.op, Input):
                    parts[node.name] = self._encoders(graph, node, builder, context)
        return builder.graph()

    def _encoders(
        self, graph: Graph, node: Node, builder: GraphBuilder, context: Context
    ) -> list[tuple[str, bool]]:
        """Adds the populations of an input; their names, and whether they count negatively."""
        least = 0.0
        if self.sign != "both":
            least = float(np.min(context.calibration[node.name], initial=0.0))
        if self.sign == "none" and least < 0:
            raise fail(
                "SNN020",
                f"calibration samples of '{node.name}' go down to {least:.3g}, should not be "
                "negative for sign=none",
                str(node.origin),
                "encode-input{sign=both}",
            )
        kinds = [("on", 1.0)]
        if self.sign == "both" or least < 0:
            kinds.append(("off", -1.0))
        shape = node.type.shape
        ones = np.ones((1,) * len(shape))
        found = []
        for kind, sign in kinds:
            name = _free(graph, f"{node.name}.{kind}")
            op = Population(shape, ((Scale(f32(sign * ones)),),), f32(0 * ones), Relu())
            builder.add(name, op, [node.name], node.origin.by(self.name))
            found.append((name, sign < 0))
        return found


def encodes(graph: Graph, node: Node) -> bool:
    """Whether neurons each get one number of the network's input, and nothing but it."""
    return isinstance(node.op, Population) and all(
        isinstance(source.op, Input) and len(chain) == 1 and isinstance(chain[0], Scale)
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True)
    )


def _takes_numbers(graph: Graph, node: Node) -> bool:
    """Whether a population is fed by an input in another way than one number a spiking neuron."""
    if not isinstance(node.op, Population):
        return False
    if encodes(graph, node) and isinstance(node.op.model, Relu) and len(node.inputs) == 1:
        return False
    return any(isinstance(source.op, Input) for source in graph.operands(node))


def _free(graph: Graph, wish: str) -> str:
    """`wish`, or `wish` with the first number behind it that no node of the graph has."""
    name, number = wish, 2
    while name in graph.by_name:
        name, number = f"{wish}_{number}", number + 1
    return name


def _negated(chain: Chain) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight: Tensor = last.weight
    if isinstance(weight, Factored):
        weight = weight.negated()
    else:
        weight = f32(-weight.floats)
    return (*moves, replace(last, weight=weight))
