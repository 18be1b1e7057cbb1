"""`log-weights`: weights that are powers of 2^(1/resolution) already, as signs and exponents.

    conv{weight=f32}   →   conv{weight=log2{codes=i8, exponent=i16, resolution=2}}

as networks have them that were trained with logarithmic weights. `quantize-log2` then leaves them
as they are, and compensates nothing there. What becomes logarithmic is decided by the weights
alone: all that are not 0 have to be c·2^(e/resolution) with whole numbers e and one c for the
layer, up to rounding in float32, and each channel's have to fit into `bits` bits.

c comes of units: of the input's, and of scales that are no powers of 2^(1/resolution). It goes into
the unit of the potential: bias and thresholds are divided by it. Neurons without thresholds of
their own (`relu`) take c = 1 only. Weights with one c for each channel, which BatchNormalization
behind quantized weights leaves, have no such unit: they are rounded as any others.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc_ir import (
    NORMAL,
    RESOLUTIONS,
    Composed,
    Floats,
    Graph,
    Integers,
    Log2,
    Node,
    Tensor,
    f32,
    fail,
    i8,
    i16,
)  # fmt: skip
from snncc_ir.ops import Chain, Conv, Dense, Model, Population, Readout, Scale, TtfsRelu

EVIDENCE = 7
"""Weights that are not 0, beyond the first: of fewer, that they are powers says nothing."""
TOLERANCE = 4 * float(np.finfo(np.float32).eps)
"""Of a weight, relative: what float32 products make of a power."""


@dataclass(frozen=True)
class LogWeights(Pass):
    """Finds logarithmic weights, of which signs and exponents are all that has to be stored."""

    bits: int = 5
    resolution: int = 2
    name = "log-weights"
    needs = NORMAL
    promise = Close()

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8:
            raise fail("SNN020", f"bits is {self.bits}, should be 2 to 8")
        if self.resolution not in RESOLUTIONS:
            raise fail("SNN020", f"resolution is {self.resolution}, should be 1, 2 or 4")

    def run(self, graph: Graph, context: Context) -> Graph:
        found: dict[str, Node] = {}
        for node in graph:
            if isinstance(node.op, Population):
                op = self._population(node.op)
                if op is not node.op:
                    found[node.name] = replace(node, op=op, origin=node.origin.by(self.name))
        return graph.rewritten(lambda node: found.get(node.name, node)) if found else graph

    def _population(self, op: Population) -> Population:
        powers = [self._powers(chain) for chain in op.maps]
        sizes = [0 if p is None else p.exponents.size for p in powers]
        largest = powers[int(np.argmax(sizes))] if sizes else None
        if largest is None:
            return op
        phase = largest.phase
        unit = float(np.exp2(phase / self.resolution))
        model = _in_units(op.model, unit)
        if model is None:
            return op
        maps = tuple(
            self._logarithmic(chain, own, phase) or _divided(chain, unit)
            for chain, own in zip(op.maps, powers, strict=True)
        )
        return replace(op, maps=maps, bias=f32(op.bias.floats / unit), model=model)

    def _powers(self, chain: Chain) -> "Powers | None":
        """Of a map's weights; None where they are no powers, or do not fit."""
        last = chain[-1]
        if not isinstance(last, Conv | Dense) or isinstance(last.weight, Composed):
            return None
        found = powers_of(last.weight, self.resolution)
        return found if found is not None and found.span < (1 << (self.bits - 1)) - 1 else None

    def _logarithmic(self, chain: Chain, own: "Powers | None", phase: float) -> Chain | None:
        *moves, last = chain
        if own is None or not isinstance(last, Conv | Dense) or not own.has_phase(phase):
            return None
        return (*moves, replace(last, weight=own.weight(last.weight, self.resolution)))


@dataclass(frozen=True)
class Powers:
    """Weights (O, …) as 2^((exponents + phase) / resolution), 0 where `used` is not.

    phase: 0 to 1, 0 where it is that but for rounding. top: largest exponent by channel, (O).
    span: the most steps between two weights of a channel. tolerance: of a phase.
    """

    exponents: Integers
    used: Integers
    top: Integers
    phase: float
    span: int
    tolerance: float

    def has_phase(self, phase: float) -> bool:
        """Whether it is this one, but for rounding."""
        off = abs(self.phase - phase)
        return min(off, 1 - off) <= 2 * self.tolerance

    def weight(self, given: Tensor, resolution: int) -> Log2:
        """The weights in their format."""
        column = self.top.reshape(-1, *[1] * (given.array.ndim - 1))
        codes = np.sign(given.floats).astype(np.int64) * (column - self.exponents + 1) * self.used
        return Log2(i8(codes), i16(column), resolution)


def powers_of(weight: Tensor, resolution: int) -> Powers | None:
    """None for weights that are no powers."""
    values = weight.floats
    used = values != 0
    if np.count_nonzero(used) <= EVIDENCE:
        return None
    tolerance = resolution * TOLERANCE / float(np.log(2))
    steps: Floats = np.log2(np.abs(values), out=np.zeros(values.shape), where=used) * resolution
    first = steps[used][0]
    whole = np.rint(steps - first)
    off = (steps - first - whole)[used]
    if off.max() - off.min() > tolerance:
        return None
    phase = float(first + off.mean())
    lowest = float(np.floor(phase + tolerance))
    phase -= lowest
    exponents = np.where(used, whole + lowest, 0).astype(np.int64)
    rows, kept = exponents.reshape(len(values), -1), used.reshape(len(values), -1)
    far = np.iinfo(np.int64).max // 4
    top, bottom = np.where(kept, rows, -far).max(axis=1), np.where(kept, rows, far).min(axis=1)
    any_used = kept.any(axis=1)
    top = np.where(any_used, top, top[any_used].max())
    span = int((top - bottom)[any_used].max())
    near = abs(phase) <= tolerance
    return Powers(exponents, used.astype(np.int64), top, 0.0 if near else phase, span, tolerance)


def _in_units(model: Model, unit: float) -> Model | None:
    """The model with a drive in units of `unit`; None where it has no thresholds of its own."""
    if unit == 1:
        return model
    if isinstance(model, TtfsRelu):
        return replace(model, theta=f32(model.unit / unit))
    if isinstance(model, Readout):
        return replace(model, theta=f32(model.theta.floats / unit))
    return None


def _divided(chain: Chain, unit: float) -> Chain:
    *moves, last = chain
    if unit == 1 or not isinstance(last, Conv | Dense | Scale):
        return chain
    return (*moves, replace(last, weight=f32(last.weight.floats / unit)))
