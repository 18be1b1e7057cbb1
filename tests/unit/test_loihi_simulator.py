"""The simulator against the reference: every spike, every potential, every count."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc_ir import SnnccError
from snncc_loihi.binary import map_bytes, read_map
from snncc_loihi.chip import Chip, load_chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.simulation import COUNTERS, Simulated, Simulator, Wanted
from tests.conformance.loihi_maps import Maker
from tests.conformance.loihi_reference import OutOfRange, Reference, Told

CHIPS = {name: load_chip(name) for name in ("loihi1", "loihi2")}
STEPS = 14
INPUTS = 4
STRICT = ("-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined,address",
          "-fno-sanitize-recover=all")  # fmt: skip


def simulated(core_map: CoreMap, chip: Chip, inputs: np.ndarray, window: int) -> Simulated:
    """Potentials of all compartments after all steps, and all spikes."""
    count = sum(len(core.compartments) for core in core_map.cores)
    costs = chip.costs[chip.default_costs]
    simulator = Simulator(core_map, chip, costs, INPUTS, "map.bin", 1, STRICT)
    wanted = Wanted(
        np.arange(count), np.zeros(count, np.int64), STEPS, count * window, np.arange(count),
        np.full(count, count),
    )  # fmt: skip
    return simulator.run(inputs, STEPS, window, wanted)


def flat(told: Told, core_map: CoreMap, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Potentials and spikes in the simulator's order."""
    sizes = [len(core.compartments) for core in core_map.cores]
    starts = np.cumsum([0, *sizes])
    potentials = np.zeros((STEPS, starts[-1]), np.int64)
    for (step, core, i), v in told.potentials.items():
        potentials[step, starts[core] + i] = v
    spikes = np.zeros((window, starts[-1]), np.int64)
    for (step, core, i), payload in told.spikes.items():
        which = core_map.cores[core].compartment_fields["profile"][i]
        first = core_map.cores[core].profile_fields["first_step"][which]
        spikes[step - first, starts[core] + i] = payload
    return potentials, spikes


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(CHIPS)), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_as_the_reference(seed: int, name: str, data: st.DataObject) -> None:
    chip = CHIPS[name]
    core_map = Maker(seed, chip).map()
    assert map_bytes(read_map(map_bytes(core_map), "map.bin")) == map_bytes(core_map)
    window = data.draw(st.integers(1, core_map.steps))
    inputs = data.draw(st.lists(st.integers(-9, 9), min_size=INPUTS, max_size=INPUTS))
    reference = Reference(core_map, chip)
    try:
        told = reference.run(inputs, STEPS, window)
    except OutOfRange as error:
        with pytest.raises(
            SnnccError, match="core {}, compartment {}, step {}:".format(*error.args)
        ):
            simulated(core_map, chip, np.array([inputs]), window)
        return
    found = simulated(core_map, chip, np.array([inputs]), window)
    potentials, spikes = flat(told, core_map, window)
    assert np.array_equal(found.potentials[0], potentials)
    assert np.array_equal(found.spikes[0].reshape(spikes.shape), spikes)
    totals = found.counts[0].sum(axis=0)
    assert dict(zip(COUNTERS, totals.tolist(), strict=True)) == {
        counter: told.totals[counter] for counter in COUNTERS
    }
    assert found.time[0] == told.picoseconds
