"""The checker of maps: it finds each limit that is broken; its proofs hold in simulation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

import snncc
from snncc_ir import Graph, SnnccError, read_graph
from snncc_loihi.backend import MAP
from snncc_loihi.binary import map_bytes, read_map
from snncc_loihi.check_potentials import potentials_reached
from snncc_loihi.check_subject import Subject
from snncc_loihi.check_sums import programs
from snncc_loihi.check_words import decode
from snncc_loihi.checker import LIMITS, USES, hold, subject_of, uses, violations
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import Program
from snncc_loihi.synapses import read_lists
from snncc_loihi.words import LAYOUTS, pack, unpack
from tests.conformance.loihi_maps import Maker
from tests.conformance.loihi_reference import OutOfRange, Reference
from tests.e2e.models import dyadic, samples, save

CHIPS = {name: load_chip(name) for name in ("loihi1", "loihi2")}
STEPS = 8


def network(folder: Path) -> Path:
    """A shortcut along two convolutions, so that there are delays, and a max pool."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "/1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "/1/Relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "/2/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], "/2/Relu"),
        helper.make_node("Conv", ["r2", "w3"], ["c3"], "/3/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c3", "r1"], ["sum"], "/3/Add"),
        helper.make_node("Relu", ["sum"], ["r3"], "/3/Relu"),
        helper.make_node("MaxPool", ["r3"], ["m"], "/4/MaxPool", kernel_shape=[2, 2]),
        helper.make_node("GlobalAveragePool", ["m"], ["g"], "/4/GlobalAveragePool"),
        helper.make_node("Flatten", ["g"], ["f"], "/4/Flatten"),
        helper.make_node("Gemm", ["f", "w4"], ["y"], "/4/Gemm", transB=1),
    ]
    constants = {
        "w1": dyadic(1, 3, 2, 3, 3), "w2": dyadic(2, 5, 3, 3, 3), "w3": dyadic(3, 3, 5, 3, 3),
        "w4": dyadic(4, 3, 3), "b1": dyadic(5, 3),
    }  # fmt: skip
    return save(folder / "shortcut.onnx", nodes, (2, 6, 6), constants)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    """The network on each chip."""
    folder = tmp_path_factory.mktemp("checked")
    model, data = network(folder), samples(folder / "data.npz", (2, 6, 6))
    found = {}
    for name, chip in CHIPS.items():
        out = folder / name
        snncc.compile(
            model, calibration=data, target="loihi", output=out,
            settings={"chip": name, "calibrate": "off", "steps": STEPS},
        )  # fmt: skip
        core_map = read_map((out / MAP).read_bytes(), name)
        found[name] = subject_of(core_map, chip, graph_of(out))
    return found


def graph_of(bundle: Path) -> Graph:
    return read_graph(bundle / "network.sir")


def with_chip(subject: Subject, part: str, **numbers: object) -> Subject:
    """The map on a chip of which something is less."""
    old = getattr(subject.chip, part)
    chip = replace(subject.chip, **{part: replace(old, **numbers)})
    return Subject(subject.core_map, chip, subject.largest_input)


def with_core(subject: Subject, number: int, **memories: object) -> Subject:
    cores = list(subject.cores)
    cores[number] = replace(cores[number], **memories)  # type: ignore[arg-type]
    core_map = replace(subject.core_map, cores=tuple(cores))
    return Subject(core_map, subject.chip, subject.largest_input)


def with_fields(subject: Subject, memory: str, **values: int) -> Subject:
    """All words of a memory of all cores say something else."""
    kind = memory.removesuffix("s")
    assert kind in LAYOUTS
    for number, core in enumerate(subject.cores):
        words = getattr(core, memory)
        fields = unpack(kind, words)
        for name, value in values.items():
            fields[name] = np.full(len(words), value)
        subject = with_core(subject, number, **{memory: pack(kind, fields)})
    return subject


def less(name: str) -> Callable[[Subject], Subject]:
    """A chip with one less than the map takes of a limit in `limits`."""

    def change(subject: Subject) -> Subject:
        field = {"axon_bases": "axon_base", "delays": "delay"}.get(name, name)
        used = int(USES[name](subject).used.max())
        return with_chip(subject, "limits", **{field: used - 1})

    return change


def numbers(**values: object) -> Callable[[Subject], Subject]:
    return lambda subject: with_chip(subject, "numbers", **values)


def features(**values: object) -> Callable[[Subject], Subject]:
    return lambda subject: with_chip(subject, "features", **values)


def words(memory: str, **values: int) -> Callable[[Subject], Subject]:
    return lambda subject: with_fields(subject, memory, **values)


def same_place(subject: Subject) -> Subject:
    cores = (*subject.cores, subject.cores[0])
    return replace(subject, core_map=replace(subject.core_map, cores=cores))


def cut_list(subject: Subject) -> Subject:
    return with_core(subject, 0, synapses=subject.cores[0].synapses[:-1])


