"""A network in normal form as a NIR graph.

Weights, biases and thresholds are the network's integers, so that readers compute exactly. NIR's
neurons fire when v > v_threshold; ours when v ≥ theta, in integers. 2^-k in the bias of each
neuron, added in each of fewer than 2^k steps, stays below 1 and makes both the same: no potential
ever is a threshold. NIR leaves the time step to readers; it is 1 here, and r is 1, so that a
neuron adds its current once a step. What NIR has no place for is said in the graph's metadata.
"""

import json

import numpy as np

from snncc_backends import Preprocessing
from snncc_ir import Array, Graph, Node, Shape, Spikes
from snncc_ir.ops import Input, IntegrateFire, Output, Population, Readout
from snncc_nir.library import library, written
from snncc_nir.maps import Part, parts
from snncc_nir.rules import bias_holder
from snncc_nir.settings import NirSettings, tie_bits

FORMAT = "snncc nir 1"
NEURON_RESET = {"if": "subtract", "hard-if": "zero"}


class _Writer:
    """Collects nodes and edges. names: of the node that sends what a node of the network sends."""

    def __init__(self, graph: Graph, pools: str) -> None:
        self._graph, self._pools = graph, pools
        self._steps = graph.code.train if graph.code else 1
        self.nodes: dict[str, object] = {}
        self.edges: list[tuple[str, str]] = []
        self.names: dict[str, str] = {}
        self.senders: dict[str, list[str]] = {}

    def add(self, kind: str, parameters: dict[str, object]) -> str:
        """A node with a name of its own, as tools give them: `if`, `if_1`, …"""
        stem = kind.lower()
        number = sum(name.rpartition("_")[0] == stem or name == stem for name in self.nodes)
        name = f"{stem}_{number}" if number else stem
        self.nodes[name] = getattr(library(), kind)(**parameters)
        return name

    def input(self, node: Node, op: Input) -> None:
        self.names[node.name] = self.add("Input", {"input_type": _shape("input", op.shape)})
        self.senders[node.name] = [self.names[node.name]]

    def population(self, node: Node, op: Population) -> None:
        """Its maps, and neurons that sum up what they give; a readout is its maps alone."""
        holder = bias_holder(op)
        senders: list[str] = []
        for i, (source, chain) in enumerate(zip(self._graph.operands(node), op.maps, strict=True)):
            at = self.senders[source.name]
            *moves, last = parts(chain, source.type, self._pools)
            bias = self._bias(op, last) if i == holder else np.zeros(1, np.float32)
            for part in [*map(_with_bias, moves), _with_bias(last, bias)]:
                name = self.add(part.kind, part.parameters)
                self.edges += [(sender, name) for sender in at]
                at = [name]
            senders += at
        if isinstance(op.model, IntegrateFire):
            theta = np.broadcast_to(op.model.theta.integers, op.shape).astype(np.float32)
            name = self.add("IF", {"r": np.ones_like(theta), "v_threshold": theta})
            self.edges += [(sender, name) for sender in senders]
            senders = [name]
            self.names[node.name] = name
        self.senders[node.name] = senders

    def _bias(self, op: Population, part: Part) -> Array:
        """What the node that holds them adds: one number a channel or, dense, a neuron."""
        shape = (
            op.shape if part.takes_bias == "neuron" else (op.shape[0], *[1] * (len(op.shape) - 1))
        )
        bias = np.broadcast_to(op.bias.floats, shape).reshape(-1)
        if isinstance(op.model, IntegrateFire):
            bias = bias + 2.0 ** -tie_bits(self._steps)
        return bias.astype(np.float32)

    def output(self, node: Node) -> None:
        (source,) = self._graph.operands(node)
        name = self.add("Output", {"output_type": _shape("output", source.type.shape)})
        self.edges += [(sender, name) for sender in self.senders[source.name]]
        self.names[node.name] = name


def _shape(what: str, shape: Shape) -> dict[str, Array]:
    return {what: np.array(shape)}


def _with_bias(part: Part, bias: Array | None = None) -> Part:
    """A bias for every output channel, where the node takes one: 0 if not given."""
    if not part.takes_bias:
        return part
    weight = part.parameters["weight"]
    assert isinstance(weight, np.ndarray)
    given = np.zeros(1, np.float32) if bias is None else bias
    spread = np.broadcast_to(given, weight.shape[:1]).copy()
    return Part(part.kind, {**part.parameters, "bias": spread}, part.takes_bias)


def nir_file(graph: Graph, preprocessing: Preprocessing, settings: NirSettings) -> bytes:
    """The bytes of `network.nir`; raises SNN054 without the package nir."""
    writer = _Writer(graph, settings.pools)
    for node in graph:
        match node.op:
            case Input():
                writer.input(node, node.op)
            case Population():
                writer.population(node, node.op)
            case Output():
                writer.output(node)
    text = json.dumps(_notes(graph, writer, preprocessing), sort_keys=True)
    return written(writer.nodes, writer.edges, {"snncc": text})


def _notes(graph: Graph, writer: _Writer, preprocessing: Preprocessing) -> dict[str, object]:
    """What the graph's metadata says, as JSON; docs/targets/nir.md explains it."""
    inputs, neurons, outputs = {}, {}, {}
    steps = graph.code.train if graph.code else 1
    for node in graph:
        name = writer.names.get(node.name)
        match node.op:
            case Input(_, scale, levels):
                inputs[name] = {"node": node.name, "scale": scale, "levels": levels}
            case Population(model=IntegrateFire() as model):
                neurons[name] = {"node": node.name, "reset": NEURON_RESET[model.name]}
            case Output(scale):
                (source,) = graph.operands(node)
                spiking = isinstance(source.type, Spikes)
                outputs[name] = {
                    "node": node.name,
                    "source": source.name,
                    "gives": "spikes" if spiking else "currents",
                    "skipped_steps": _delay(source),
                    "theta": _theta(source),
                    "scale": scale.floats.reshape(-1).tolist(),
                }
    return {
        "format": FORMAT,
        "time_step": 1,
        "steps": steps,
        "potential": "integers of the network, plus tie · (steps so far)",
        "tie": 2.0 ** -tie_bits(steps),
        "initial_potential": 0,
        "input": "integers clip(round(x / scale), -levels, levels), the same in every step; "
        "x = data · preprocessing.scale, less mean, by std",
        "preprocessing": preprocessing.as_json(),
        "inputs": inputs,
        "neurons": neurons,
        "outputs": outputs,
    }


def _delay(source: Node) -> int:
    op = source.op
    return op.model.delay if isinstance(op, Population) and isinstance(op.model, Readout) else 0


def _theta(source: Node) -> list[float]:
    op = source.op
    if isinstance(op, Population) and isinstance(op.model, Readout):
        return [float(theta) for theta in op.model.theta.floats.reshape(-1)]
    return [1.0]
