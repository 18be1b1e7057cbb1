"""The time-to-first-spike code: arithmetic, neurons, oracle and passes, against plain loops."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc.passes.base import Context
from snncc.passes.log_grid import Grid, compensated, nearest
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import (
    FirstSpike,
    Floats,
    Graph,
    GraphBuilder,
    Log2,
    NodeRunner,
    SnnccError,
    Tensor,
    constants,
    f32,
    i8,
    i16,
    i32,
    products,
    run_phases,
    slots_of,
    spike_train,
)  # fmt: skip
from snncc_ir.ops import (
    Add,
    Conv,
    Dense,
    Input,
    Neuron,
    Output,
    Population,
    Readout,
    Relu,
    Scale,
    TimeToFirstSpike,
    View,
)  # fmt: skip
from snncc_ir.types import Current
from tests.strategies import lowered_graphs, samples
from tests.unit.test_passes import TTFS

FRONT = "hoist-neurons,fold-batchnorm,sink-views,fuse,normalize,align-scales,"


def log2(codes: list[list[int]], exponent: list[int], resolution: int = 2) -> Log2:
    return Log2(i8(np.array(codes)), i16(np.array(exponent).reshape(-1, 1)), resolution)


@given(
    st.integers(-127, 127),
    st.integers(-20, 20),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(0, 63),
    st.integers(8, 24),
)
def test_a_product_is_a_power_rounded_down(
    code: int, exponent: int, resolution: int, tau: int, slot: int, bits: int
) -> None:
    """Off by the rounding of a constant, and less than one unit of truncation."""
    weight = log2([[code]], [exponent], resolution)
    units = max(tau, resolution)
    found = int(products(weight, slot * (units // tau), FirstSpike(64, tau, bits))[0, 0])
    exact = weight.floats[0, 0] * 2 ** (-slot / tau)
    if exponent > resolution * (bits - 1):
        return  # such a product does not fit the constants; quantize-potentials never makes it
    assert abs(found) <= abs(exact) * (1 + 2.0**-bits) + 1e-9
    assert abs(found) > abs(exact) * (1 - 2.0**-bits) - 1
    assert found == 0 or (found > 0) == (code > 0)


@pytest.mark.parametrize(("bits", "units"), list(product((8, 16, 24), (1, 2, 4, 8))))
def test_constants(bits: int, units: int) -> None:
    table = constants(bits, units)
    assert table[-1] == 1 << (bits - 1)
    assert all(int(number).bit_length() == bits for number in table)
    assert np.all(np.diff(table) < 0)


def test_an_input_is_taken_bit_by_bit() -> None:
    """n · w, but for what each bit's product loses below 1."""
    weight = log2([[1, -4, 0]], [9])
    code = FirstSpike(4, 2, 16)
    for number in range(256):
        total = sum(
            products(weight, (7 - bit) * 2, code, 8) for bit in range(8) if number >> bit & 1
        )
        exact = number * weight.floats
        assert np.all(np.abs(total - exact) < 8 + np.abs(exact) * 2.0**-15)


@given(st.lists(st.integers(-50, 5000), min_size=1, max_size=20), st.integers(2, 20))
def test_a_neuron_fires_in_the_first_slot_that_it_reaches(drive: list[int], slots: int) -> None:
    threshold = np.rint(3000 * np.exp2(-(np.arange(slots) + 0.5) / 4)).astype(int)
    model = TimeToFirstSpike(4, i32(threshold))
    for v, found in zip(drive, model.slot(np.array([drive]))[0], strict=True):
        reached = [k for k in range(slots) if v >= threshold[k]]
        assert found == (reached[0] if reached else slots)


@pytest.mark.parametrize(("steps", "tau", "offset"), [(24, 4, 0.5), (12, 2, 0.0), (48, 8, 0.5)])
def test_value_semantics_in_onnx(steps: int, tau: int, offset: float) -> None:
    """As the thresholds say, but within rounding of one."""
    threshold = np.exp2(-(np.arange(steps) + offset) / tau)
    model = TimeToFirstSpike(tau, f32(threshold))
    drive = np.linspace(-0.5, 2, 20011)
    near = np.abs(drive[:, None] / threshold - 1).min(axis=1) < 1e-5
    found = NodeRunner([Neuron(model)], [Current((1,))]).run([drive.reshape(-1, 1)])[:, 0]
    expected = model.evaluate(drive)
    assert np.allclose(found[~near], expected[~near], rtol=1e-5, atol=0)
    assert expected.max() == 1.0
    assert len(np.unique(expected)) == steps + 1
    if offset == 0.5:  # the nearest level in the logarithmic domain
        inside = (drive > threshold[-1]) & (drive < 1)
        ratio = np.abs(np.log2(expected[inside] / drive[inside]))
        assert ratio.max() <= 0.5 / tau + 1e-9


