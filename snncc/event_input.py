"""Events as the input of a network: the graph that takes them, and samples for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from snncc.event_data import EventDataset
from snncc.options import make_settings
from snncc_backends import Backend, EventWindow, Preprocessing, Settings, clipped
from snncc_ir import MOST_PAYLOAD, Batch, Graph, Node, Rate, Shape, fail
from snncc_ir.ops import AnyInput, EventInput

LARGEST = 1 << 32
"""Bytes of counts that are held at once."""
UNKNOWN_MOST = 15
"""Events of a place in a time step, where no data says how many there are."""


@dataclass(frozen=True)
class Counted:
    """Events of N samples in time steps. trains: int8 (N, steps, *shape), clipped to ±127; frames:
    all of them, int32 (N, *shape). events, outside: how many there are, and not in the window."""

    trains: NDArray[np.int8]
    frames: NDArray[np.int32]
    events: int
    outside: int
    beyond: int
    """Of those in the window, how many there are over 127."""


@dataclass(frozen=True)
class EventBatch:
    """samples: as the network takes them; numbers: as the user's model; notes: what is lost."""

    samples: Batch
    numbers: Batch
    notes: tuple[str, ...] = field(default=())


def check_stream(chip: Backend, settings: Settings, preprocessing: Preprocessing) -> None:
    """Raises SNN034 for a target or a coding that takes no events over time."""
    if preprocessing.events is None or not preprocessing.events.streams:
        return
    what = ""
    if not chip.event_streams:
        what = f"target {chip.name}"
    elif settings.coding != Rate.name:
        what = f"coding {settings.coding}"
    if what:
        raise fail(
            "SNN034",
            f"{what} takes no stream of events, should be one of a rate code that does",
            hint="--events input=frame, numbers of all events as an input that is held; or "
            "--target c --coding rate",
        )


def fixed_for_events(
    chip: Backend, preprocessing: Preprocessing, given: Mapping[str, object]
) -> dict[str, object]:
    """What a search of settings may not choose for a stream of events; given: what the user sets.

    Raises SNN034 where the user has not said it.
    """
    if preprocessing.events is None or not preprocessing.events.streams:
        return {}
    if given.get("coding", Rate.name) != Rate.name or not isinstance(given.get("steps"), int):
        raise fail(
            "SNN034",
            "settings are searched for a stream of events without its time steps, should be given: "
            "the data depend on them",
            hint="--coding rate --steps 16 with --accuracy",
        )
    fixed = {"coding": Rate.name, "steps": given["steps"]}
    check_stream(chip, make_settings(chip, None, fixed), preprocessing)
    return fixed


def count_events(data: EventDataset, window: EventWindow, steps: int, shape: Shape) -> Counted:
    """Events in `steps` time steps, for a network's input of `shape`.

    Raises SNN033 for events outside of the sensor, SNN034 where sizes do not fit.
    """
    grid = window.grid(shape, data.sensor, data.place)
    sensor = window.sensor or data.sensor or tuple(size * window.downsample for size in grid[1:])
    for name, array, limit in (("x", data.x, sensor[1]), ("y", data.y, sensor[0])):
        if array.size and int(array.max()) >= limit:
            raise fail(
                "SNN033",
                f"'{name}' goes to {array.max()}, should be below {limit}, the sensor's "
                f"{'width' if name == 'x' else 'height'}",
                data.place,
                "--events sensor=HEIGHTxWIDTH and, if the network's input is smaller, downsample=",
            )
    size = data.count * steps * int(np.prod(shape))
    if size > LARGEST:
        raise fail(
            "SNN033",
            f"{data.count} samples of {steps} time steps are {size / 2**30:.0f} GiB, should be at "
            f"most {LARGEST >> 30}",
            data.place,
            "--limit, or fewer samples in the file; some hundred are enough for calibration",
        )
    trains = np.empty((data.count, steps, *shape), np.int8)
    frames = np.empty((data.count, *shape), np.int32)
    inside = beyond = 0
    for i in range(data.count):
        own = slice(int(data.offsets[i]), int(data.offsets[i + 1]))
        t, start = data.t[own], int(data.start[i])
        counts = window.counts(t, data.x[own], data.y[own], data.p[own], start, steps, grid)
        trains[i] = np.clip(counts, -MOST_PAYLOAD, MOST_PAYLOAD).reshape(steps, *shape)
        frames[i] = counts.sum(axis=0).reshape(shape)
        inside += window.inside(t, start, steps)
        beyond += clipped(counts, MOST_PAYLOAD)
    return Counted(trains, frames, len(data.t), len(data.t) - inside, beyond)


