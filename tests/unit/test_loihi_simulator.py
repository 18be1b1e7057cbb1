"""The simulator against the reference: every spike, every potential, every count."""

import atexit
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc_ir import SnnccError
from snncc_loihi.binary import map_bytes, read_map
from snncc_loihi.chip import Chip, load_chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.flat import FROM_ZERO, LONG, NAMES
from snncc_loihi.simulation import COUNTERS, Simulated, Simulator, Wanted, build_simulator
from tests.conformance.loihi_maps import Maker
from tests.conformance.loihi_reference import COSTS, OutOfRange, Reference, Told
from tests.conftest import ROOT

CHIPS = {name: load_chip(name) for name in ("loihi1", "loihi2")}
STEPS = 14
INPUTS = 4
STRICT = ("-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined,address",
          "-fno-sanitize-recover=all")  # fmt: skip


@cache
def strict() -> Path:
    """The simulator with all that the compiler can watch."""
    folder = Path(tempfile.mkdtemp(prefix="loihi-"))
    atexit.register(shutil.rmtree, folder)
    build_simulator(folder / "loihi", STRICT)
    return folder / "loihi"


def simulated(core_map: CoreMap, chip: Chip, inputs: np.ndarray, window: int) -> Simulated:
    """Potentials of all compartments after all steps, and all spikes."""
    count = sum(len(core.compartments) for core in core_map.cores)
    simulator = Simulator(
        core_map, chip, chip.costs[COSTS], INPUTS, "map.bin", 1, executable=strict()
    )
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
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_header_and_flattener_agree() -> None:
    """Names, order and widths of all arrays; and the counters."""
    text = (ROOT / "backends/snncc_loihi/simulator/loihi_machine.h").read_text()
    found = re.findall(r"X\(int(\d+)_t, (\w+)\)", text)
    assert tuple(name for _, name in found) == NAMES
    assert tuple(name for bits, name in found if bits == "64") == LONG
    assert [name for bits, name in found if bits == "16"] == ["narrow"]
    assert set(FROM_ZERO) < set(LONG)
    counters = re.search(r"enum \{\s+(SPIKES.*?)LOIHI_COUNTERS", text, re.DOTALL)
    assert counters is not None
    assert len(counters[1].rstrip(", \n").split(",")) == len(COUNTERS)


def test_command_line(tmp_path: Path) -> None:
    """Files that are missing or cut off, and options that are not known, are told."""

    def told(*line: str) -> str:
        done = subprocess.run([strict(), *line], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        return done.stderr

    assert "usage: loihi FLAT" in told()
    assert "--speed: is not known" in told("map", "--speed", "3")
    assert "many: is no number" in told("map", "--count", "many")
    names = ("input", "probes", "output", "counts", "times", "spikes", "errors")
    line = [part for name in names for part in (f"--{name}", str(tmp_path / name))]
    line += ["--count", "1", "--steps", "1", "--window", "1"]
    flat_map = tmp_path / "map"
    assert "cannot be read" in told(str(flat_map), *line)
    for content in (b"", bytes(8 * len(NAMES)), b"\xff" * 8 * len(NAMES), b"\x01" * 1000):
        flat_map.write_bytes(content)
        assert "the flattened map" in told(str(flat_map), *line)


def test_help() -> None:
    done = subprocess.run([strict(), "--help"], capture_output=True, text=True, check=True)
    assert "picoseconds" in done.stdout
