"""Spike semantics against a second implementation: plain loops over single neurons."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from snncc_ir import Analog, GraphBuilder, Integers, NodeRunner, Oracle, i16, i32
from snncc_ir.ops import (
    Dense,
    HardIntegrateFire,
    Input,
    IntegrateFire,
    MaxPool,
    Output,
    Population,
    Readout,
    Scale,
    SignedIntegrateFire,
)  # fmt: skip

STEPS = 12


def by_hand(
    drive: list[int], theta: int, start: int, signed: bool = False, hard: bool = False
) -> list[int]:
    """One neuron's spikes for the currents of each step, as DESIGN says it."""
    v, net, sent = start, 0, []
    for current in drive:
        v += current
        if v >= theta:
            sent.append(1)
            v = 0 if hard else v - theta
        elif signed and v < 0 and net > 0:
            sent.append(-1)
            v += theta
        else:
            sent.append(0)
        net += sent[-1]
    return sent


@given(
    st.lists(st.integers(-40, 40), min_size=3, max_size=3),
    st.integers(1, 50),
    st.integers(0, 49),
    st.sampled_from([IntegrateFire, SignedIntegrateFire, HardIntegrateFire]),
)
@settings(deadline=None, max_examples=200)
def test_a_chain_of_neurons(
    weights: list[int], theta: int, start: int, kind: type[IntegrateFire]
) -> None:
    """input → a → b, with a constant input of 3, a bias of 2 and b driven by a's spikes."""
    rule = (kind is SignedIntegrateFire, kind is HardIntegrateFire)
    model = kind(STEPS, i32([theta]), i32([start]))
    builder = GraphBuilder("chain")
    builder.add("x", Input((1,), 1.0, 10), [])
    first, second, bias = weights
    builder.add(
        "a", Population((1,), ((Dense(i16(np.array([[first]]))),),), i32([2]), model), ["x"]
    )
    builder.add(
        "b", Population((1,), ((Dense(i16(np.array([[second]]))),),), i32([bias]), model), ["a"]
    )
    readout = Population((1,), ((Dense(i16(np.array([[5]]))),),), i32([1]), Readout(i32([1])))
    builder.add("r", readout, ["b"])
    builder.add("y", Output(), ["r"])
    steps = list(Oracle(builder.graph()).steps_of({"x": np.array([[3.0]], np.float32)}))
    a = by_hand([first * 3 + 2] * STEPS, theta, start, *rule)
    b = by_hand([second * s + bias for s in a], theta, start, *rule)
    assert [int(step.spikes["a"].item()) for step in steps] == a
    assert [int(step.spikes["b"].item()) for step in steps] == b
    assert [int(step.potentials["r"].item()) for step in steps] == list(
        np.cumsum([5 * s + 1 for s in b])
    )


def pooled(trains: Integers, signed: bool) -> tuple[Integers, Integers]:
    """Spikes of four neurons that follow given currents, and of the max pool over them."""
    kind = SignedIntegrateFire if signed else IntegrateFire
    builder = GraphBuilder("pool")
    builder.add("x", Input((1, 2, 2), 1.0, 1000), [])
    model = kind(STEPS, i32(np.full((1, 1, 1), 100)), i32(np.full((1, 1, 1), 50)))
    scale = Scale(i16(np.full((1, 1, 1), 1)))
    builder.add(
        "a", Population((1, 2, 2), ((scale,),), i32(np.zeros((1, 1, 1), int)), model), ["x"]
    )
    builder.add("m", MaxPool((2, 2), (2, 2), (0, 0, 0, 0)), ["a"])
    builder.add("y", Output(), ["m"])
    steps = list(Oracle(builder.graph()).steps_of({"x": trains.reshape(1, 1, 2, 2)}))
    sent = np.array([step.spikes["a"].reshape(-1) for step in steps])
    return sent, np.array([step.spikes["m"].item() for step in steps])


@given(st.lists(st.integers(-50, 130), min_size=4, max_size=4), st.booleans())
@settings(deadline=None, max_examples=100)
def test_a_max_pool_has_sent_the_largest_count_after_every_step(
    drive: list[int], signed: bool
) -> None:
    sent, pool = pooled(np.array(drive, np.float32), signed)
    assert np.array_equal(np.cumsum(pool), np.cumsum(sent, axis=0).max(axis=1))
    assert set(pool.tolist()) <= {-1, 0, 1}


@pytest.mark.parametrize("drive", [0.1, 0.37, 0.5, 0.93, 1.0, 1.7])
def test_a_start_at_half_the_threshold_rounds(drive: float) -> None:
    """A constant current of `drive` thresholds gives round(T · drive) spikes, at most T."""
    theta = 1000
    sent = by_hand([round(drive * theta)] * 32, theta, theta // 2, signed=False)
    assert sum(sent) == min(int(np.floor(32 * drive + 0.5)), 32)


@given(
    st.lists(st.integers(-60, 120), min_size=1, max_size=8),
    st.integers(1, 100),
    st.integers(-20, 120),
    st.integers(1, 40),
)
@settings(deadline=None, max_examples=200)
def test_reset_to_zero_in_closed_form(
    drives: list[int], theta: int, start: int, steps: int
) -> None:
    """Of even currents the closed form counts every spike, in numpy and in onnxruntime."""
    assume(start < theta or all(drive > 0 for drive in drives))
    model = HardIntegrateFire(steps, i32([theta]), i32([start]))
    drive = np.array(drives, np.float64).reshape(-1, 1)
    sent = [[sum(by_hand([z] * steps, theta, start, hard=True))] for z in drives]
    assert np.array_equal(np.rint(model.evaluate(drive) * steps), sent)
    op = Population((1,), ((Dense(i16(np.array([[1]]))),),), i32([0]), model)
    found = NodeRunner([op], [Analog((1,))]).run([drive.astype(np.float32)])
    assert np.array_equal(np.rint(found * steps), sent)


def test_the_input_is_rounded_half_to_even_and_clipped() -> None:
    op = Input((5,), 0.5, 3)
    numbers = op.quantize(np.array([[0.25, 0.75, -0.25, 9.0, -9.0]]))
    assert numbers.tolist() == [[0, 2, 0, 3, -3]]