@given(
    st.lists(st.integers(1, 5000), min_size=2, max_size=20),
    st.sampled_from([1, 2, 4, 8]),
    st.booleans(),
)
def test_slots_in_onnx_are_those_of_the_thresholds(
    found: list[int], tau: int, regular: bool
) -> None:
    """Of drives at each threshold, and next to it; thresholds need not follow the code's curve."""
    slots = len(found)
    curve = np.rint(max(found) * np.exp2(-np.arange(slots) / tau))
    threshold = np.maximum(curve, 1) if regular else np.sort(np.array(found, float))[::-1]
    model = TimeToFirstSpike(tau, f32(threshold))
    single = threshold.astype(np.float32)
    drive = np.concatenate(
        [single, np.nextafter(single, np.float32(0)), single - 0.5, [0, -3, 1e9, 1e-30]]
    ).astype(np.float32)[:, None]
    sent = NodeRunner([Neuron(model)], [Current((1,))]).run([drive])
    assert np.array_equal(sent, model.evaluate(drive.astype(np.float64)).astype(np.float32))


def test_the_oracle_by_hand() -> None:
    """Two layers, each product one by one in Python's own integers."""
    random = np.random.default_rng(5)
    first = log2(random.integers(-7, 8, (4, 3)).tolist(), [2, 3, 1, 2])
    second = log2(random.integers(-7, 8, (2, 4)).tolist(), [20, 21])
    table = [3000, 2121, 1500, 1060, 750, 530]
    code = FirstSpike(len(table), 2, 12)
    builder = GraphBuilder("g")
    builder.add("x", Input((3,), 1.0, 15), [])
    model = TimeToFirstSpike(2, i32(table), 12)
    bias = [100, -50, 0, 700]
    builder.add("h", Population((4,), ((Dense(first),),), i32(bias), model), ["x"])
    readout = Population((2,), ((Dense(second),),), i32([5, -5]), Readout(i32(1)))
    builder.add("r", readout, ["h"])
    builder.add("y", Output(), ["r"])
    x = random.integers(-15, 16, (6, 3))
    found = run_phases(builder.graph(), {"x": x.astype(np.float32)})
    magnitude = [2896, 2048]  # 12 bits: 2^11 · 2^((1 − f) / 2), rounded

    def times(weight: Log2, o: int, i: int, s: int, bits: int) -> int:
        q = int(weight.codes.integers[o, i])
        e = 2 * 12 - 1 - int(weight.exponent.integers[o, 0]) - 2 * (bits - 1)
        p = s + abs(q) - 1 + e
        return 0 if q == 0 else (1 if q > 0 else -1) * (magnitude[p % 2] >> p // 2)

    for n in range(len(x)):
        slots = []
        for o in range(4):
            v = bias[o]
            for i, bit in product(range(3), range(4)):
                if abs(int(x[n, i])) >> bit & 1:
                    v += (1 if x[n, i] > 0 else -1) * times(first, o, i, (3 - bit) * 2, 4)
            assert v == found.potential["h"][n, o]
            slots.append(next((k for k in range(6) if v >= table[k]), 6))
        assert slots == found.slot["h"][n].tolist()
        for o in range(2):
            v = [5, -5][o] + sum(times(second, o, i, k, 1) for i, k in enumerate(slots) if k < 6)
            assert v == found.potential["r"][n, o]
    assert code.results == 1


@given(st.integers(1, 15), st.sampled_from([1, 2, 4]), st.integers(0, 1000))
def test_nearest_is_nearest(levels: int, resolution: int, seed: int) -> None:
    grid = Grid(levels, resolution)
    random = np.random.default_rng(seed)
    weights = random.standard_normal((3, 5))
    exponent = random.integers(-4, 4, 3)
    codes = grid.codes(weights, exponent[:, None])
    found = np.abs(grid.values(codes, exponent[:, None]) - weights)
    for row, e in zip(range(3), exponent, strict=True):
        each = [0.0] + [s * 2 ** ((e - q) / resolution) for q in range(levels) for s in (1, -1)]
        best = np.abs(weights[row][:, None] - np.array(each)).min(axis=1)
        assert np.allclose(found[row], best)
    assert np.abs(codes).max() <= levels


@given(st.integers(0, 1000), st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_compensation_moves_the_output_less(seed: int, width: int) -> None:
    """Over all rows; and the error that it reports is the one that it makes."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((200, width)) @ random.standard_normal((width, width))
    moments = x.T @ x / len(x) + 0.01 * np.eye(width)
    weights = random.standard_normal((40, width))
    grid = Grid.of_bits(4, 2)
    exponent = grid.top(np.abs(weights).max(axis=1))
    plain, pushed = (f(grid, weights, exponent, moments) for f in (nearest, compensated))
    for rounded in (plain, pushed):
        off = grid.values(rounded.codes, exponent[:, None]) - weights
        assert np.allclose(np.einsum("rd,de,re->r", off, moments, off), rounded.error)
    assert pushed.error.sum() <= plain.error.sum() * 1.05


def residual(random: np.random.Generator) -> Graph:
    """A block with the padded, strided shortcut of ResNet-20."""

    def conv(outputs: int, inputs: int, stride: int) -> Conv:
        weight = f32(random.standard_normal((outputs, inputs, 3, 3)) / 3)
        return Conv(weight, (stride, stride), (1, 1, 1, 1), (1, 1))

    index = np.full((6, 3, 3), -1, np.int32)
    index[1:4] = np.arange(108).reshape(3, 6, 6)[:, ::2, ::2]
    builder = GraphBuilder("residual")
    builder.add("x", Input((2, 6, 6)), [])
    builder.add("a", conv(3, 2, 1), ["x"])
    builder.add("an", Neuron(Relu()), ["a"])
    builder.add("b", conv(6, 3, 2), ["an"])
    builder.add("bn", Neuron(Relu()), ["b"])
    builder.add("c", conv(6, 6, 1), ["bn"])
    builder.add("s", View(Tensor(index)), ["an"])
    builder.add("d", Add(), ["c", "s"])
    builder.add("dn", Neuron(Relu()), ["d"])
    builder.add("e", Dense(f32(random.standard_normal((3, 54)))), ["dn"])
    builder.add("y", Output(), ["e"])
    return builder.graph()


def shortcut_weights(graph: Graph) -> Floats:
    op = graph["dn"].op
    assert isinstance(op, Population)
    (scale,) = [chain[-1] for chain in op.maps if isinstance(chain[-1], Scale)]
    return scale.weight.floats


def scales_of(graph: Graph, name: str) -> Floats:
    op = graph[name].op
    assert isinstance(op, Population)
    return op.scale.floats


@pytest.mark.parametrize("resolution", [1, 2, 4])
def test_aligned_shortcuts_are_exact(resolution: int) -> None:
    """The rounded weight of the shortcut is the ratio of scales, so that its value is 1."""
    graph = residual(np.random.default_rng(0))
    context = Context(samples(graph))
    aligned = f"{FRONT[:-1]}{{resolution={resolution}}},quantize-input{{bits=9}},ttfs-code,"
    rounding = f"quantize-log2{{resolution={resolution}}}"
    before = run_pipeline(graph, parse_pipeline(aligned[:-1]), context).graph
    result = run_pipeline(graph, parse_pipeline(aligned + rounding), context).graph
    exact, rounded = shortcut_weights(before), shortcut_weights(result)
    assert np.allclose(exact, rounded, rtol=1e-6)
    ratio = scales_of(result, "an") / scales_of(result, "dn")[1:4]
    assert np.allclose(rounded[1:4], ratio, rtol=1e-6)
    steps = np.log2(ratio) * resolution
    assert np.allclose(steps, np.rint(steps), atol=1e-4)
    loose = aligned.replace(f"align-scales{{resolution={resolution}}},", "")
    unaligned = run_pipeline(graph, parse_pipeline(loose + rounding), context).graph
    first = run_pipeline(graph, parse_pipeline(loose[:-1]), context).graph
    assert not np.allclose(shortcut_weights(first), shortcut_weights(unaligned), rtol=1e-3)


@given(lowered_graphs())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("bits", [16, 24, 32])
def test_potentials_stay_in_the_accumulator(bits: int, graph: Graph) -> None:
    """Whatever the input is; or the network is refused."""
    calibration = samples(graph)
    text = TTFS.replace("accumulator_bits=32", f"accumulator_bits={bits}")
    try:
        done = run_pipeline(graph, parse_pipeline(text), Context(calibration), measure=False)
    except SnnccError as error:
        if error.diagnostics[0].code == "SNN022":
            return
        raise
    result = done.graph
    wild = {name: 1e6 * np.sign(array) for name, array in calibration.items()}
    for batch in (wild, calibration):
        for potential in run_phases(result, batch).potential.values():
            assert np.abs(potential).max() < 1 << (bits - 1)


def test_bias_correction_takes_out_the_mean() -> None:
    graph = residual(np.random.default_rng(1))
    context = Context(samples(graph))
    pipeline = FRONT + "quantize-input{bits=9},ttfs-code,quantize-log2{bits=3,rounding=nearest}"
    before = run_pipeline(graph, parse_pipeline(pipeline), context).graph
    after = run_pipeline(graph, parse_pipeline(f"{pipeline},correct-bias"), context).graph
    analog = run_pipeline(graph, parse_pipeline(FRONT[:-1]), context).graph

    def mean_error(coded: Graph) -> float:
        drive = [_first_drive(g, context.calibration) for g in (coded, analog)]
        return float(np.abs((drive[0] - drive[1]).mean(axis=(0, 2, 3))).max())

    assert mean_error(after) < 1e-4 < mean_error(before)


def _first_drive(graph: Graph, calibration: object) -> Floats:
    assert isinstance(calibration, dict)
    source, op = graph["x"].op, graph["an"].op
    assert isinstance(op, Population)
    value = source.evaluate((calibration["x"].astype(np.float64),))
    return replace(op, model=Readout()).evaluate((value,))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("ttfs-code{steps=65}", "steps is 65, should be 2 to 64"),
        ("ttfs-code{tau=3}", "tau is 3, should be 1, 2, 4, 8"),
        ("ttfs-code{offset=1}", "offset is 1.0, should be at least 0 and below 1"),
        ("quantize-log2{bits=9}", "bits is 9, should be 2 to 8"),
        ("quantize-log2{resolution=3}", "resolution is 3, should be 1, 2 or 4"),
        ("quantize-log2{rounding=up}", "rounding is 'up', should be compensated or nearest"),
        ("quantize-log2{error=none}", "error is 'none', should be output or weight"),
        ("quantize-log2{samples=0}", "samples is 0, should be at least 1"),
        ("correct-bias{samples=0}", "samples is 0, should be at least 1"),
        ("align-scales{resolution=3}", "resolution is 3, should be 1, 2 or 4"),
        ("quantize-potentials{constant_bits=7}", "constant_bits is 7, should be 8 to 24"),
        ("quantize-potentials{accumulator_bits=33}", "accumulator_bits is 33, should be 16 to 32"),
    ],
)
def test_options_out_of_range(step: str, message: str) -> None:
    with pytest.raises(SnnccError) as caught:
        parse_pipeline(step)
    assert caught.value.diagnostics[0].code == "SNN020"
    assert message in str(caught.value)


def test_a_range_that_cannot_be_represented_is_said() -> None:
    """64 slots of an octave each, in 16 bits."""
    graph = residual(np.random.default_rng(2))
    pipeline = FRONT + "quantize-input{bits=9},ttfs-code{steps=64,tau=1},quantize-log2,"
    with pytest.raises(SnnccError) as caught:
        run_pipeline(
            graph, parse_pipeline(pipeline + "quantize-potentials"), Context(samples(graph))
        )
    assert caught.value.diagnostics[0].code == "SNN022"
    assert "64 slots span 63 octaves" in str(caught.value)
    assert "fewer --steps or a larger tau" in str(caught.value)


def test_passes_out_of_order_are_said() -> None:
    graph = residual(np.random.default_rng(2))
    context = Context(samples(graph))
    for pipeline, message in (
        (FRONT + "quantize-input,ttfs-code,quantize-potentials", "are not logarithmic"),
        (FRONT + "quantize-input,rate-code,quantize-potentials", "has no ttfs code"),
    ):
        with pytest.raises(SnnccError, match=message) as caught:
            run_pipeline(graph, parse_pipeline(pipeline), context)
        assert caught.value.diagnostics[0].code == "SNN020"


def test_slots_are_those_of_the_first_spikes() -> None:
    code = FirstSpike(5, 2)
    slot = np.random.default_rng(1).integers(0, 6, (3, 4, 2))  # 5: no spike
    train = spike_train(slot, code)
    assert np.array_equal(slots_of(train, code), slot)
    train[0, :, 0, 0] = 0, 0, 1, 0, 1
    assert slots_of(train, code)[0, 0, 0] == 2
