"""NIR's equations in numpy, in float64: what `network.nir` does, read from the file alone.

In every step each node takes the sum of what arrives, in topological order; IF adds r times that
to its potential, fires where v > v_threshold, and is then reset as the metadata says.
"""

import graphlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from snncc_ir import Array, Floats, SnnccError, f32, fail, why
from snncc_ir.ops import Conv, SumPool
from snncc_nir.library import library


class NirNode(Protocol):
    """One node as the package nir gives it."""

    input_type: Mapping[str, Array]
    output_type: Mapping[str, Array]


@dataclass
class _Neurons:
    threshold: Floats
    resistance: Floats
    subtracts: bool
    potential: Floats = field(default_factory=lambda: np.zeros(1))

    def step(self, current: Floats) -> Floats:
        potential = self.potential + self.resistance * current
        spikes: Floats = (potential > self.threshold).astype(np.float64)
        left = self.threshold * spikes if self.subtracts else potential * spikes
        self.potential = potential - left
        return spikes


class Simulator:
    """One file. Raises SNN051 for one that is damaged, SNN054 without the package nir."""

    def __init__(self, path: Path) -> None:
        nir = library()
        try:
            graph = nir.read(path)
            self.notes: dict[str, dict[str, dict[str, object]]] = json.loads(
                graph.metadata["snncc"]
            )
            self._nodes: dict[str, NirNode] = dict(graph.nodes)
            self._sources: dict[str, list[str]] = {name: [] for name in self._nodes}
            for source, target in graph.edges:
                self._sources[target].append(source)
            self._order = list(graphlib.TopologicalSorter(self._sources).static_order())
        except SnnccError:
            raise
        except Exception as error:  # h5py and nir raise whatever comes
            raise fail(
                "SNN051", f"the file cannot be read: {why(error)}", str(path),
                "compile the network anew",
            ) from None  # fmt: skip
        self._held = self._constant()

    def _constant(self) -> set[str]:
        """Nodes without neurons before them: the same in every step."""
        held: set[str] = set()
        for name in self._order:
            kind = type(self._nodes[name]).__name__
            if kind == "Input" or (kind != "IF" and set(self._sources[name]) <= held):
                held.add(name)
        return held

    def run(self, inputs: Mapping[str, Floats], steps: int) -> Iterator[dict[str, Floats]]:
        """For each step what every node gives, (N, *shape). inputs: by name, (N, *shape)."""
        neurons = {
            name: self._neurons(name, node)
            for name, node in self._nodes.items()
            if type(node).__name__ == "IF"
        }
        values: dict[str, Floats] = dict(inputs)
        for index in range(steps):
            for name in self._order:
                if (index and name in self._held) or name in inputs:
                    continue
                arriving = sum((values[source] for source in self._sources[name]), np.zeros(1))
                values[name] = (
                    neurons[name].step(arriving)
                    if name in neurons
                    else _apply(self._nodes[name], arriving)
                )
            yield dict(values)

    def _neurons(self, name: str, node: NirNode) -> _Neurons:
        threshold, resistance = (
            np.asarray(getattr(node, field), np.float64) for field in ("v_threshold", "r")
        )
        return _Neurons(threshold, resistance, self.notes["neurons"][name]["reset"] == "subtract")


def _apply(node: NirNode, x: Floats) -> Floats:
    """What a node without a state gives."""
    match type(node).__name__:
        case "Output":
            return x
        case "Flatten":
            return x.reshape(len(x), -1)
        case "Affine":
            matrix, offset = (np.asarray(getattr(node, name), np.float64)
                            for name in ("weight", "bias"))  # fmt: skip
            affine: Floats = x @ matrix.T + offset
            return affine
        case "Scale":
            scaled: Floats = x * np.asarray(vars(node)["scale"], np.float64)
            return scaled
        case "SumPool2d":
            fields = vars(node)
            kernel, stride, pads = (_pair(fields[name], 2)
                                    for name in ("kernel_size", "stride", "padding"))  # fmt: skip
            return SumPool(kernel, stride, pads + pads).evaluate((x,))
        case "Conv1d" | "Conv2d":
            fields = vars(node)
            rank = np.asarray(fields["weight"]).ndim - 2
            stride, pads, dilation = (_pair(fields[name], rank)
                                      for name in ("stride", "padding", "dilation"))  # fmt: skip
            weight, bias = (f32(np.asarray(fields[name])) for name in ("weight", "bias"))
            groups = int(fields["groups"])
            return Conv(weight, stride, pads + pads, dilation, groups, bias).evaluate((x,))
        case kind:
            raise fail("SNN051", f"a node is {kind}, should be one that snncc writes",
                       hint="compile the network anew")  # fmt: skip


def _pair(value: object, rank: int) -> tuple[int, ...]:
    return tuple(int(n) for n in np.broadcast_to(np.asarray(value), (rank,)))
