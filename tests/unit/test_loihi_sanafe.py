"""Export to SANA-FE: the text of small maps, and (where it is installed) what SANA-FE does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import snncc
from benchmarks.referees.simulated import simulate
from snncc_ir import SnnccError
from snncc_loihi.chip import Chip, load_chip
from snncc_loihi.core_map import CoreMap, Program
from snncc_loihi.sanafe_export import export, host_currents
from tests.e2e.models import residual, samples
from tests.unit.loihi_hand_maps import Compartment, Host, Part, make_map

P = Program
STEPS = 24


def coupled() -> tuple[Chip, CoreMap]:
    """Loihi 1: three coupled neurons with biases of the host, two of the next layer, a hard one, a
    max pool of two; synapses with delay, dense and sparse ones, a readout on a third core."""
    pair = [Compartment(P.INTEGRATE), Compartment(P.FIRE_JOINED, threshold=63)]
    next_pair = [
        Compartment(P.INTEGRATE, 1, bias=3, bias_exponent=5, start=-70),
        Compartment(P.FIRE_JOINED, 1, threshold=49),
    ]
    pool = [
        Compartment(P.INTEGRATE, 1),
        Compartment(P.INTEGRATE_MAX, 1),
        Compartment(P.FIRE_JOINED, 1, threshold=1),
    ]
    first = Part(
        5,
        pair * 3,
        [[(0, -32, 0)], [(2, -32, 0)], [(4, -32, 0)]],
        [(1, 0, 0), (3, 0, 1), (5, 0, 2), (1, 1, 0), (3, 1, 1), (5, 1, 2)],
    )
    second = Part(
        70,
        [*next_pair * 2, Compartment(P.FIRE_ZERO, 1, threshold=30, start=64), *pool],
        [
            [(0, 25, 0), (2, -7, 0), (4, 19, 0), (5, 1, 0)],
            [(0, 30, 0), (4, -40, 0), (6, 1, 0)],
            [(0, 11, 0), (1, 0, 0), (2, 21, 0)],
            [(0, -25, 0)],
            [(2, -25, 0)],
            [(5, -1, 0), (6, -1, 0)],
        ],
        [(1, 1, 3), (3, 1, 4), (7, 1, 5), (1, 2, 0), (3, 2, 1), (4, 2, 2), (7, 2, 3)],
        dense=frozenset({2}),
    )
    third = Part(
        126,
        [Compartment(P.INTEGRATE, 4, start=5), Compartment(P.INTEGRATE, 4)],
        [[(0, 3, 2), (1, -3, 2)], [(1, 9, 2)], [(0, -60, 2)], [(0, 1, 2), (1, 2, 2)]],
    )
    host = Host(biases=[(0, 0, 0, 48), (1, 0, 2, 48), (1, 0, 4, -24), (0, 0, 4, 72)])
    chip = load_chip("loihi1")
    return chip, make_map(chip, STEPS, [first, second, third], host)


def native() -> tuple[Chip, CoreMap]:
    """Loihi 2: held currents, soft resets, a max pool by counting."""
    one = Compartment(P.FIRE_SUBTRACT, 1, threshold=30, most=1)
    first = Part(
        0,
        [one, replace(one, start=29), replace(one, bias=4, bias_exponent=2), one],
        [[(0, 5, 0), (1, 9, 0), (2, -3, 0)], [(0, 3, 0), (3, 2, 0), (2, 1, 0)]],
        [(0, 1, 0), (1, 1, 1), (2, 1, 2), (3, 1, 3)],
        held=frozenset({0, 1}),
    )
    second = Part(
        4,
        [
            Compartment(P.INTEGRATE, 2),
            Compartment(P.INTEGRATE_MAX, 2),
            Compartment(P.FIRE_COUNT, 2, threshold=0, most=1),
            Compartment(P.FIRE_SUBTRACT, 2, threshold=9, most=1, start=4),
            Compartment(P.INTEGRATE, 4),
        ],
        [[(0, 1, 0)], [(1, 1, 0), (3, 12, 0)], [(3, -5, 0)], [(3, 9, 0)], [(4, 7, 1)],
         [(4, -3, 1)]],
        [(2, 1, 4), (3, 1, 5)],
    )  # fmt: skip
    chip = load_chip("loihi2")
    return chip, make_map(chip, STEPS, [first, second], Host(axons=[(0, 0, 0), (1, 0, 1)]))


MAPS = {"coupled": (coupled, (40, 25)), "native": (native, (3, 2))}
Made = tuple[Callable[[], tuple[Chip, CoreMap]], tuple[int, int]]


def test_the_hand_made_maps_are_at_work() -> None:
    for make, inputs in MAPS.values():
        chip, core_map = make()
        found = simulate(core_map, chip, np.array(inputs))
        for sent, core in zip(found.spikes, core_map.cores, strict=True):
            rates = sent[:, core.output_axon_fields["compartment"]].mean(0)
            assert np.all((rates > 0) & (rates < 1))


def test_text_of_coupled_neurons() -> None:
    chip, core_map = coupled()
    found = export(core_map, chip, chip.costs["sana-fe"])
    lines = found.network.splitlines()
    assert "  - c00000: [core: 1.1]" in lines
    assert "  - c00001: [core: 17.2]" in lines
    (line,) = (line for line in lines if line.startswith("    - c00000 -> c00000:"))
    assert line.endswith("source_target_pairs: [[0,0],[2,2],[4,4]], "
                         "weight: [-4096,-4096,-4096], delay: [0,0,0]]")  # fmt: skip
    first = lines.index("      neurons:") + 1
    assert "log_spikes: true" in lines[first]
    assert "threshold: 4032.0, reset_mode: none, potential: 0" in lines[first]
    assert "threshold: 1000000000000.0" in lines[first + 1]
    assert sum('soma_hw_name: "played[0]"' in line for line in lines) == 1
    assert found.one_unit
    assert 'name: "played[0..0]"' in found.architecture
    assert "energy_spike_out: 6.93e-11" in found.architecture
    assert found.architecture.count("energy_east_hop: 3.0e-12") == 32


def test_text_of_native_neurons() -> None:
    chip, core_map = native()
    found = export(core_map, chip, chip.costs["sana-fe"])
    assert not found.one_unit
    (line,) = (line for line in found.network.splitlines() if line.startswith("        - 1: [log"))
    assert "threshold: 31.0, reset_mode: soft, potential: 30, bias: 0" in line


def test_currents_of_the_host() -> None:
    chip, core_map = native()
    first, second = host_currents(core_map, chip, np.array([3, 2]))
    assert first.tolist() == [3 * 5 + 2 * 3, 3 * 9, -3 * 3 + 2, 2 * 2]
    assert not second.any()
    chip, core_map = coupled()
    assert host_currents(core_map, chip, np.array([40, 25]))[0].tolist() == [
        1920,
        0,
        1200,
        0,
        2280,
        0,
    ]


@pytest.mark.parametrize(
    ("compartment", "message"),
    [
        (Compartment(P.FIRE_SUBTRACT, most=2), "graded or signed spikes"),
        (Compartment(P.FIRE_ZERO), "a message without synapses"),
    ],
)
def test_what_cannot_be_said(compartment: Compartment, message: str) -> None:
    chip = load_chip("loihi2")
    part = Part(0, [compartment], [[(0, 0, 0)]], [(0, 0, 0)], dense=frozenset({0}))
    with pytest.raises(SnnccError, match=message):
        export(make_map(chip, 4, [part]), chip, chip.costs["sana-fe"])


def test_long_delays_cannot_be_said() -> None:
    chip = load_chip("loihi2")
    part = Part(0, [Compartment(P.FIRE_ZERO)], [[(0, 3, 6)]], [(0, 0, 0)])
    with pytest.raises(SnnccError, match="a delay of 6 steps"):
        export(make_map(chip, 4, [part]), chip, chip.costs["sana-fe"])


@pytest.mark.parametrize("name", MAPS)
def test_sanafe_agrees(name: str) -> None:
    pytest.importorskip("sanafe")
    from benchmarks.referees.sanafe_check import energy, pools
    from benchmarks.referees.sanafe_run import Machine

    make, inputs = MAPS[name]
    chip, core_map = make()
    costs = chip.costs["sana-fe"]
    exported = export(core_map, chip, costs)
    if exported.one_unit:
        costs = replace(costs, synapse_dense=costs.synapse_sparse)
    machine = Machine(core_map, exported)
    for sample in (inputs, inputs[::-1], inputs):
        numbers = np.array(sample)
        ours = simulate(core_map, chip, numbers)
        theirs = machine.run(host_currents(core_map, chip, numbers), ours.spikes)
        for mine, other in zip(ours.spikes, theirs.spikes, strict=True):
            np.testing.assert_array_equal(other, mine)
        np.testing.assert_array_equal(theirs.potentials[-1][:, -1], ours.potentials[-1][:, -1])
        assert "are equal" in energy(core_map, chip, costs, ours.counters, numbers, theirs)
        assert "what 1 max pools sent" in pools(core_map, chip, exported, ours.spikes, theirs)


def test_sanafe_sees_a_threshold_that_is_one_off() -> None:
    pytest.importorskip("sanafe")
    from benchmarks.referees.sanafe_run import Machine

    chip, core_map = native()
    first = core_map.cores[0]
    off = replace(first, thresholds=first.thresholds + np.uint64(1))
    other = replace(core_map, cores=(off, *core_map.cores[1:]))
    numbers = np.array([3, 2])
    ours = simulate(core_map, chip, numbers)
    machine = Machine(other, export(other, chip, chip.costs["sana-fe"]))
    theirs = machine.run(host_currents(other, chip, numbers), ours.spikes)
    assert not np.array_equal(theirs.spikes[0], ours.spikes[0])


@pytest.mark.parametrize("chip", ["loihi1", "loihi2"])
def test_sanafe_agrees_on_a_compiled_network(chip: str, tmp_path: Path) -> None:
    """A shortcut with its delay, a max pool, numbers of the host."""
    pytest.importorskip("sanafe")
    from benchmarks.referees.sanafe_check import check

    data = samples(tmp_path / "data.npz", (2, 6, 6))
    bundle = snncc.compile(
        residual(tmp_path), target="loihi", calibration=data, chip=chip, neuron="if", steps=12
    )
    lines = list(check(bundle.folder, data, 2))
    assert sum("are equal" in line for line in lines) == 6