def taking_events(
    graph: Graph, preprocessing: Preprocessing, steps: int, data: EventDataset | None
) -> Graph:
    """The network with a stream of events for its input; raises SNN034."""
    window = preprocessing.events
    if window is None or not window.streams:
        return graph
    node = only_input(graph)
    shape = node.type.shape
    most = window.most
    if not most:
        most = UNKNOWN_MOST
        if data is not None:
            largest = int(np.abs(count_events(data, window, steps, shape).trains).max(initial=1))
            most = min((1 << largest.bit_length()) - 1, MOST_PAYLOAD)
    window.grid(shape, None if data is None else data.sensor)
    signed = window.polarity == "signed"
    op = EventInput(shape, 1.0, steps, preprocessing.scale, most, signed)

    def rewrite(other: Node) -> Node:
        return replace(other, op=op) if other.name == node.name else other

    return graph.rewritten(rewrite)


def only_input(graph: Graph) -> Node:
    """The network's input; raises SNN034 when there are several."""
    if len(graph.inputs) != 1:
        raise fail(
            "SNN034",
            f"the network has {len(graph.inputs)} inputs, should have 1 for events",
            graph.name,
            "a model of one input",
        )
    return graph.inputs[0]


def event_batch(graph: Graph, data: EventDataset, preprocessing: Preprocessing) -> EventBatch:
    """Samples of a network that takes events, as spikes over time or as frames.

    Raises SNN033 and SNN034.
    """
    window, node = preprocessing.events, only_input(graph)
    if window is None:
        raise fail(
            "SNN034",
            "the data are events, should be numbers, as the network is compiled for those",
            data.place,
            "compile with --events duration=MICROSECONDS, as long as a sample takes",
        )
    op = node.op
    if not isinstance(op, EventInput):
        counted = count_events(data, window, 1, node.type.shape)
        frames: Batch = {node.name: preprocessing.apply(counted.frames, node.type.shape)}
        return EventBatch(frames, frames, tuple(_notes(counted, 0)))
    counted = count_events(data, window, op.steps, op.shape)
    trains = op.sent(counted.trains).astype(np.int8)
    lost = counted.beyond + clipped(counted.trains, op.most)
    numbers = (counted.frames * np.float64(op.worth)).astype(np.float32)
    return EventBatch({node.name: trains}, {node.name: numbers}, tuple(_notes(counted, lost)))


def _notes(counted: Counted, lost: int) -> list[str]:
    notes = []
    if counted.outside:
        share = 100 * counted.outside / counted.events
        notes.append(f"{share:.2g} % of the events are later than the window, and left out")
    if lost:
        share = 100 * lost / max(counted.events - counted.outside, 1)
        notes.append(
            f"{share:.2g} % of the events are more than a place keeps in a time step, and lost; "
            "--events most=, or more --steps, keep them"
        )
    return notes


def random_trains(op: EventInput, count: int, random: np.random.Generator) -> NDArray[np.int8]:
    """Events by chance, (N, steps, *shape), one at a place in every eighth step."""
    counts = random.poisson(1 / 8, (count, op.steps, *op.shape))
    if op.signed:
        counts *= random.choice([-1, 1], counts.shape)
    return op.sent(counts).astype(np.int8)


def is_stream(graph: Graph) -> bool:
    """Whether the network takes events over time."""
    return any(isinstance(node.op, EventInput) for node in graph if isinstance(node.op, AnyInput))
