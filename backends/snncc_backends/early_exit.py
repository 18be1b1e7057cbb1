"""When a sample ends before all time steps: the rule, in integers, and the unit of its margin.

In a rate code the results grow step by step, while the error that residual potentials make stays
bounded; so a class that is far enough ahead stays ahead. A sample ends after the first step at
which the largest total of the first output (potential of a readout, or net spike count) is `margin`
ahead of the second largest. Lu and Sengupta (2020) compare the largest potential alone with a
threshold.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from snncc_ir import Graph, Integers, Rate, decode, fail
from snncc_ir.ops import Output

ROUNDING = 1e-12
"""So close to an integer a margin in the network's units means that integer."""


@dataclass(frozen=True)
class EarlyExit:
    """A sample ends after the first step t ≥ least_steps whose margin is at least `margin`.

    margin: in units of the first output's totals, at least 1. least_steps: steps that every sample
    takes, at least 1.
    """

    margin: int
    least_steps: int = 1

    def __post_init__(self) -> None:
        for what, value in (("the margin", self.margin), ("least_steps", self.least_steps)):
            if value < 1:
                raise fail(
                    "SNN053", f"{what} is {value}, should be at least 1", hint="1, or no early exit"
                )

    def steps_used(self, totals: Integers) -> Integers:
        """Steps until each sample's end, (N,); all that there are where the margin is not reached.

        totals: of the first output after every step, (N, T, *shape).
        """
        ends = margins(totals) >= self.margin
        ends[:, : self.least_steps - 1] = False
        ends[:, -1] = True
        used: Integers = ends.argmax(axis=1) + 1
        return used


def margins(totals: Integers) -> Integers:
    """How far the largest total is ahead of the second largest: (N, T) of (N, T, *shape)."""
    ordered = np.sort(totals.reshape(*totals.shape[:2], -1), axis=2)
    ahead: Integers = ordered[:, :, -1] - ordered[:, :, -2]
    return ahead


def margin_unit(graph: Graph) -> float:
    """What one unit of the totals is worth in the network's own numbers, added up over steps.

    Raises SNN053 for a network in which a margin says nothing of the class: of a code other than
    rate, or whose first output is not a vector of classes in one scale.
    """
    if not isinstance(graph.code, Rate):
        raise fail(
            "SNN053",
            f"the code is {graph.code.name if graph.code else 'none'}, should be rate: results are "
            "there after all slots only",
            hint="compile with --coding rate",
        )
    node = graph.outputs[0]
    (source,) = graph.operands(node)
    order = node.op.index if isinstance(node.op, Output) else None
    complete = order is None or sorted(order.integers.ravel()) == list(range(source.type.size))
    if len(node.type.shape) != 1 or node.type.size < 2 or not complete:
        raise fail(
            "SNN053",
            f"the first output has shape {list(node.type.shape)} of {source.type.size} neurons, "
            "should be a vector of at least two classes, one a neuron",
            str(node.origin),
            "run all steps; --steps N takes fewer for all samples",
        )
    ones = {
        name: np.ones((1, *graph[name].type.shape), np.int64)
        for name in {output.inputs[0] for output in graph.outputs}
    }
    unit = decode(graph, ones, 1)[node.name]
    if unit.min() != unit.max() or unit.min() <= 0:
        raise fail(
            "SNN053",
            f"the classes count in units of {unit.min():.3g} to {unit.max():.3g}, should be one",
            str(node.origin),
            "--per layer, or a last layer without an activation",
        )
    return float(unit.max())


def exit_rule(graph: Graph, margin: float, least_steps: int = 1) -> EarlyExit:
    """The rule for a margin in the network's own numbers, added up over steps; raises SNN053."""
    unit = margin_unit(graph)
    if not 0 < margin < np.inf:
        raise fail(
            "SNN053",
            f"the margin is {margin:g}, should be a positive number",
            hint="--early-exit-loss POINTS with --calib, which chooses one; 0 is all steps",
        )
    units = margin / unit
    nearest = round(units)
    exact = abs(units - nearest) <= ROUNDING * max(nearest, 1)
    return EarlyExit(max(nearest if exact else ceil(units), 1), least_steps)
