"""The test vectors of a bundle: some inputs, and the exact spikes and results expected."""

import numpy as np
from numpy.typing import NDArray

from snncc_backends import BundleFolder, Execution
from snncc_backends.bundle import VECTORS
from snncc_ir import Array, Batch, Spikes
from snncc_ir.ops import Output


def stored_inputs(bundle: BundleFolder) -> Batch:
    """The inputs, in the network's numbers, (N, *shape) by name; raises SNN051."""
    tensors = bundle.tensors(VECTORS)
    return {node.name: tensors[f"input/{node.name}"] for node in bundle.graph.inputs}


def stored_run(bundle: BundleFolder) -> Execution:
    """What the oracle made of the inputs when the network was compiled, with every spike."""
    tensors, graph = bundle.tensors(VECTORS), bundle.graph
    count = len(next(iter(stored_inputs(bundle).values())))
    steps = graph.code.train if graph.code else 1
    spikes = {}
    for node in graph:
        if not isinstance(node.type, Spikes) or isinstance(node.op, Output):
            continue
        shape = (count, steps, *node.type.shape)
        if f"graded/{node.name}" in tensors:
            spikes[node.name] = tensors[f"graded/{node.name}"].astype(np.int8)
            continue
        bits = _unpacked(tensors[f"spikes/{node.name}"], shape)
        if f"negative/{node.name}" in tensors:
            bits -= _unpacked(tensors[f"negative/{node.name}"], shape)
        spikes[node.name] = bits
    sources = dict.fromkeys(node.inputs[0] for node in graph.outputs)
    totals = {name: tensors[f"total/{name}"].astype(np.int64) for name in sources}
    counts = {
        name: np.abs(train).reshape(count, -1).sum(axis=1, dtype=np.int64)
        for name, train in spikes.items()
    }
    results = graph.code.results if graph.code else 1
    return Execution(results, totals, counts, spikes=spikes)


def _unpacked(packed: Array, shape: tuple[int, ...]) -> NDArray[np.int8]:
    count = int(np.prod(shape))
    return np.unpackbits(packed.astype(np.uint8), count=count).astype(np.int8).reshape(shape)
