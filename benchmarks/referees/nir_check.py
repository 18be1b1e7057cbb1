"""Readers of NIR as referees of target nir: spike counts of every neuron, and the results.

    python -m benchmarks.referees.nir_check BUNDLE DATA.npz sinabs|snntorch [-n SAMPLES] [--plain]

In an environment of its own, from the root of the repository. The bundle's file is read by the
tool's own reader. Without --plain what the tool takes from its own defaults, and not from the
file, is then set as `SETTINGS` says; every count has to be that of snncc's oracle. With
--plain the network runs as it was read, and the part of neurons whose counts are equal is printed.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import nir
import numpy as np
import torch
from numpy.typing import NDArray

import snncc
from snncc.data import samples_for
from snncc_backends import OracleRunner
from snncc_ir import Floats, Integers
from snncc_nir.library import FILE
from snncc_nir.simulator import Simulator

Counts = dict[str, Integers]
Run = Callable[[Floats], tuple[Counts, Floats]]
"""From a sample's numbers (T, *shape) to spike counts by node of the file, and what the output
gives in each step, (T, classes)."""

SETTINGS = {
    "sinabs": "one spike a step (spike_fn=SingleSpike) and no least potential (min_v_mem=None)",
    "snntorch": "no leak (beta=1, read as 0.9), reset_delay=True (read as False); with and without "
    "--plain, init_hidden=True and Flatten from axis 1, as it does not run otherwise",
}


def with_sinabs(path: Path, steps: int, plain: bool) -> Run:
    """sinabs reads IF with several spikes a step, and potentials of -v_threshold at least."""
    import sinabs.layers as layers
    from sinabs.activation import SingleSpike
    from sinabs.nir import from_nir

    network = from_nir(nir.read(path), batch_size=1)
    found: Counts = {}
    neurons = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, layers.IAFSqueeze)
    }
    for name, module in neurons.items():
        if not plain:
            module.spike_fn, module.min_v_mem = SingleSpike, None
        module.register_forward_hook(_counting(found, _own(name)))

    def run(x: Floats) -> tuple[Counts, Floats]:
        for module in neurons.values():
            module.reset_states()
        result = network(torch.tensor(x, dtype=torch.float32))
        return found, _array(result[0] if isinstance(result, tuple) else result)

    return run


def with_snntorch(path: Path, steps: int, plain: bool) -> Run:
    """snnTorch reads IF as a neuron with a leak of 0.9; it takes one step at a time."""
    import snntorch
    from snntorch.import_nir import import_from_nir

    graph = nir.read(path)
    for node in graph.nodes.values():
        if isinstance(node, nir.Flatten):
            node.start_dim = 1  # its Flatten counts the axis of samples, NIR's does not
    network = import_from_nir(graph)
    sent: Counts = {}
    total: Counts = {}
    neurons = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, snntorch.Leaky)
    }
    for name, module in neurons.items():
        if not plain:
            module.beta, module.reset_delay = torch.tensor(1.0), True
        module.init_hidden = True  # else it gives its potentials, too, which the next node takes
        module.register_forward_hook(_counting(sent, _own(name)))

    def run(x: Floats) -> tuple[Counts, Floats]:
        total.clear()
        state, given = None, []
        for module in neurons.values():
            module.mem = torch.zeros(0)
        for number in x:
            result = network(torch.tensor(number[None], dtype=torch.float32), state)
            out, state = result if isinstance(result, tuple) else (result, None)
            given.append(_array(out)[0])
            for name, count in sent.items():
                total[name] = total.get(name, np.int64(0)) + count
        return total, np.stack(given)

    return run


READERS = {"sinabs": with_sinabs, "snntorch": with_snntorch}


def _own(name: str) -> str:
    """A node's name, from a reader's name of its module: none may be a word of Python."""
    return name.removeprefix("nir_node_")


def _array(tensor: torch.Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.detach().numpy().astype(np.float64)
    return array


def _counting(found: Counts, name: str) -> Callable[..., None]:
    """A hook that keeps the number of spikes of each neuron, flat."""

    def hook(module: object, given: object, result: object) -> None:
        spikes = result[0] if isinstance(result, tuple) else result
        assert isinstance(spikes, torch.Tensor)
        found[name] = np.rint(_array(spikes).sum(axis=0)).astype(np.int64).reshape(-1)

    return hook


def check(folder: Path, data: Path, reader: str, count: int, plain: bool) -> Iterator[str]:
    """Lines for people; raises AssertionError at the first difference, unless plain."""
    bundle = snncc.Bundle.load(folder)
    samples = samples_for(bundle.graph, bundle.dataset(data).first(count), bundle.preprocessing)
    expected = OracleRunner(bundle.graph).run(samples, record=True)
    ours = bundle.runner.run(samples, record=True)
    notes = Simulator(folder / FILE).notes
    steps = expected.steps
    (note,) = notes["inputs"].values()
    (output,) = notes["outputs"].values()
    scale, levels = float(str(note["scale"])), float(str(note["levels"]))
    numbers = np.clip(
        np.rint(samples[str(note["node"])].astype(np.float64) / scale), -levels, levels
    )
    run = READERS[reader](folder / FILE, steps, plain)
    equal = np.zeros(2, np.int64)
    spikes, right = 0, 0
    totals = expected.totals[str(output["source"])][:, -1]
    labels = totals.argmax(-1)
    layers: dict[str, list[int]] = {}
    for i, x in enumerate(numbers):
        counts, given = run(np.repeat(x[None], steps, axis=0))
        for name, neuron in notes["neurons"].items():
            node = str(neuron["node"])
            train = expected.spikes[node][i]
            assert np.array_equal(train, ours.spikes[node][i]), node
            wanted = train.sum(0, dtype=np.int64).reshape(-1)
            same = counts[name] == wanted
            assert plain or same.all(), f"sample {i}: {node} sends other numbers of spikes"
            equal += same.sum(), same.size
            spikes += int(wanted.sum())
            sums = layers.setdefault(node, [0, 0])
            sums[0] += int(wanted.sum())
            sums[1] += int(counts[name].sum())
        skipped = int(str(output["skipped_steps"]))
        result = given.reshape(steps, -1)[skipped:].sum(0)
        assert plain or np.array_equal(result, totals[i].reshape(-1)), f"sample {i}: results"
        right += int(result.argmax() == labels[i])
    for node, (mine, theirs) in layers.items():
        yield f"{node}: {mine} spikes, {reader} {theirs}"
    yield (
        f"{count} samples: counts of {equal[0]} of {equal[1]} neurons are equal ({spikes} spikes "
        f"here), and the class of {right}"
    )
    if not plain:
        yield f"as read, but: {SETTINGS[reader]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("-n", type=int, default=20)
    parser.add_argument("--plain", action="store_true")
    arguments = parser.parse_args()
    for line in check(
        arguments.bundle, arguments.data, arguments.reader, arguments.n, arguments.plain
    ):
        print(line, flush=True)


if __name__ == "__main__":
    main()
