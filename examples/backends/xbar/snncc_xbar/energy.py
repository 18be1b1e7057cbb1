"""Energy and time by a table: what the simulator counted, times what each event costs.

The numbers are of the order of published ones, not of a chip that was measured:

* converters: 6.1 fJ a level, 0.78 ns a conversion: 8 bits at 1.28 GS/s and 2 mW, as in ISAAC
  (Shafiee et al., ISCA 2016);
* a row: 0.39 pJ, ISAAC's one-bit drivers (4 mW for 1024 of them in 100 ns);
* a cell that is on: 4 fJ, from 10 µS at 0.2 V for 10 ns (an assumption);
* digital logic: Horowitz (ISSCC 2014), 45 nm: 32-bit addition 0.1 pJ, multiplication 3.1 pJ,
  a word of 32 bits from 8 KB of SRAM 5 pJ (a potential is read and written in each step).

Each result of a converter is shifted and added once. Layers follow one another, and so do a
convolution's positions; arrays of a layer work at the same time; a read without an active row is
left out. What is not counted: the network that carries spikes, control, leakage.
"""

from collections.abc import Mapping

import numpy as np

from snncc.backends import Estimate
from snncc.ir import Integers
from snncc_xbar.config import Arrays

COUNTERS = (
    "rows", "cells", "conversions", "saturations", "rounds", "multiplies", "updates", "operations",
    "spikes",
)  # fmt: skip
"""rows: pulses; cells: that conduct in a read; conversions: of columns; saturations: of
converters; rounds: reads that follow one another; multiplies: by factors and one-to-one weights;
updates: of potentials; operations: synaptic; spikes."""
LEVEL_PJ = 0.0061
ROW_PJ = 0.39
CELL_PJ = 0.004
ADD_PJ = 0.1
MULTIPLY_PJ = 3.1
WORD_PJ = 5.0
READ_NS = 10.0
CONVERSION_NS = 0.78


def estimate(arrays: Arrays, activity: Mapping[str, Mapping[str, Integers]]) -> Estimate:
    """Means over the samples of a run. activity: counters by layer, (N) each."""
    mean = {
        layer: {name: float(np.mean(number)) for name, number in counters.items()}
        for layer, counters in activity.items()
    }
    layers = {layer: _picojoules(arrays, counters) for layer, counters in mean.items()}
    parts = {
        part: 1e-6 * sum(energies[part] for energies in layers.values())
        for part in ("rows", "cells", "converters", "digital")
    }
    rounds = sum(counters["rounds"] for counters in mean.values())
    return Estimate(
        sum(parts.values()),
        1e-6 * rounds * (READ_NS + arrays.mux * CONVERSION_NS),
        parts,
        {layer: 1e-6 * sum(energies.values()) for layer, energies in layers.items()},
        sum(counters["saturations"] for counters in mean.values()),
        f"{arrays.rows}×{arrays.columns} cells, converters of {arrays.adc_bits} bits as in ISAAC, "
        "digital logic of 45 nm; simulated, not measured; without the spikes' network",
    )


def _picojoules(arrays: Arrays, counters: Mapping[str, float]) -> dict[str, float]:
    """Of a layer, by part."""
    return {
        "rows": ROW_PJ * counters["rows"],
        "cells": CELL_PJ * counters["cells"],
        "converters": LEVEL_PJ * (1 << arrays.adc_bits) * counters["conversions"],
        "digital": ADD_PJ * (counters["conversions"] + counters["updates"])
        + MULTIPLY_PJ * counters["multiplies"]
        + 2 * WORD_PJ * counters["updates"],
    }