def alone(subject: Subject) -> Subject:
    """No spike comes back to its own core."""
    for number, core in enumerate(subject.cores):
        back = core.output_axon_fields["core"] == number
        subject = with_core(subject, number, output_axons=core.output_axons[~back])
    return subject


def less_counted(subject: Subject) -> Subject:
    """Max pools that may send one spike at once, of neurons that send several."""
    for number, core in enumerate(subject.cores):
        fields = unpack("profile", core.profiles)
        fields["most"][fields["program"] == Program.FIRE_COUNT] = 1
        subject = with_core(subject, number, profiles=pack("profile", fields))
    return subject


def many_steps(subject: Subject) -> Subject:
    return replace(subject, core_map=replace(subject.core_map, steps=65535))


def large_input(subject: Subject) -> Subject:
    return replace(subject, largest_input=1 << 20)


BROKEN: list[tuple[str, str, Callable[[Subject], Subject]]] = [
    ("places", "loihi2", lambda subject: with_core(subject, 0, place=1 << 30)),
    ("places", "loihi2", same_place),
    *((name, chip, less(name)) for chip in CHIPS for name in (
        "compartments", "input_axons", "output_axons", "synapse_words", "core_bytes", "profiles",
        "thresholds", "formats", "axon_bases",
    )),
    ("axon_bases", "loihi2", lambda subject: with_chip(subject, "limits", least_axon_base=1)),
    ("lists", "loihi2", cut_list),
    ("lists", "loihi1", words("formats", index_bits=15, delay_bits=7)),
    ("weight_widths", "loihi1", numbers(weight_bits=(1, 2))),
    ("index_widths", "loihi1", numbers(index_bits=(11, 12))),
    ("delay_widths", "loihi2", numbers(delay_bits=0)),
    ("delays", "loihi2", less("delays")),
    ("exponents", "loihi1", words("formats", exponent=8)),
    ("exponents", "loihi1", words("formats", exponent=-3)),
    ("exponents", "loihi2", words("formats", exponent=-1)),
    ("signs", "loihi2", words("formats", sign=1)),
    ("runs", "loihi2", features(runs=False)),
    ("runs", "loihi1", words("formats", run=1)),
    ("known_programs", "loihi2", features(soft_reset="coupled")),
    ("known_programs", "loihi1", features(joins=False)),
    ("known_programs", "loihi1", features(soft_reset="none")),
    ("payloads", "loihi2", features(payload=1)),
    ("payloads", "loihi2", features(signed_spikes=False)),
    ("held_axons", "loihi2", features(held_currents=False)),
    ("biases", "loihi1", large_input),
    ("biases", "loihi2", numbers(bias_mantissa=1)),
    ("bias_exponents", "loihi1", numbers(bias_exponent=6)),
    ("threshold_values", "loihi1", numbers(threshold_mantissa=100)),
    ("starts", "loihi1", numbers(potential_bits=16)),
    ("arriving", "loihi2", large_input),
    ("arriving", "loihi1", numbers(accumulator_bits=6)),
    ("potentials", "loihi1", many_steps),
    ("potentials", "loihi2", many_steps),
    ("counted_spikes", "loihi2", less_counted),
    ("coupled_compartments", "loihi1", alone),
    ("coupled_compartments", "loihi1", words("formats", sign=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "chip", "change"), BROKEN, ids=[f"{n}-{c}-{i}" for i, (n, c, _) in enumerate(BROKEN)]
)
def test_each_limit(
    name: str, chip: str, change: Callable[[Subject], Subject], made: dict[str, Subject]
) -> None:
    found = violations(change(made[chip]))
    assert name in found
    for finding in found[name]:
        assert finding.over > 0
        assert f"is {finding.used}, should be " in str(finding)


def test_every_limit_is_broken_by_a_test() -> None:
    assert {name for name, _, _ in BROKEN} == {limit.__name__ for limit in LIMITS}
    for limit in LIMITS:
        assert "\n" not in (limit.__doc__ or "\n"), limit.__name__


@pytest.mark.parametrize("chip", CHIPS)
def test_compiled_maps_break_none(chip: str, made: dict[str, Subject]) -> None:
    assert violations(made[chip]) == {}
    taken = uses(made[chip])
    assert taken["compartments"].used.sum() > 100
    assert taken["delays"].used.max() > 0
    for name, use in taken.items():
        assert len(use.used) == len(made[chip].cores), name
        assert use.shares.max() <= 1, name
    assert ("synapse_words" in taken) == bool(CHIPS[chip].limits.synapse_words)


def shrunk(subject: Subject, name: str, share: float) -> Subject | None:
    """A chip whose limit is below what the map takes; None where no chip can have less."""
    used = int(USES[name](subject).used.max())
    limit = int(share * used)
    if limit >= used:
        return None
    if name in ("biases", "threshold_values"):
        field = {"biases": "bias_mantissa", "threshold_values": "threshold_mantissa"}[name]
        return with_chip(subject, "numbers", **{field: limit})
    if name in ("arriving", "potentials"):
        bits = max(1, limit.bit_length())  # of a signed number, so that less than `used` fits
        starts = [np.abs(core.compartment_fields["start"]).max() for core in subject.cores]
        if name == "potentials" and max(starts) >= 1 << (bits - 1):
            return None
        part = {"arriving": "accumulator_bits", "potentials": "potential_bits"}[name]
        return with_chip(subject, "numbers", **{part: bits})
    field = {"axon_bases": "axon_base", "delays": "delay"}.get(name, name)
    return with_chip(subject, "limits", **{field: max(limit, name in ("core_bytes",))})


@given(chip=st.sampled_from(sorted(CHIPS)), name=st.sampled_from(sorted(USES)),
       share=st.floats(0, 1))  # fmt: skip
@settings(max_examples=80, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_a_limit_that_shrinks_is_the_one_that_complains(
    chip: str, name: str, share: float, made: dict[str, Subject]
) -> None:
    other = shrunk(made[chip], name, share)
    if other is None:
        return
    zero_is_none = name == "synapse_words" and not other.chip.limits.synapse_words
    assert set(violations(other)) == (set() if zero_is_none else {name})


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(CHIPS)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_synapses_are_read_as_by_the_simulator(seed: int, name: str) -> None:
    for core in Maker(seed, CHIPS[name]).map().cores:
        found, other = decode(core), read_lists(core)
        for axon in range(len(core.input_axons)):
            mine = slice(*found.rows[found.of_axon[axon] :][:2])
            theirs = slice(*other.rows[other.of_axon[axon] :][:2])
            for field in ("offsets", "delays", "stored", "formats"):
                assert np.array_equal(getattr(found, field)[mine], getattr(other, field)[theirs])


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(CHIPS)), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_potentials_stay_within_what_is_proven(seed: int, name: str, data: st.DataObject) -> None:
    """Maps by chance, run by the reference: no potential leaves its bounds."""
    chip = CHIPS[name]
    core_map = Maker(seed, chip).map()
    inputs = data.draw(st.lists(st.integers(-9, 9), min_size=4, max_size=4))
    subject = Subject(core_map, chip, max(map(abs, inputs)))
    if "counted_spikes" in violations(subject):
        return
    bounds = list(potentials_reached(subject))
    try:
        told = Reference(core_map, chip).run(inputs, core_map.last_step + 2, core_map.steps)
    except OutOfRange:
        told = None
    if told is None:
        assert {"arriving", "potentials", "biases"} & set(violations(subject))
        return
    for (_, core, i), v in told.potentials.items():
        if programs(core_map.cores[core])[i] not in (Program.FIRE_JOINED, Program.FIRE_COUNT):
            assert bounds[core].low[i] <= v <= bounds[core].high[i]


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("seed", range(3))
def test_largest_inputs_stay_within_what_is_proven(
    name: str, seed: int, made: dict[str, Subject]
) -> None:
    """Neurons that are coupled, pools and readouts of the compiled maps."""
    subject = made[name]
    inputs = np.random.default_rng(seed).choice([-1, 0, 1], 72) * subject.largest_input
    reference = Reference(subject.core_map, subject.chip)
    told = reference.run(inputs.tolist(), subject.core_map.last_step, STEPS)
    bounds = list(potentials_reached(subject))
    seen = dict[tuple[int, int], float]()
    for (_, core, i), v in told.potentials.items():
        if programs(subject.cores[core])[i] not in (Program.FIRE_JOINED, Program.FIRE_COUNT):
            assert bounds[core].low[i] <= v <= bounds[core].high[i]
            reach = max(abs(bounds[core].low[i]), bounds[core].high[i], 1)
            seen[core, i] = max(seen.get((core, i), 0.0), abs(v) / reach)
    # what is proven is not far from what there is: some compartment comes close
    assert max(seen.values()) > 0.4


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(CHIPS)), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sound_map_can_be_checked(seed: int, name: str, data: st.DataObject) -> None:
    """Bytes that say something else: refused as unsound, or checked without an error of ours."""
    content = bytearray(map_bytes(Maker(seed, CHIPS[name]).map()))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(64, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        core_map = read_map(bytes(content), "map.bin")
    except SnnccError:
        return
    for findings in violations(Subject(core_map, CHIPS[name], 127)).values():
        assert all(finding.over > 0 and str(finding) for finding in findings)


def test_a_map_that_was_made_wrong_is_a_bug(made: dict[str, Subject], tmp_path: Path) -> None:
    """What compiles holds what it made to the limits, and says that it is not the user's fault."""
    subject = made["loihi2"]
    source = 'sir 1\ngraph "x" {\n  %x = input {shape=[4], levels=127} : analog<4>\n'
    source += '      from Input "x" by quantize-input\n}\n'
    path = tmp_path / "x.sir"
    path.write_text(source)
    graph = read_graph(path)
    hold(map_bytes(subject.core_map), subject.chip, graph)
    for change in (less("core_bytes"), cut_list):
        changed = change(subject)
        with pytest.raises(SnnccError) as caught:
            hold(map_bytes(changed.core_map), changed.chip, graph)
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "SNN041"
        assert "this is a bug of snncc" in diagnostic.hint
