"""`quantize-weights`: integer weights, biases, thresholds and potentials.

Each output channel gets a scale S: weights, biases, thresholds and initial potentials become
round(S·w); of binary weights signs stay, and alpha becomes round(S·alpha), of 16 bits
whatever `bits`. S is as large as the weights' bits allow, and small enough that no potential can
leave the accumulator in the given steps, whatever the network's input is. A readout has one S, so
that its potentials can be compared with each other. In the radix code a potential doubles in every
step: T steps count the largest current 2^T − 1 times, and no potential on the way is larger.

Linear weights (`linear-weights`) need S·step to be an integer k: then they become k·codes, and
nothing is lost of a quantized network's own integers. Where there is no room for k = 1, they are
rounded as others. S is an integer, unless there are such weights, or a chip has few thresholds
(`thresholds`, `theta_bits`): then S is made smaller until round(S·theta) is one of them, which
costs resolution and nothing else. A chip to which numbers are written as biases (`bias`) takes them
in units of its own, so the weight of such a number has to be an integer as it is: see
`chip_thresholds`.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chip_thresholds import Choice, choices
from snncc.passes.rounding import rounded
from snncc.passes.scale_room import BOUNDS, Limits
from snncc_ir import CODED, INTEGER, Graph, Node, fail
from snncc_ir.ops import Counting, Population

LARGEST_ERROR = 0.25
"""Of the current in one step, from rounding weights: standard deviation in thresholds, if all
sources send in that step."""
LARGEST_CHIP_ERROR = 0.5
"""Likewise, of half of a population's channels, for a chip with narrow limits: few sources send."""


@dataclass(frozen=True)
class QuantizeWeights(Pass):
    """Integers of `bits` bits for weights, and of `accumulator` bits for potentials.

    thresholds: at most so many different ones in the network. theta_bits: each is m·2^e with
    0 < m < 2^theta_bits. bias: no bias is larger, even with what one-to-one maps of the input add
    to it. 0 is no limit. bound: how potentials are bounded, `sum` or `reset`, which lets S be up
    to twice as large.
    """

    bits: int = 16
    accumulator: int = 32
    thresholds: int = 0
    theta_bits: int = 0
    bias: int = 0
    bound: str = "sum"
    name = "quantize-weights"
    needs = CODED
    leaves = INTEGER
    promise = Lossy(why="weights and biases are rounded to integers")

    def __post_init__(self) -> None:
        if self.bound not in BOUNDS:
            raise fail("SNN020", f"bound is '{self.bound}', should be {' or '.join(BOUNDS)}")
        for what, value, least, most in (
            ("bits", self.bits, 2, 16),
            ("accumulator", self.accumulator, 16, 32),
            ("thresholds", self.thresholds, 0, 1024),
            ("theta_bits", self.theta_bits, 0, 31),
            ("bias", self.bias, 0, (1 << 31) - 1),
        ):
            if not least <= value <= most:
                raise fail("SNN020", f"{what} is {value}, should be {least} to {most}")

    @property
    def _is_chip(self) -> bool:
        """Whether there are limits beyond those of plain integers."""
        return bool(self.thresholds or self.theta_bits or self.bias or self.bound != "sum")

    def run(self, graph: Graph, context: Context) -> Graph:
        limits = Limits(self.bits, self.accumulator, self.bias, self.bound)
        graph, chosen = choices(graph, limits, self.thresholds, self.theta_bits, self.name)

        def rewrite(node: Node) -> Node:
            if not isinstance(node.op, Population):
                return node
            choice = chosen[node.name]
            self._refuse_coarse(graph, node, node.op, choice)
            op = rounded(graph, node, node.op, choice.scale, self.bits, choice.theta)
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)

    def _refuse_coarse(self, graph: Graph, node: Node, op: Population, choice: Choice) -> None:
        """Raises SNN022 where rounding leaves too little of the weights."""
        steps, levels = (graph.code.train, graph.code.levels) if graph.code else (1, 1)
        # the standard deviation of a rounding error is 1/√12
        error = np.sqrt(choice.room.squares / 12) / np.maximum(choice.scale, 1e-30)
        # where a chip's limits are narrow, some channels of large weights may be off by more
        off = float(np.median(error) if self._is_chip else error.max())
        most = LARGEST_CHIP_ERROR if self._is_chip else LARGEST_ERROR
        coarse = isinstance(op.model, Counting) and off > most
        if choice.fits and not coarse:
            return
        if not choice.room.squares.any():
            raise fail(
                "SNN022",
                f"the input's numbers, as they are, drive '{node.name}' out of an accumulator of "
                f"{self.accumulator} bits in {steps} steps, or beyond a bias of {self.bias}, "
                "should be within both",
                str(node.origin),
                "fewer bits for the input: --set input_bits=8, or fewer --steps",
            )
        raise fail(
            "SNN022",
            f"in {steps} steps a potential of '{node.name}' may reach "
            f"{levels * choice.room.reach:.3g} thresholds; weights that keep it in an accumulator "
            f"of {self.accumulator} bits are off by {off:.2g} thresholds a step, "
            f"should be at most {most:g}",
            str(node.origin),
            "fewer --steps, or fewer bits for the input: --set input_bits=8",
        )
