"""Near-threshold networks; and nengo-loihi and lava on them, each where it is installed."""

from pathlib import Path

import numpy as np
import pytest

import snncc
from benchmarks.referees.near_threshold import near_threshold
from benchmarks.referees.simulated import simulate
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import Program
from tests.e2e.models import mlp, samples
from tests.unit.loihi_hand_maps import Compartment, Part, make_map
from tests.unit.test_loihi_sanafe import coupled

CHIP = load_chip("loihi1")
STEPS = 60


def test_potentials_meet_their_thresholds() -> None:
    core_map = near_threshold(CHIP, STEPS, seed=0)
    ours = simulate(core_map, CHIP, np.zeros(0, np.int64))
    met = 0
    for core, sent, potential in zip(core_map.cores, ours.spikes, ours.potentials, strict=True):
        threshold = core.threshold_mantissas[core.compartment_fields["threshold"]] << 6
        met += int(np.sum(potential == threshold))
        assert 0.1 < sent.mean() < 0.9
    assert met > 20


def test_nengo_loihi_emulates_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nengo_loihi")
    from benchmarks.referees import nengo_loihi_check

    monkeypatch.setattr(nengo_loihi_check, "STEPS", STEPS)
    assert "are equal" in nengo_loihi_check.emulate(7)


def test_nengo_loihi_validates() -> None:
    pytest.importorskip("nengo_loihi")
    from benchmarks.referees.nengo_blocks import blocks_of, validate

    _, core_map = coupled()
    used = validate(blocks_of(core_map, CHIP)).used
    assert used["compartments"] == (8, 1024)
    assert used["in-axons"] == (6, 4096)
    assert used["out-axons"] == (7, 4096)
    many = Part(0, [Compartment(Program.FIRE_ZERO, threshold=i + 1) for i in range(8)])
    with pytest.raises(AssertionError, match="threshold profiles: 8"):
        validate(blocks_of(make_map(CHIP, 4, [many]), CHIP))


def test_nengo_loihi_emulates_a_compiled_network(tmp_path: Path) -> None:
    """Its input population has no synapses at all: only the host drives it, and it resets to 0."""
    data = samples(tmp_path / "data.npz", (4,))
    bundle = snncc.compile(
        mlp(tmp_path), target="loihi", calibration=data, chip="loihi1", neuron="hard-if", steps=8
    )
    pytest.importorskip("nengo_loihi")
    from benchmarks.referees.bundles import load
    from benchmarks.referees.nengo_blocks import can_emulate
    from benchmarks.referees.nengo_loihi_check import emulate_sample

    loaded = load(bundle.folder)
    assert can_emulate(loaded.core_map)
    assert "are equal" in emulate_sample(loaded, data)


def test_lava_computes_the_same() -> None:
    pytest.importorskip("lava")
    from benchmarks.referees.lava_check import prepare, run_lava

    prepare()
    core_map = near_threshold(CHIP, STEPS, seed=7)
    ours = simulate(core_map, CHIP, np.zeros(0, np.int64))
    theirs = run_lava(core_map)
    np.testing.assert_array_equal(theirs[0], np.concatenate(ours.spikes, axis=1))
    np.testing.assert_array_equal(theirs[1], np.concatenate(ours.potentials, axis=1))
