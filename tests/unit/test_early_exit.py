"""The rule of early exit, its unit, and how its margin is chosen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncc.early_exit import choose_margin, outputs_at
from snncc.shares import Share, upper_bound
from snncc.testing import inputs, network
from snncc_backends import EarlyExit, Execution, OracleRunner, exit_rule, margin_unit, margins
from snncc_ir import Graph, Integers, SnnccError, decode, f32
from snncc_ir.ops import Output


@st.composite
def tables(draw: st.DrawFn) -> Integers:
    """Totals of some samples, (N, T, classes)."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 6)), draw(st.integers(2, 4)))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    return random.integers(-20, 21, shape)


def execution(graph: Graph, totals: Integers) -> Execution:
    """As if the network's first output had had these totals."""
    return Execution(totals.shape[1], {graph.outputs[0].inputs[0]: totals}, {})


@given(tables(), st.integers(1, 30), st.integers(1, 8))
def test_the_rule_step_by_step(totals: Integers, margin: int, least: int) -> None:
    used = EarlyExit(margin, least).steps_used(totals)
    for sample, end in zip(totals, used.tolist(), strict=True):
        expected = len(sample)
        for step, row in enumerate(sample, 1):
            *_, second, first = sorted(row.tolist())
            if step >= least and first - second >= margin:
                expected = step
                break
        assert end == expected


@given(tables(), st.integers(1, 30))
def test_what_is_cut_off(totals: Integers, margin: int) -> None:
    """Totals stay, spikes stop, and an uncut run is what it was."""
    spikes = np.sign(totals).astype(np.int8)
    used = EarlyExit(margin).steps_used(totals)
    full = Execution(totals.shape[1], {"y": totals}, {}, spikes={"a": spikes})
    cut = full.until(used)
    for i, end in enumerate(used.tolist()):
        assert np.array_equal(cut.totals["y"][i, :end], totals[i, :end])
        assert np.all(cut.totals["y"][i, end:] == totals[i, end - 1])
        assert np.array_equal(cut.spikes["a"][i, :end], spikes[i, :end])
        assert not cut.spikes["a"][i, end:].any()
        assert cut.spike_counts["a"][i] == np.count_nonzero(spikes[i, :end])
    assert np.array_equal(full.spikes["a"], np.sign(totals))


@given(st.integers(1, 10**9))
def test_a_margin_and_its_units(units: int) -> None:
    """What is printed for a margin means that margin."""
    graph = network("dense", "if")
    assert margin_unit(graph) == 0.25 / 7
    assert exit_rule(graph, units * margin_unit(graph)).margin == units
    assert exit_rule(graph, (units - 0.5) * margin_unit(graph)).margin == units


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan"), float("inf")])
def test_margins_that_mean_nothing(margin: float) -> None:
    with pytest.raises(SnnccError, match="SNN053: the margin is"):
        exit_rule(network("dense", "if"), margin)
    with pytest.raises(SnnccError, match="SNN053: least_steps is 0, should be at least 1"):
        EarlyExit(1, 0)


def test_classes_in_several_units_have_no_margin() -> None:
    graph = network("spiking-classes", "if")
    uneven = f32(np.array([0.5, 0.5, 0.25, 0.5]))
    other = graph.rewritten(
        lambda node: (
            replace(node, op=replace(node.op, scale=uneven))
            if isinstance(node.op, Output)
            else node
        )
    )
    with pytest.raises(SnnccError, match=r"SNN053: the classes count in units of 0\.25 to 0\.5"):
        margin_unit(other)


@given(tables(), st.floats(0.1, 99))
def test_the_choice_keeps_its_promise(totals: Integers, points: float) -> None:
    """On the calibration data themselves: its false leads are the results that could change."""
    graph = network("dense", "if")
    choice = choose_margin(graph, execution(graph, totals), points)
    leader, ahead = totals.argmax(axis=2), margins(totals)
    false = (leader != leader[:, -1:]) & (ahead >= choice.units)
    assert choice.false_leads == np.mean(false.any(axis=1))
    used = EarlyExit(choice.units).steps_used(totals)
    chosen = leader[np.arange(len(used)), used - 1]
    assert np.mean(chosen != leader[:, -1]) <= choice.false_leads
    if choice.note:
        assert not false.any()
    else:
        assert 100 * choice.bound <= points
    # the least: one unit less lets another false lead pass, and that is one too many
    if choice.units > 1:
        less = ((leader != leader[:, -1:]) & (ahead >= choice.units - 1)).any(axis=1)
        passing = int(np.count_nonzero(less))
        assert passing > choice.samples * choice.false_leads
        assert 100 * upper_bound(passing, choice.samples) > points


def test_few_samples_cannot_promise_much() -> None:
    graph = network("dense", "if")
    totals = np.zeros((200, 2, 3), np.int64)
    totals[:, 0, 1], totals[:, 1, 2] = np.arange(200), 1000
    assert choose_margin(graph, execution(graph, totals), 5).units == 196
    tight = choose_margin(graph, execution(graph, totals), 0.1)
    assert (tight.units, tight.false_leads) == (200, 0)
    assert "200 calibration samples cannot show that at most 0.1 %" in tight.note
    with pytest.raises(SnnccError, match="SNN053: the loss is 0, should be above 0"):
        choose_margin(graph, execution(graph, totals), 0)


def test_bounds_of_shares() -> None:
    """Wilson's interval: of no hit in n it is z² / (n + z²)."""
    assert upper_bound(0, 1024) == pytest.approx(1.644854**2 / (1024 + 1.644854**2))
    assert upper_bound(10, 100) == pytest.approx(0.1604, abs=1e-4)
    share = Share.of(np.arange(100) < 92)
    assert (share.low, share.high) == pytest.approx((0.8500, 0.9589), abs=1e-4)


@pytest.mark.parametrize("name", ["late-input", "spiking-classes"])
def test_outputs_are_means_over_own_steps(name: str) -> None:
    graph = network(name, "signed-if")
    samples = inputs(graph)
    full = OracleRunner(graph).run(samples)
    ahead = margins(next(iter(full.totals.values())))
    early_exit = EarlyExit(max(int(np.quantile(ahead, 0.4)), 1))
    found = OracleRunner(graph).run_until(samples, early_exit)
    assert found.steps_used is not None
    assert len(set(found.steps_used.tolist())) > 1
    results = outputs_at(graph, found, full.steps)
    for i, used in enumerate(found.steps_used.tolist()):
        alone = decode(graph, {n: t[i : i + 1, used - 1] for n, t in full.totals.items()}, used)
        for output, values in alone.items():
            np.testing.assert_allclose(results[output][i], values[0], rtol=1e-12)
