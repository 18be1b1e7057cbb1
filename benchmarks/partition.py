"""Messages between cores of a loihi bundle's partition, beside two other ones.

    python benchmarks/partition.py BUNDLE... [--no-metis]

A message is a spike sent to one other core (spikes × distinct remote cores, means over samples).
Beside the bundle's own partition:

* sequential: cores filled in the order of neurons (layers, channels, rows, columns) until
  compartments or axons are at the chip's limit, or the shared memory is with them alone: it gets
  what weights take for nothing;
* sequential, as many cores: the same order cut into as many pieces as the bundle has cores;
* METIS (`pip install pymetis scipy`): the graph of neurons, an edge's weight the spikes sent along
  it, into as many parts; it knows no limit but that parts have about as many compartments.

All are counted by the same few lines below, which use nothing of the partitioner.
"""

import argparse
from pathlib import Path

import numpy as np

from snncc.activity import measured_spikes
from snncc.bundle import Bundle
from snncc.data import samples_for, synthetic_samples
from snncc_ir import Floats, Integers
from snncc_loihi.binary import read_map
from snncc_loihi.chip import Chip, parse_chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.layers import Network, make_network


def pairs(network: Network) -> tuple[Integers, Integers]:
    """Source and target neuron of every synapse."""
    sources, targets = [], []
    for link in network.links:
        if link.source >= 0:
            synapses = link.synapses.listed()
            sources.append(network.layers[link.source].first + synapses.sources)
            targets.append(network.layers[link.target].first + synapses.targets)
    return np.concatenate(sources), np.concatenate(targets)


def messages(core: Integers, source: Integers, target: Integers, spikes: Floats) -> float:
    """Spikes × distinct cores other than their own. core, spikes: of each neuron."""
    cores = int(core.max()) + 1
    reached = np.unique(source.astype(np.int64) * cores + core[target])
    sender, receiver = np.divmod(reached, cores)
    return float(spikes[sender[receiver != core[sender]]].sum())


def sequential(network: Network, chip: Chip, source: Integers, target: Integers) -> Integers:
    """Cores filled one after the other; an axon is a source neuron of a core, or a target core."""
    limits = chip.limits
    width = np.concatenate([np.full(layer.size, layer.width) for layer in network.layers])
    order = np.argsort(target, kind="stable")
    rows = np.searchsorted(target[order], np.arange(network.neurons + 1))
    heard = source[order]
    core = np.zeros(network.neurons, np.int64)
    here, used, known = 0, 0, np.zeros(network.neurons, np.bool_)
    count = 0
    for neuron in range(network.neurons):
        mine = np.unique(heard[rows[neuron] : rows[neuron + 1]])
        fresh = int((~known[mine]).sum())
        taken = (used + int(width[neuron])) * limits.compartment_bytes
        axons = 2 * (count + fresh) * limits.axon_bytes
        full = (
            used + width[neuron] > limits.compartments
            or count + fresh > limits.input_axons
            or (limits.core_bytes and taken + axons > limits.core_bytes)
        )
        if full and used:
            here, used, count = here + 1, 0, 0
            known[:] = False
            fresh = len(mine)
        known[mine] = True
        core[neuron], used, count = here, used + int(width[neuron]), count + fresh
    return core


def metis(
    source: Integers, target: Integers, spikes: Floats, width: Integers, parts: int
) -> Integers:
    """The parts of pymetis, of about as many compartments each."""
    import pymetis
    from scipy.sparse import coo_matrix

    count = len(spikes)
    weight = np.maximum(1, np.rint(100 * spikes[source])).astype(np.int32)
    graph = coo_matrix((weight, (source, target)), shape=(count, count)).tocsr()
    graph = (graph + graph.T).tocsr()
    graph.setdiag(0)
    graph.eliminate_zeros()
    adjacency = pymetis.CSRAdjacency(graph.indptr, graph.indices)
    _, part = pymetis.part_graph(parts, adjacency, vweights=width, eweights=graph.data)
    return np.asarray(part, np.int64)


def own(network: Network, core_map: CoreMap) -> Integers:
    """The core of each neuron, as labels say."""
    first = np.array([layer.first for layer in network.layers])
    core = np.full(network.neurons, -1)
    for number, each in enumerate(core_map.cores):
        labels = each.label_fields
        core[first[labels["population"]] + labels["neuron"]] = number
    return core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, help="samples 'x'; without them, seeded noise")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--no-metis", action="store_true")
    options = parser.parse_args()
    for path in options.bundles:
        bundle = Bundle.load(path)
        chip = parse_chip((path / "loihi/chip.json").read_bytes(), "chip.json")
        network = make_network(bundle.graph, chip)
        if options.data:
            given = bundle.dataset(options.data).first(options.samples)
            samples = samples_for(bundle.graph, given, bundle.preprocessing)
        else:
            samples = synthetic_samples(bundle.graph, options.samples)
        sent = measured_spikes(bundle.graph, bundle.preprocessing, samples)
        spikes = np.concatenate(
            [sent.get(layer.name, np.zeros(layer.size)) for layer in network.layers]
        )
        width = np.concatenate([np.full(layer.size, layer.width) for layer in network.layers])
        source, target = pairs(network)
        ours = own(network, read_map((path / "loihi/map.bin").read_bytes(), "map.bin"))
        count = int(ours.max()) + 1
        rows = {
            "snncc": ours,
            "sequential": sequential(network, chip, source, target),
            "sequential, as many cores": np.arange(network.neurons) * count // network.neurons,
        }
        if not options.no_metis:
            rows["METIS"] = metis(source, target, spikes, width, count)
        print(f"{path}: {chip.name}, {network.neurons} neurons, {spikes.sum():.0f} spikes a sample")
        base = messages(ours, source, target, spikes)
        for name, core in rows.items():
            found = messages(core, source, target, spikes)
            cores, each, share = int(core.max()) + 1, found / spikes.sum(), base / max(found, 1e-9)
            print(f"  {name:26} {cores:5} cores {found:10.0f} messages {each:6.3f} a spike; snncc "
                  f"sends {share:4.2f} of them")  # fmt: skip


if __name__ == "__main__":
    main()
