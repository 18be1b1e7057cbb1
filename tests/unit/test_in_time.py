"""The simulation of calibration: neurons by their rule, places as the whole population has them."""

from time import sleep

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncc.activity import measured_spikes
from snncc.passes.in_time import Currents, fire, mean_of
from snncc.passes.observation import Histogram, Tail
from snncc.passes.rate_code import NEURONS
from snncc.passes.sampling import sampled
from snncc.passes.soma import Soma
from snncc.testing import FAMILY, inputs, network
from snncc_backends import OracleRunner, Preprocessing
from snncc_ir import Integers, Rate, Spikes, ValueRunner, f32, i32, spread
from snncc_ir.ops import Conv, IntegrateFire, Population, Scale

STEPS = 12
GRADED = 5


def model_of(neuron: str, theta: float, start: float) -> IntegrateFire:
    options = {"most": GRADED} if "graded" in neuron else {}
    return NEURONS[neuron](STEPS, i32([int(theta)]), i32([int(start)]), **options)


@given(
    st.sampled_from(list(NEURONS)),
    st.integers(1, 40),
    st.lists(st.integers(-60, 90), min_size=STEPS, max_size=STEPS),
)
def test_neurons_send_what_their_rule_says(neuron: str, theta: int, currents: list[int]) -> None:
    model = model_of(neuron, theta, theta // 2)
    potential: Integers = model.start.integers.copy()
    count: Integers = np.zeros(1, np.int64)
    threshold, start = (value.floats.astype(np.float32) for value in (model.theta, model.start))
    soma = Soma(model, threshold, start, (1,))
    sent = np.empty(1, np.int8)
    for current in currents:
        potential += current
        expected = model.fire(potential, count)
        soma.step(np.array([current], np.float32), sent)
        assert sent[0] == expected[0]


def residual(kernel: int, stride: int, size: int) -> tuple[Population, tuple[Spikes, Spikes]]:
    """A convolution and a shortcut into 3 channels."""
    random = np.random.default_rng(kernel + size)
    pads = (kernel // 2,) * 4
    weight = random.standard_normal((3, 2, kernel, kernel))
    conv = Conv(f32(weight), (stride, stride), pads, (1, 1))
    out = conv.window.output_sizes((size, size))
    kinds = (Spikes((2, size, size), Rate(STEPS, False)), Spikes((3, *out), Rate(STEPS, False)))
    scale = Scale(f32(random.standard_normal((3, 1, 1))))
    model = IntegrateFire(STEPS, f32(1.0), f32(0.5))
    bias = f32(random.standard_normal((3, 1, 1)))
    return Population((3, *out), ((conv,), (scale,)), bias, model), kinds


@pytest.mark.parametrize(
    ("kernel", "stride", "size"), [(3, 1, 9), (3, 2, 12), (1, 1, 8), (5, 1, 8)]
)
@pytest.mark.parametrize("places", [6, 40, 1 << 20])
def test_places_get_the_currents_of_the_whole_population(
    kernel: int, stride: int, size: int, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sent spikes of a place are among those of its channel, and wanted goes along with it."""
    monkeypatch.setattr("snncc.passes.sampling.PLACES", places)
    monkeypatch.setattr("snncc.passes.sampling.STEPS", 1)
    op, kinds = residual(kernel, stride, size)
    random = np.random.default_rng(1)
    trains = [(random.random((4, STEPS, *kind.shape)) < 0.3).astype(np.int8) for kind in kinds]
    whole = np.concatenate(list(Currents(op, kinds, trains, bias=False).of(0, 4)), axis=1)
    # what is wanted names the neuron
    wanted = np.arange(whole[:, 0].size, dtype=np.float32).reshape(4, *op.shape)
    some = sampled(op, kinds, trains, wanted, STEPS)
    flat = np.moveaxis(whole, 1, 0).reshape(STEPS, -1)
    expected = flat[:, some.wanted.astype(int)]
    assert np.abs(some.currents - expected).max() < 1e-4
    assert some.wanted.shape[1] >= min(places, wanted[:, 0].size) or places > wanted[:, 0].size
    theta, start, moved = (np.array([[number]], np.float32) for number in (1.0, 0.5, 0.0))
    counted = some.sent(IntegrateFire(STEPS, f32(1.0), f32(0.5)), theta, start, moved)
    sent = fire(op, kinds, trains, STEPS).sum(axis=1).reshape(-1)
    assert np.mean(counted == sent[some.wanted.astype(int)]) > 0.99


def test_means_of_many_graded_spikes_do_not_overflow_a_byte() -> None:
    train = np.full((2, 100, 3), 7, np.int8)
    kind = Spikes((3,), Rate(100, False, 7))
    assert np.all(mean_of(train, kind) == 7)
    assert np.all(mean_of(train, kind, first=90) == 7)


def test_a_tail_is_exact_whatever_the_batches() -> None:
    values = np.random.default_rng(0).standard_normal((40, 3, 5)).astype(np.float32)
    ordered = np.sort(np.moveaxis(values, 1, 0).reshape(3, -1))
    for batch in (1, 7, 40):
        tail = Tail(3, 11)
        for start in range(0, 40, batch):
            tail.add(values[start : start + batch])
        assert np.array_equal(tail.smallest(), ordered[:, -11])
        assert np.array_equal(tail.largest(), ordered[:, -1])


def test_a_histogram_has_each_value_in_its_bin() -> None:
    values = np.array([[0.0], [-1.0], [1e-9], [0.7], [1.0], [1.99], [300.0], [1e9]], np.float32)
    histogram = Histogram(1)
    histogram.add(values)
    found = np.repeat(histogram.values, histogram.counts[0])
    positive = values[values > 2.0**-24]
    inner = slice(0, -1)
    assert len(found) == len(positive)
    assert np.all(np.abs(found[inner] / positive[inner] - 1) < 1 / 64)
    assert histogram.largest == [np.float32(1e9)]


@pytest.mark.parametrize("cores", ["1", "3"])
def test_spread_keeps_the_order(cores: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNCC_CORES", cores)
    assert spread(lambda number: number * number, range(20)) == [n * n for n in range(20)]


@pytest.mark.parametrize("cores", ["1", "3"])
def test_spread_raises_what_the_first_item_raises(
    cores: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNNCC_CORES", cores)

    def work(number: int) -> int:
        sleep(0.01 if number == 3 else 0.0)
        if number >= 3:
            raise ValueError(f"item {number}")
        return number

    with pytest.raises(ValueError, match="item 3"):
        spread(work, range(20))


def test_values_do_not_depend_on_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network("residual", "if")
    samples = {name: np.repeat(array, 300, axis=0) for name, array in inputs(graph).items()}
    found = []
    for cores in ("1", "3"):
        monkeypatch.setenv("SNNCC_CORES", cores)
        found.append(ValueRunner(graph).run(samples))
    for name, values in found[0].items():
        assert np.array_equal(values, found[1][name])
        assert len(values) == len(next(iter(samples.values())))


@pytest.mark.parametrize("neuron", ["if", "signed-if", "graded"])
@pytest.mark.parametrize("name", FAMILY)
def test_spikes_are_counted_as_the_oracle_counts_them(name: str, neuron: str) -> None:
    graph = network(name, neuron)
    samples = inputs(graph)
    found = measured_spikes(graph, Preprocessing(), samples)
    expected = OracleRunner(graph).run(samples, record=True).spikes
    assert set(found) == set(expected)
    for node, train in expected.items():
        counts = np.count_nonzero(train, axis=(0, 1)).reshape(-1) / len(train)
        assert np.array_equal(found[node], counts)


def test_large_integers_are_counted_by_a_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(next(iter(FAMILY)), "if")
    monkeypatch.setattr("snncc.passes.in_time.EXACT_BITS", 4)
    samples = inputs(graph)
    found = measured_spikes(graph, Preprocessing(), samples)
    expected = OracleRunner(graph).run(samples).spike_counts
    assert sum(sent.sum() for sent in found.values()) == pytest.approx(
        sum(float(np.mean(count)) for count in expected.values())
    )
