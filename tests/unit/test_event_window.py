"""Events in time steps: numpy's counting against a loop over single events."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snncc.event_data import EventDataset, make_event_dataset
from snncc.event_input import count_events, event_batch, taking_events
from snncc_backends import EventWindow, Preprocessing
from snncc_ir import GraphBuilder, SnnccError, ValueRunner, f32
from snncc_ir.ops import EventInput, Input, Neuron, Output, Relu, Scale

SIDES = (6, 5)
"""Height and width of the sensor."""


@st.composite
def datasets(draw: st.DrawFn) -> EventDataset:
    """Up to four samples, some without events, some that begin late."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=4))
    offset = draw(st.sampled_from([0, 10**9, -500]))
    parts = [offset + np.sort(random.integers(0, 200, count)) for count in counts]
    total = sum(counts)
    starts = np.full(len(counts), offset - 7)
    return make_event_dataset(
        np.concatenate(parts).astype(np.int64),
        random.integers(0, SIDES[1], total),
        random.integers(0, SIDES[0], total),
        random.choice([-1, 1], total),
        np.concatenate([[0], np.cumsum(counts)]),
        start=draw(st.sampled_from([None, starts])),
        sensor=draw(st.sampled_from([None, SIDES])),
    )


@st.composite
def windows(draw: st.DrawFn) -> EventWindow:
    length = draw(st.sampled_from(["duration", "step", "count"]))
    return EventWindow(
        **{length: draw(st.integers(1, 250))},  # type: ignore[arg-type]
        polarity=draw(st.sampled_from(["channels", "signed", "merged"])),
        sensor=SIDES,
        downsample=draw(st.integers(1, 3)),
    )


def counted(data: EventDataset, window: EventWindow, steps: int) -> NDArray[np.int64]:
    """As the definition has it, event by event: (N, steps, C, H, W)."""
    k = window.downsample
    channels = 2 if window.polarity == "channels" else 1
    height, width = (-(-size // k) for size in SIDES)
    result = np.zeros((data.count, steps, channels, height, width), np.int64)
    for sample in range(data.count):
        first, end = (int(n) for n in data.offsets[sample : sample + 2])
        for event in range(first, end):
            if window.count:
                step = (event - first) * steps / window.count
            else:
                since = int(data.t[event]) - int(data.start[sample])
                step = since * steps / window.duration if window.duration else since / window.step
            if step >= steps:
                continue
            channel = int(data.p[event]) if channels == 2 else 0
            worth = -1 if window.polarity == "signed" and not data.p[event] else 1
            result[sample, int(step), channel, data.y[event] // k, data.x[event] // k] += worth
    return result


@given(datasets(), windows(), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_counts_are_those_of_a_loop(data: EventDataset, window: EventWindow, steps: int) -> None:
    expected = counted(data, window, steps)
    found = count_events(data, window, steps, expected.shape[2:])
    assert np.array_equal(found.trains, expected)
    assert np.array_equal(found.frames, expected.sum(axis=1))
    merged = counted(data, EventWindow(**{**window.__dict__, "polarity": "merged"}), steps)
    assert found.outside == found.events - merged.sum()
    # a network that takes them flat sees the same
    flat = count_events(data, window, steps, (expected[0, 0].size,))
    assert np.array_equal(flat.trains.reshape(expected.shape), expected)


@given(windows())
def test_windows_are_read_as_they_were_written(window: EventWindow) -> None:
    preprocessing = Preprocessing(0.5, events=window)
    written = json.loads(json.dumps(preprocessing.as_json()))
    assert Preprocessing.from_json(written) == preprocessing


def test_options_are_parsed() -> None:
    texts = ["duration=1000,polarity=signed", "sensor=4x6, downsample=2"]
    assert EventWindow.parse(texts) == EventWindow(1000, 0, 0, "signed", (4, 6), 2)
    assert EventWindow.parse([]) is None
    assert "events" not in Preprocessing().as_json()


def bursts(*numbers: int) -> EventDataset:
    """One sample, with so many ON events of one pixel in each of 10 µs."""
    t = np.repeat(np.arange(len(numbers)) * 10, numbers)
    return make_event_dataset(t, t * 0, t * 0, t * 0 + 1, start=np.zeros(1, np.int64))


def test_what_is_too_much_for_a_time_step_is_lost_and_said() -> None:
    builder = GraphBuilder("n")
    builder.add("x", Input((1, 1, 1)), [])
    builder.add("a", Scale(f32(1.0)), ["x"])
    builder.add("r", Neuron(Relu()), ["a"])
    builder.add("y", Output(), ["r"])
    data = bursts(2, 0, 200, 3)
    pre = Preprocessing(0.5, events=EventWindow(duration=30, polarity="merged", most=3))
    graph = taking_events(builder.graph(), pre, 3, data)
    batch = event_batch(graph, data, pre)
    assert batch.samples["x"].reshape(-1).tolist() == [2, 0, 3]
    assert batch.numbers["x"].item() == 0.5 * 202
    later, lost = batch.notes
    assert later.startswith("1.5 % of the events are later")
    assert lost.startswith("98 % of the events are more")
    # value semantics is that of what is kept
    assert ValueRunner(graph).run(batch.samples)["y"].item() == 0.5 * 5
    # without a limit, calibration data says how many there are: 2^k − 1, up to 127
    for numbers, most in (((2, 5, 0), 7), ((0, 0), 1), ((1, 300), 127)):
        free = Preprocessing(events=EventWindow(duration=50, polarity="merged"))
        op = taking_events(builder.graph(), free, 5, bursts(*numbers))["x"].op
        assert isinstance(op, EventInput)
        assert op.most == most


@pytest.mark.parametrize(
    ("window", "shape", "says"),
    [
        (EventWindow(duration=1), (3, 6, 5), "should have 2 channels, height and width"),
        (EventWindow(duration=1, sensor=(12, 10)), (2, 6, 5), "downsample=2"),
        (EventWindow(duration=1, sensor=(6, 5), polarity="signed"), (2, 6, 5), "signed or merged"),
        (EventWindow(duration=1), (60,), "sensor=HEIGHTxWIDTH"),
        (EventWindow(duration=1, downsample=2), (2, 2, 2), "should be below 4, the sensor's"),
    ],
)
def test_sizes_that_do_not_fit(window: EventWindow, shape: tuple[int, ...], says: str) -> None:
    two = np.array([1, 4])
    data = make_event_dataset(two, two, two, two > 1)
    with pytest.raises(SnnccError, match=says):
        count_events(data, window, 2, shape)


def test_what_is_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snncc.event_input.LARGEST", 11)
    window = EventWindow(duration=100, polarity="merged")
    assert count_events(bursts(1), window, 11, (1, 1, 1)).events == 1
    with pytest.raises(SnnccError, match="--limit"):
        count_events(bursts(1), window, 12, (1, 1, 1))


@pytest.mark.parametrize(
    "written",
    [
        {}, {"duration": 5, "count": 5}, {"duration": "5"}, {"duration": 5, "sensor": [1]},
        {"duration": 5, "sensor": "12"}, {"duration": 5, "most": True}, {"length": 5}, [5], None,
    ],
)  # fmt: skip
def test_manifests_that_do_not_fit(written: object) -> None:
    with pytest.raises(SnnccError, match="SNN051"):
        EventWindow.from_json(written)
