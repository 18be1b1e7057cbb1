"""Calibration of the rate code: simulated over time as the oracle does, and better for it."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc.passes.in_time import fire, pool_in_time
from snncc.passes.manager import run_pipeline
from snncc.passes.rate_code import NEURONS
from snncc.passes.registry import parse_pipeline
from snncc.testing import FAMILY, STEPS, inputs, network
from snncc_backends import OracleRunner
from snncc_ir import Array, Batch, Floats, Graph, GraphBuilder, SnnccError, ValueRunner, decode, f32
from snncc_ir.ops import (
    Add,
    Conv,
    Dense,
    Input,
    IntegrateFire,
    MaxPool,
    Neuron,
    Output,
    Population,
    Readout,
    Relu,
)  # fmt: skip

FRONT = "hoist-neurons,fold-batchnorm,sink-views,fuse,"


def trains_in_time(graph: Graph, samples: Batch) -> dict[str, NDArray[np.int8]]:
    """Spikes (N, steps, *shape) of every spiking node."""
    values: dict[str, Array] = {}
    for node in graph:
        types = tuple(source.type for source in graph.operands(node))
        match node.op:
            case Input():
                values[node.name] = node.op.evaluate((samples[node.name].astype(np.float64),))
            case MaxPool():
                values[node.name] = pool_in_time(
                    node.op, types[0], values[node.inputs[0]].astype(np.int8)
                )
            case Population(model=IntegrateFire()) as op:
                values[node.name] = fire(op, types, [values[name] for name in node.inputs], STEPS)
    return {k: v.astype(np.int8) for k, v in values.items() if v.dtype == np.int8}


@pytest.mark.parametrize("neuron", list(NEURONS))
@pytest.mark.parametrize("name", FAMILY)
def test_the_simulation_sends_the_spikes_of_the_oracle(name: str, neuron: str) -> None:
    """The networks of the family have integers small enough for float32."""
    graph = network(name, neuron)
    samples = inputs(graph)
    found = trains_in_time(graph, samples)
    expected = OracleRunner(graph).run(samples, record=True).spikes
    assert set(found) == set(expected)
    for node, spikes in expected.items():
        assert np.array_equal(found[node], spikes), node


BLOCKS = 4


def residual(seed: int = 0) -> Graph:
    """Blocks of two convolutions and a shortcut, and a classifier; weights as large as trained."""
    random = np.random.default_rng(seed)

    def conv(outputs: int, channels: int) -> Conv:
        weight = random.standard_normal((outputs, channels, 3, 3)) / np.sqrt(4.5 * channels)
        bias = 0.1 * random.standard_normal(outputs)
        return Conv(f32(weight), (1, 1), (1, 1, 1, 1), (1, 1), 1, f32(bias))

    b = GraphBuilder("residual")
    b.add("x", Input((2, 8, 8)), [])
    b.add("c", conv(8, 2), ["x"])
    b.add("n0", Neuron(Relu()), ["c"])
    for i in range(BLOCKS):
        b.add(f"c{i}", conv(8, 8), [f"n{i}"])
        b.add(f"m{i}", Neuron(Relu()), [f"c{i}"])
        b.add(f"d{i}", conv(8, 8), [f"m{i}"])
        b.add(f"sum{i}", Add(), [f"d{i}", f"n{i}"])
        b.add(f"n{i + 1}", Neuron(Relu()), [f"sum{i}"])
    b.add("d", Dense(f32(random.standard_normal((10, 512)) / 16)), [f"n{BLOCKS}"])
    b.add("y", Output(), ["d"])
    return b.graph()


def images(count: int, seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {"x": random.random((count, 2, 8, 8)).astype(np.float32)}


def noise(graph: Graph, pipeline: str, steps: int) -> float:
    """Of the network's output over time, on samples that calibration has not seen; relative."""
    compiled = run_pipeline(
        graph, parse_pipeline(pipeline), Context(images(128, 1)), measure=False
    ).graph
    test = images(16, 2)
    run = OracleRunner(compiled).run(test)
    totals: Mapping[str, NDArray[np.int64]] = {k: v[:, -1] for k, v in run.totals.items()}
    found = decode(compiled, totals, steps)["y"]
    wanted: Floats = ValueRunner(graph).run(test)["y"].astype(np.float64)
    return float(np.square(found - wanted).mean() / np.square(wanted).mean())


@pytest.mark.parametrize(
    ("neuron", "steps"),
    [("if", 16), ("signed-if", 4), ("signed-if", 16), ("graded", 4), ("graded", 16)],
)
def test_calibration_lessens_the_noise(neuron: str, steps: int) -> None:
    graph = residual()
    common = f"quantize-input,rate-code{{neuron={neuron},steps={steps},most=7}}"
    front = f"{FRONT}normalize{{method=error,steps={steps}}},{common}"
    plain = noise(graph, f"{front},quantize-weights", steps)
    calibrated = noise(graph, f"{front},calibrate-rate,quantize-weights", steps)
    assert calibrated < 0.9 * plain


@pytest.mark.parametrize("steps", [4, 8])
def test_error_optimal_scales_beat_the_maximum(steps: int) -> None:
    graph = residual()
    back = f"quantize-input,rate-code{{neuron=signed-if,steps={steps}}},quantize-weights"
    error = noise(graph, f"{FRONT}normalize{{method=error,steps={steps}}},{back}", steps)
    most = noise(graph, f"{FRONT}normalize{{method=max}},{back}", steps)
    assert error < most


def test_calibration_is_of_the_rate_code_only() -> None:
    text = f"{FRONT}normalize,quantize-input,ttfs-code,calibrate-rate"
    with pytest.raises(SnnccError, match="the code is ttfs, should be rate"):
        run_pipeline(residual(), parse_pipeline(text), Context(images(8, 1)))


def test_weights_that_are_kept_are_kept() -> None:
    """With weights=keep, neurons=keep, only biases and the readout's delay may move."""
    context = Context(images(32, 1))
    text = f"{FRONT}normalize,quantize-input,rate-code{{neuron=if,steps=8}}"
    before = run_pipeline(residual(), parse_pipeline(text), context).graph
    options = "calibrate-rate{weights=keep,neurons=keep}"
    after = run_pipeline(before, parse_pipeline(options), context).graph
    moved = 0
    for node in before:
        other = after[node.name].op
        if not isinstance(node.op, Population):
            continue
        assert isinstance(other, Population)
        assert other.maps == node.op.maps
        moved += other.bias != node.op.bias
        if not isinstance(node.op.model, Readout):
            assert other.model == node.op.model
    assert moved >= 2 * BLOCKS
