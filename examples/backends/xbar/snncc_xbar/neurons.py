"""The digital part: neurons and counters of max pools, in integers."""

import numpy as np

from snncc.ir import Integers
from snncc.ir.ops import Window
from snncc_xbar.config import Layer


def fire(layer: Layer, theta: Integers, potential: Integers, sent: Integers) -> Integers:
    """Spikes of one step; resets `potential` in place. sent: net spikes so far."""
    if layer.model == "hard-if":
        fired: Integers = (potential >= theta).astype(np.int64)
        potential *= 1 - fired
        return fired
    least = -np.minimum(sent, layer.most) if layer.model.startswith("signed-") else 0
    fired = np.clip(potential // theta, least, layer.most)
    potential -= fired * theta
    return fired


def counted_maxima(window: Window, sent: Integers) -> Integers:
    """The largest count of each window, (N, C, *output); padding is left out."""
    slid = window.slide(sent.astype(np.float64), -np.inf)
    largest: Integers = slid.reshape(*slid.shape[: sent.ndim], -1).max(axis=-1).astype(np.int64)
    return largest
