"""What is measured of one population, added up over batches of samples."""

from dataclasses import dataclass

import numpy as np

from snncc.explain.sent import largest_value, nearest_level
from snncc_ir import Array, Floats, Integers, Node, Spikes

UNCLIPPED = 0.9
"""Of the largest value, up to which a neuron's gain is looked at."""
STUCK = 0.9
"""Share of samples in which a saturated neuron sends the largest value."""
SATURATED = 0.999
"""Of the largest value, from which a neuron sends it; ttfs and graded codes round."""


@dataclass(frozen=True)
class Seen:
    """A batch at one population, all (N, *shape) in the user's numbers.

    sent: by the chip. due: what the float layer makes of what the chip's sources sent. wanted: what
    the float network has there. closed: what the chip's neurons would send with even currents.
    """

    sent: Floats
    due: Floats
    wanted: Floats
    closed: Floats


def decibels(signal: float, noise: float) -> float | None:
    """Signal to noise of two energies; None for no noise, or no signal to compare it with."""
    return float(10 * np.log10(signal / noise)) if signal > 0 and noise > 0 else None


class _Regression:
    """A line through 0, by least squares."""

    def __init__(self) -> None:
        self._product = self._square = 0.0

    def add(self, y: Floats, x: Floats) -> None:
        self._product += float(np.sum(y * x))
        self._square += float(np.sum(np.square(x)))

    @property
    def slope(self) -> float | None:
        return self._product / self._square if self._square > 0 else None


class Tally:
    """Sums over samples; an energy is a sum of squares over samples and neurons."""

    def __init__(self, node: Node, ceiling: Floats | None) -> None:
        """ceiling: of the float layer's neurons, broadcastable to (*shape); None without one."""
        self.node = node
        self._ceiling = ceiling
        self._spiking = isinstance(node.type, Spikes)
        self._largest = largest_value(node) if self._spiking else None
        self.samples = 0
        self.signal = self.noise = self.due = self.own = self.arrived = 0.0
        self.clipped = self.coarse = self.weights = self.time = self.above = 0.0
        self.moved = 0.0
        """Energy of what is sent beside the rounded number that is due: weights and time."""
        self.over = 0
        """Numbers that are larger than what can be sent."""
        self.most_due = self.most_sent = 0.0
        self._plain, self._rounded = _Regression(), _Regression()
        shape = node.type.shape
        self._fired = np.zeros(shape, np.int64)
        self._full = np.zeros(shape, np.int64)
        self._energy = np.zeros(shape)
        self._wanted = np.zeros(shape)

    def add(self, seen: Seen) -> None:
        """Adds a batch."""
        sent, due = seen.sent, seen.due
        self.samples += len(sent)
        self.signal += _energy(seen.wanted)
        self.noise += _energy(sent - seen.wanted)
        self.due += _energy(due)
        self.own += _energy(sent - due)
        self.arrived += _energy(due - seen.wanted)
        self.most_due = max(self.most_due, float(due.max()))
        self.most_sent = max(self.most_sent, float(sent.max()))
        if self._largest is None:
            self._plain.add(sent, due)
            self.weights += _energy(seen.closed - due)
            self.time += _energy(sent - seen.closed)
            self.moved += _energy(sent - due)
            return
        capped = np.minimum(due, self._largest)
        rounded = nearest_level(self.node, capped)
        self.clipped += _energy(due - capped)
        self.over += int(np.count_nonzero(due > self._largest))
        self.coarse += _energy(rounded - capped)
        self.weights += _energy(seen.closed - rounded)
        self.time += _energy(sent - seen.closed)
        self.moved += _energy(sent - rounded)
        if self._ceiling is not None:
            at = due >= self._ceiling * SATURATED
            self.above += _energy(np.where(at, np.maximum(sent - self._ceiling, 0.0), 0.0))
        inside = due < self._largest * UNCLIPPED
        self._plain.add(sent[inside], due[inside])
        self._rounded.add(sent[inside], rounded[inside])
        self._fired += np.count_nonzero(sent, axis=0)
        self._full += np.count_nonzero(sent >= self._largest * SATURATED, axis=0)
        self._energy += np.sum(np.square(due), axis=0)
        self._wanted += np.sum(np.square(seen.wanted), axis=0)

    @property
    def added(self) -> float:
        """Energy that the layer adds to the error that arrives; a layer that calibration has moved
        may also take some away."""
        return min(max(self.noise - self.arrived, 0.0), self.own)

    @property
    def gain(self) -> float | None:
        """How much larger what is sent is than what is due, by least squares; None where nothing
        is."""
        return self._plain.slope

    @property
    def rounded_gain(self) -> float | None:
        """The same, as against what is due rounded to levels of the code."""
        return self._rounded.slope

    @property
    def silent(self) -> float:
        """Energy that is due from neurons that never fire."""
        return float(np.sum(self._energy[self._fired == 0])) if self._spiking else 0.0

    @property
    def dead(self) -> Integers:
        """Indices, flat, of neurons that never fire, although the float network's do."""
        return np.flatnonzero((self._fired == 0) & (self._wanted > 0))

    @property
    def dead_in_float(self) -> int:
        """Neurons that are zero in the float network, too."""
        return int(np.count_nonzero(self._wanted == 0)) if self._spiking else 0

    @property
    def saturated(self) -> int:
        """Neurons that send the largest value nearly always."""
        return int(np.count_nonzero(self._full >= STUCK * max(self.samples, 1)))

    @property
    def size(self) -> int:
        """Numbers that were looked at."""
        return self.samples * self.node.type.size


def _energy(values: Floats | Array) -> float:
    return float(np.sum(np.square(values, dtype=np.float64)))
