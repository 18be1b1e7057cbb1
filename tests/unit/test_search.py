"""The search for settings: the bound on what is lost, the ladder, the choice."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import snncc
from snncc.build import Progress
from snncc.search import Candidate, Figures, Goal, Search, Study, Trial, make_study, search
from snncc.search.ladder import lowest
from snncc.search.paired import Paired, samples_needed
from snncc.search.trial import Options
from snncc.shares import Share
from snncc.source import load_source
from snncc_backends import backend
from snncc_ir import Graph, SnnccError
from tests.e2e.models import mlp, samples

COUNTS = st.tuples(st.integers(1, 2000), st.integers(0, 50), st.integers(0, 50)).map(
    lambda t: Paired(t[0] + t[1] + t[2], t[1], t[2])
)


@given(COUNTS, st.sampled_from([0.6, 0.8, 0.9, 0.95, 0.99]))
def test_bound_is_above_the_estimate_and_grows_with_confidence(
    paired: Paired, confidence: float
) -> None:
    bound = paired.bound(confidence)
    assert paired.lost <= paired.bound(0.55) <= bound <= 1
    more = Paired(paired.count + 1, paired.only_float + 1, paired.only_other)
    assert more.bound(confidence) > bound


@given(st.integers(1, 3000), st.integers(0, 50), st.sampled_from([0.8, 0.9, 0.975]))
def test_bound_without_gains_is_wilsons(count: int, lost: int, confidence: float) -> None:
    """The score interval of one share, in closed form."""
    count += lost
    z2 = {0.8: 0.708326, 0.9: 1.642374, 0.975: 3.841459}[confidence]
    p = lost / count
    center = p + z2 / (2 * count)
    half = math.sqrt(z2 * (p * (1 - p) / count + z2 / (4 * count**2)))
    expected = (center + half) / (1 + z2 / count)
    assert Paired(count, lost, 0).bound(confidence) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("only_float", "only_other"), [(0.1, 0.05), (0.05, 0.05), (0.3, 0.1)])
def test_bound_covers_the_true_loss_as_often_as_it_says(
    only_float: float, only_other: float
) -> None:
    """Exactly, over all outcomes of 25 samples."""
    n, covered = 25, 0.0
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c <= n and Paired(n, b, c).bound(0.9) >= only_float - only_other:
            ways = math.comb(n, b) * math.comb(n - b, c)
            same = (1 - only_float - only_other) ** (n - b - c)
            covered += ways * only_float**b * only_other**c * same
    assert covered == pytest.approx(0.9, abs=0.04)


def test_half_of_confidence_is_the_estimate() -> None:
    assert Paired(200, 5, 3).bound(0.5) == pytest.approx(0.01)


@given(st.floats(0.001, 0.2), st.sampled_from([0.8, 0.9, 0.95]))
def test_samples_needed_are_just_enough(loss: float, confidence: float) -> None:
    needed = samples_needed(loss, confidence)
    assert Paired(needed, 0, 0).bound(confidence) <= loss * (1 + 1e-6)
    if needed > 1:
        assert Paired(needed - 1, 0, 0).bound(confidence) > loss * (1 - 1e-6)


@given(st.integers(1, 40), st.integers(0, 40))
def test_lowest_rung_of_a_monotone_ladder(rungs: int, first: int) -> None:
    tried: list[int] = []

    def holds(rung: int) -> bool:
        tried.append(rung)
        return rung >= first

    assert lowest(rungs, holds) == (first if first < rungs else None)
    assert len(tried) == len(set(tried)) <= math.ceil(math.log2(rungs + 1)) + 2


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_lowest_rung_of_any_ladder(good: list[bool]) -> None:
    """What is answered holds, and the two rungs below do not."""
    found = lowest(len(good), good.__getitem__)
    if found is None:
        assert not good[-1]
    else:
        assert good[found]
        assert not any(good[max(found - 2, 0) : found])


def study(count: int = 400) -> Study:
    """Samples to be counted only."""
    graph = Graph("none", ())
    classes = np.zeros(count, np.int64)
    held = {"x": np.zeros((count, 1), np.float32)}
    return Study(graph, snncc.Preprocessing(), held, held, classes, classes, "", True)


def invented(options: Options) -> Figures | str:
    """A target's behavior: enough steps are good, and signed neurons need half as many.

    The radix code never is.
    """
    coding, steps = options["coding"], int(str(options.get("steps", 24)))
    if coding == "ttfs":
        if int(str(options.get("weight_bits", 5))) < 4:
            return "SNN041: too few bits"
        good, latency, operations = steps >= 20, 3 * steps, 500.0
    elif coding == "radix":
        good, latency, operations = False, 20 * steps, 50.0
    else:
        good = steps >= (12 if options["neuron"] == "signed-if" else 24)
        latency, operations = steps, steps * (90.0 if options["neuron"] == "signed-if" else 30.0)
    share = Share(1.0, 1.0, 1.0)
    return Figures(latency, share, share, Paired(400, 0 if good else 9, 0), 1.0, operations, None,
                   None)  # fmt: skip


def attempt(study: Study, candidate: Candidate, progress: Progress) -> Trial:
    found = invented(candidate.options)
    if isinstance(found, str):
        return Trial(candidate, None, found)
    return Trial(candidate, found)


def searched(prefer: str = "steps", **options: object) -> Search:
    return search(backend("c"), study(), Goal(1, prefer), options, attempt=attempt)


def test_the_cheapest_is_chosen_by_preference() -> None:
    assert searched().settings() == {"coding": "rate", "neuron": "signed-if", "steps": 12}
    assert searched("operations").settings() == {"coding": "rate", "neuron": "if", "steps": 24}
    ttfs = {"coding": "ttfs", "steps": 20, "tau": 4, "weight_bits": 4, "resolution": 2}
    assert searched(coding="ttfs").settings() == ttfs
    assert searched("operations", coding="auto").settings() == ttfs
    assert searched(coding="auto").settings()["steps"] == 12


def test_what_is_given_stays() -> None:
    assert searched(neuron="if").settings() == {"coding": "rate", "neuron": "if", "steps": 24}
    found = searched(coding="ttfs", weight_bits=7, steps=24)
    assert {trial.candidate.options["weight_bits"] for trial in found.trials} == {7}
    assert {trial.candidate.options["steps"] for trial in found.trials} == {24}
    only = searched(steps=16, neuron="if", weight_bits=8)
    assert len(only.trials) == 1
    with pytest.raises(SnnccError, match="SNN043: none of 1 settings loses at most 1 points"):
        only.settings()


def test_no_settings_are_tried_twice() -> None:
    found = searched("operations", coding="auto")
    options = [str(trial.candidate.options) for trial in found.trials]
    assert len(options) == len(set(options))
    assert len(options) < 30


def test_what_cannot_be_searched_is_said() -> None:
    for options, message in (
        ({"coding": "phase"}, "coding is 'phase', should be rate or ttfs or .*auto"),
        ({"tau": 4}, "option 'tau' is not known"),
    ):
        with pytest.raises(SnnccError, match=message):
            search(backend("c"), study(), Goal(1), options, attempt=attempt)
    with pytest.raises(SnnccError, match="no estimate of energy"):
        searched("energy")
    with pytest.raises(SnnccError, match=r"SNN032: 100 samples .* should be at least 163"):
        search(backend("c"), study(100), Goal(1), {}, attempt=attempt)


def test_samples_are_parted_and_differ(tmp_path: Path) -> None:
    source = load_source(mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), snncc.Preprocessing())
    made = make_study(source)
    (fit,), (held,) = made.fit.values(), made.held.values()
    assert (len(fit), len(held)) == (10, 30)
    assert made.held_out
    whole = sorted(map(bytes, next(iter(source.samples.values()))))
    assert sorted([*map(bytes, fit), *map(bytes, held)]) == whole
    assert make_study(source).digest == made.digest
    other = make_study(source, samples(tmp_path / "e.npz", (4,), 7))
    assert (other.fitted, other.count, other.held_out) == (40, 7, False)
    assert other.digest != made.digest
