"""Networks of convolutions with random weights as C simulators, made without calibration."""

from pathlib import Path

import numpy as np

from snncc.testing.builder import NetworkBuilder
from snncc_backends import Preprocessing
from snncc_c.emit import emit_c
from snncc_ir import Graph
from snncc_ir.ops import Output


def convolutions(neuron: str, layers: int, channels: int, side: int, seed: int = 1) -> Graph:
    """3 × side × side inputs, then layers of 3×3 convolutions; the last one's spikes are read.

    neuron: of `snncc.testing.NEURONS`, `radix` (5 digits) or `ttfs`; rate codes have 10 steps.
    """
    builder = NetworkBuilder(neuron, np.random.default_rng(seed))
    last, inputs = builder.input(3, side, side), 3
    for i in range(layers):
        last = builder.population(f"p{i}", (last, (builder.conv(channels, inputs, (3, 3)),)))
        inputs = channels
    builder.builder.add("y", Output(), [last])
    return builder.builder.graph()


def write_simulator(graph: Graph, bundle: Path) -> Path:
    """The target's files of a network, in a folder as that of a bundle."""
    for name, content in emit_c(graph, Preprocessing()).items():
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return bundle


def inputs_of(
    graph: Graph, count: int, seed: int = 1
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Normal noise, (count, numbers)."""
    (node,) = graph.inputs
    return np.random.default_rng(seed).standard_normal((count, node.type.size)).astype(np.float32)
