"""How often `snncc explain` finds the layer that was spoiled on purpose, and why.

    python -m benchmarks.spoiled MODEL.onnx CALIB.npz TEST.npz --target c --set coding=radix \\
        [--scale 1/255 …] [--fit 128] [--samples 32] [--every 2]

Layer after layer is spoiled in each of these ways, compiled, and explained against the sound
model: its scale λ an eighth (clipped) or 64 times what it should be (coarse, silent), its weights
100 times as large (scaled). Prints a table, and what was not found.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import numpy as np

import snncc
from snncc.build import build_network
from snncc.bundle import Data
from snncc.cli import console
from snncc.data import read_dataset
from snncc.explain import explain
from snncc.passes.base import Close, Context, Lossy, Pass, Promise
from snncc.passes.manager import Compiled
from snncc.passes.normalize import Normalize
from snncc.passes.rescale import rescaled
from snncc_backends import Backend, Settings
from snncc_ir import NORMAL, Array, Floats, Graph, Node, Stage, f32
from snncc_ir.ops import Chain, Conv, Dense, Population

SMALL, LARGE, TIMES = 1 / 8, 64.0, 100.0


@dataclass(frozen=True)
class WrongScale(Pass):
    """One layer's λ is wrong, as if its calibration had been; value semantics without a code stays
    what it is."""

    name: ClassVar[str] = "wrong-scale"
    needs: ClassVar[Stage] = NORMAL
    promise: ClassVar[Promise] = Close()
    layer: str = ""
    factor: float = 1.0

    def run(self, graph: Graph, context: Context) -> Graph:
        scales: dict[str, Floats] = {}
        for node in graph:
            if isinstance(node.op, Population):
                factor = self.factor if node.name == self.layer else 1.0
                scales[node.name] = np.full(node.op.scale.shape, factor)
            else:  # a max pool or an output counts as its source does
                scales[node.name] = scales[node.inputs[0]] if node.inputs else np.ones(1)
        return rescaled(graph, scales, self.name)


@dataclass(frozen=True)
class WrongWeights(Pass):
    """One layer's weights are a multiple of what they should be."""

    name: ClassVar[str] = "wrong-weights"
    needs: ClassVar[Stage] = NORMAL
    promise: ClassVar[Promise] = Lossy(why="that is what it is for")
    layer: str = ""
    factor: float = 1.0

    def run(self, graph: Graph, context: Context) -> Graph:
        def rewrite(node: Node) -> Node:
            if node.name != self.layer or not isinstance(node.op, Population):
                return node
            maps = tuple(self._times(chain) for chain in node.op.maps)
            return replace(node, op=replace(node.op, maps=maps))

        return graph.rewritten(rewrite)

    def _times(self, chain: Chain) -> Chain:
        *moves, last = chain
        if isinstance(last, Conv | Dense):
            last = replace(last, weight=f32(last.weight.floats * self.factor))
        return (*moves, last)


def compile_spoiled(
    model: Path,
    spoil: Pass,
    before: bool,
    *,
    target: str,
    settings: dict[str, object],
    calibration: Data,
    preprocessing: snncc.Preprocessing,
) -> snncc.Bundle:
    """A bundle of `model`, spoiled by a pass right before or right after normalization."""

    def build(
        chip: Backend,
        graph: Graph,
        pipeline: Sequence[Pass],
        given: Settings,
        context: Context,
        labels: Array | None,
        dump: Path | None,
    ) -> Compiled:
        place = next(i for i, step in enumerate(pipeline) if isinstance(step, Normalize))
        place += 0 if before else 1
        spoiled = (*pipeline[:place], spoil, *pipeline[place:])
        return build_network(chip, graph, spoiled, given, context, labels, dump, measure=False)

    with patch("snncc.compiler.build_network", build):
        return snncc.compile(
            model,
            target=target,
            calibration=calibration,
            preprocessing=preprocessing,
            settings=settings,
        )


def layers_of(model: Path) -> list[str]:
    """Spiking populations of the network in normal form, by name."""
    probe = snncc.compile(model, settings={"coding": "radix"})
    return [
        node.name
        for node in probe.graph
        if isinstance(node.op, Population) and node.op.model.name == "radix"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("calib", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--target", default="c")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--fit", type=int, default=128, help="calibration samples")
    parser.add_argument("--samples", type=int, default=32, help="samples to explain")
    parser.add_argument("--every", type=int, default=1, help="only every so many layers")
    for name in ("scale", "mean", "std", "layout"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    pre = console.preprocessing(given.scale, given.mean, given.std, given.layout)
    calibration = read_dataset(given.calib).first(given.fit)
    data = read_dataset(given.test).first(given.samples)
    ways: dict[str, tuple[type[Pass], bool, float, tuple[str, ...]]] = {
        "scale / 8": (WrongScale, False, SMALL, ("clipped",)),
        "scale × 64": (WrongScale, False, LARGE, ("coarse", "silent")),
        "weights × 100": (WrongWeights, True, TIMES, ("scaled",)),
    }
    layers = layers_of(given.model)[:: given.every]
    for way, (kind, before, factor, causes) in ways.items():
        found = 0
        for layer in layers:
            bundle = compile_spoiled(
                given.model,
                kind(layer=layer, factor=factor),  # type: ignore[call-arg]
                before,
                target=given.target,
                settings=console.settings_of(given.settings, {}),
                calibration=calibration,
                preprocessing=pre,
            )
            worst = explain(bundle, given.model, data, samples=given.samples, tries=0).worst
            told = (worst[0].name, worst[0].finding.cause) if worst else ("", "none")
            right = told[0] == layer and told[1] in causes
            found += right
            if not right:
                print(f"  {way} at {layer}: told {told[0]}, {told[1]}", flush=True)
        print(f"{way:15} {found} of {len(layers)} layers found, with the reason", flush=True)


if __name__ == "__main__":
    main()
