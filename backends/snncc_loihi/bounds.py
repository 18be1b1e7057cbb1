"""That no number on the chip can overflow: proven for every neuron, whatever the input is.

With at most `up` upward and `down` downward in a step (both ≥ 0), over T steps, a potential v is
at least min(start, 0) − T·down (of an even current, and start below theta: start − T·down), and at
most the least of

* max(start, 0) + T·up;
* of those that are reset to zero: max(start, theta) + up;
* of those that send up to `most` at once: max(start, theta) + T·max(0, up − most·theta) + up, as a
  neuron with v ≥ theta is reset by what it sends, and one with v < theta gains `up` at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snncc_ir import Diagnostic, Floats
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Program
from snncc_loihi.cores import mantissa_and_exponent
from snncc_loihi.layers import Layer, Network
from snncc_loihi.tables import unit

HINT = "quantize-weights with the chip's own accumulator, bias and theta_bits, as its pipeline has"


@dataclass(frozen=True)
class _Drive:
    """Of each neuron in a step: upward, downward, and what arrives by synapses, at most.

    even: whether every step brings the same.
    """

    up: Floats
    down: Floats
    arriving: Floats
    even: bool


def overflows(network: Network, chip: Chip) -> Iterator[Diagnostic]:
    """SNN041 for each layer whose numbers do not fit the chip's formats."""
    for i, layer in enumerate(network.layers):
        for what, worst, limit in _found(network, i, layer, chip):
            if worst > limit:
                yield Diagnostic(
                    "SNN041",
                    f"{what} of '{layer.name}' may be {worst:.0f}, should be at most {limit}",
                    hint=HINT,
                )


def _found(
    network: Network, index: int, layer: Layer, chip: Chip
) -> Iterator[tuple[str, float, int]]:
    numbers = chip.numbers
    weights = [np.unique(link.synapses.values).astype(np.int64) for link in network.incoming[index]]
    if layer.feedback:
        weights.append(-layer.theta)
    for each in weights:
        mantissas, exponents = mantissa_and_exponent(each)
        yield "a weight's mantissa", float(mantissas.max(initial=0)), 127
        yield "a negative weight's mantissa", float(-mantissas.min(initial=0)), 128
        yield "a weight's exponent", float(exponents.max(initial=0)), numbers.most_exponent
    told = np.zeros(layer.size)
    for bias in network.host_biases:
        if bias.layer == index:
            told = np.abs(bias.weights) * float(network.largest_input)
    yield "a bias", float((np.abs(layer.bias) + told).max()), numbers.bias_mantissa
    threshold = (layer.theta * unit(chip) >> numbers.threshold_shift) - 1
    yield "a threshold", float(threshold.max()), numbers.threshold_mantissa
    drive = _drive(network, index, layer, told)
    limit = ((1 << (numbers.potential_bits - 1)) - 1) // unit(chip)
    yield "a potential", _potential(network.steps, layer, drive), limit
    most = ((1 << (numbers.accumulator_bits - 1)) - 1) >> numbers.mixed_step
    yield "the sum of what arrives in a step", float(drive.arriving.max()), most


def _drive(network: Network, index: int, layer: Layer, told: Floats) -> _Drive:
    up, down = np.maximum(layer.bias, 0) + told, np.maximum(-layer.bias, 0) + told
    arriving: Floats = layer.theta.astype(np.float64) * float(layer.feedback)
    for link in network.incoming[index]:
        source = network.layers[link.source]
        most = network.largest_input if link.source < 0 else source.most
        above, below = (most * each for each in link.synapses.sums(layer.size))
        if link.source < 0 or source.signed:
            above, below = above + below, above + below
        up, down = up + above, down + below
        arriving += np.maximum(above, below)
    return _Drive(up, down, arriving, not network.incoming[index])


def _potential(steps: int, layer: Layer, drive: _Drive) -> float:
    """The largest magnitude, in the units of the network."""
    steps -= layer.delay
    first = np.where(drive.even & (layer.start < layer.theta), layer.start,
                     np.minimum(layer.start, 0))  # fmt: skip
    lowest = steps * drive.down - first
    highest = np.maximum(layer.start, 0) + steps * drive.up
    begin = np.maximum(layer.start, layer.theta)
    fires = layer.programs[-1]
    if fires == Program.FIRE_ZERO:
        highest = np.minimum(highest, begin + drive.up)
    elif fires == Program.FIRE_SUBTRACT or (fires == Program.FIRE_JOINED and layer.feedback):
        gain = np.maximum(0, drive.up - layer.most * layer.theta)
        highest = np.minimum(highest, begin + steps * gain + drive.up)
    return float(np.maximum(lowest, highest).max())
