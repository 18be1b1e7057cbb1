"""What trained networks bring along: the functions of snncc.train, as ops and as settings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.inspection import inspect
from snncc.onnx import import_model
from snncc.onnx.ops import trained
from snncc.passes.base import Context
from snncc.passes.registry import parse_pipeline
from snncc_ir import Graph, GraphBuilder, Log2, SnnccError, f32
from snncc_ir.ops import (
    Dense,
    Input,
    Neuron,
    Output,
    Population,
    Quantize,
    Readout,
    Relu,
    TimeToFirstSpike,
    TtfsRelu,
)  # fmt: skip
from tests.unit.test_quantized import Made, f

DOMAIN = "ai.snncc"
TTFS = {"steps": 12, "tau": 2, "offset": 0.0}


def ttfs(m: Made, x: str = "x", scale: float = 2.0, **changes: float) -> str:
    return m.node("Ttfs", x, f(scale), domain=DOMAIN, **{**TTFS, **changes})  # type: ignore[arg-type]


def qcfs(m: Made, x: str, levels: int = 7) -> str:
    return m.node("Qcfs", x, f(1.5), domain=DOMAIN, levels=levels)


def log_weights(m: Made, bits: int = 4, resolution: int = 2, most: int = 7) -> str:
    codes = (np.arange(24).reshape(6, 4) % (2 * most + 1) - most).astype(np.int8)
    exponent = np.arange(6, dtype=np.int16).reshape(6, 1) - 4
    return m.node("Log2Weights", codes, exponent, domain=DOMAIN, bits=bits, resolution=resolution)


def dense(m: Made, x: str, weights: str) -> str:
    return m.node("Gemm", x, weights, transB=1)


def network(m: Made) -> None:
    """Input, layer, activation: of a trained network the least there is."""
    given = m.node("Quantized", "x", f(0.25), domain=DOMAIN, levels=4)
    ttfs(m, dense(m, given, log_weights(m)))


def test_functions_become_ops_and_settings(tmp_path: Path) -> None:
    m = Made((4,))
    network(m)
    found = import_model(m.save(tmp_path))
    ops = [node.op for node in found.graph]
    assert Quantize(f32(0.25), 0, 4) in ops
    assert Neuron(TtfsRelu(f32(2.0), slots=12, tau=2, offset=0.0)) in ops
    (layer,) = (op for op in ops if isinstance(op, Dense))
    codes = np.arange(24).reshape(6, 4) % 15 - 7
    exponent = np.arange(6)[:, None] - 4
    by_hand = np.sign(codes) * np.exp2((exponent - np.abs(codes) + 1) / 2)
    np.testing.assert_array_equal(layer.weight.array, by_hand.astype(np.float32))
    assert found.trained == {"ttfs": {**TTFS, "resolution": 2, "weight_bits": 4}}


def test_qcfs_is_a_relu_on_a_grid(tmp_path: Path) -> None:
    m = Made((4,))
    qcfs(m, qcfs(m, "x", 7), 15)
    found = import_model(m.save(tmp_path))
    assert Neuron(Relu(f32(1.5), f32(0.1))) in [node.op for node in found.graph]
    assert found.trained == {
        "rate": {"steps": 15, "calibrate": "off"}, "radix": {"steps": 4, "bias": "keep"},
    }  # fmt: skip


REFUSED: dict[str, tuple[Callable[[Made], object], str]] = {
    "two codes": (lambda m: ttfs(m, ttfs(m), tau=4), "its tau is 4, should be 2 as elsewhere"),
    "no code": (lambda m: ttfs(m, steps=1), "steps is 1, should be 2 to 64"),
    "offset": (lambda m: ttfs(m, offset=1.5), "offset is 1.5, should be at least 0 and below 1"),
    "scale": (lambda m: ttfs(m, scale=-1.0), "its scale is [-1.0], should be one positive number"),
    "levels": (lambda m: qcfs(m, "x", 0), "its levels is 0, should be 1 to 32767"),
    "bits": (lambda m: dense(m, "x", log_weights(m, bits=3)), "its codes take 4 bits, should be"),
    "resolution": (lambda m: dense(m, "x", log_weights(m, resolution=3)), "resolution is 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_refusals(name: str, tmp_path: Path) -> None:
    make, message = REFUSED[name]
    m = Made((4,))
    make(m)
    with pytest.raises(SnnccError) as caught:
        import_model(m.save(tmp_path))
    assert message in str(caught.value)
    assert "try: " in str(caught.value)


def test_every_function_is_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    names = {key.rpartition(".")[2] for key in trained.LOWERINGS}
    assert {name for name in names if f'"{name}"' not in text} == set()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    m = Made((4,))
    network(m)
    return m.save(tmp_path)


SAMPLES = np.random.default_rng(0).integers(0, 5, (40, 4)).astype(np.float32) / 4


def test_settings_come_of_the_network(model: Path) -> None:
    bundle = snncc.compile(model, target="ttfs28", calibration=SAMPLES)
    (population,) = (n.op for n in bundle.graph if isinstance(n.op, Population))
    assert isinstance(population.model, TimeToFirstSpike)
    assert (population.model.steps, population.model.tau) == (12, 2)
    np.testing.assert_array_equal(population.scale.floats.reshape(-1), [2.0])
    (chain,) = population.maps
    assert isinstance(chain[-1], Dense)
    assert isinstance(chain[-1].weight, Log2)
    codes = np.arange(24).reshape(6, 4) % 15 - 7
    # of a channel whose largest weight is missing, codes count from the largest there is
    first = np.where(codes == 0, 99, np.abs(codes)).min(axis=1, keepdims=True)
    expected = np.sign(codes) * (np.abs(codes) - first + 1)
    np.testing.assert_array_equal(chain[-1].weight.codes.integers, expected)
    # more bits and other codings are the user's choice
    assert snncc.compile(model, target="ttfs28", calibration=SAMPLES, weight_bits=5).graph.code
    rate = snncc.compile(model, calibration=SAMPLES, steps=4, calibrate="off")
    assert (
        "the network was trained for --coding ttfs, and is compiled for --coding rate" in rate.notes
    )
    settings = inspect(model, "ttfs28").targets[0].settings
    assert settings is not None
    assert settings["steps"] == 12


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 24}, "steps is 24, should be 12, which the network was trained for"),
        ({"tau": 4}, "tau is 4, should be 2"),
        ({"offset": 0.5}, "offset is 0.5, should be 0.0"),
        ({"weight_bits": 3}, "weight_bits is 3, should be 4"),
        ({"resolution": 1}, "resolution is 1, should be 2"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_contradictions_are_refused(model: Path, given: dict[str, float], says: str) -> None:
    with pytest.raises(SnnccError, match="SNN042") as caught:
        snncc.compile(model, target="ttfs28", calibration=SAMPLES, settings=given)
    assert says in str(caught.value)
    assert "is taken from the network" in str(caught.value)


def normal(weights: np.ndarray, model: TtfsRelu | Relu | Readout) -> Graph:
    """One population with a bias, counting in its own units."""
    builder = GraphBuilder("one layer")
    builder.add("x", Input((weights.shape[1],), 1.0, 10), [])
    op = Population((len(weights),), ((Dense(f32(weights)),),), f32(0.5), model)
    builder.add("n", op, ["x"])
    builder.add("y", Output(), ["n"])
    return builder.graph()


def after(graph: Graph, passes: str) -> Population:
    for step in parse_pipeline(passes):
        graph = step.run(graph, Context({}))
    op = graph["n"].op
    assert isinstance(op, Population)
    return op


def test_a_common_factor_goes_into_the_thresholds() -> None:
    weights = 0.3 * np.exp2(-np.arange(12).reshape(3, 4) % 5 / 2)
    trained_for = TtfsRelu(f32(1.0), slots=5, tau=2)
    op = after(normal(weights, trained_for), "log-weights{bits=4}")
    assert isinstance(op.model, TtfsRelu)
    assert isinstance(op.maps[0][-1], Dense)
    kept = op.maps[0][-1].weight
    assert isinstance(kept, Log2)
    unit = weights[0, 0] / kept.array[0, 0]
    np.testing.assert_allclose(kept.array * unit, weights, rtol=1e-6)
    assert op.model.unit == pytest.approx(1 / unit)
    assert op.bias.floats.item() == pytest.approx(0.5 / unit)
    x = np.random.default_rng(0).integers(0, 11, (50, 4)).astype(np.float64)
    before = normal(weights, trained_for)["n"].op
    np.testing.assert_array_equal(op.evaluate((x,)), before.evaluate((x,)))


@pytest.mark.parametrize(
    ("weights", "model"),
    [
        (0.3 * np.exp2(-np.arange(12).reshape(3, 4) / 2), Relu()),  # no thresholds of its own
        (np.exp2(-np.arange(12).reshape(3, 4) * 2.0), TtfsRelu(f32(1.0))),  # too many octaves
        (np.linspace(0.1, 1, 12).reshape(3, 4), TtfsRelu(f32(1.0))),  # no powers
        (np.exp2(-np.arange(12).reshape(3, 4) / 2) * [[1], [1.1], [1]], TtfsRelu(f32(1.0))),
        (np.array([[0.5, 0.25, 1.0]]), TtfsRelu(f32(1.0))),  # too few to say anything
        (np.zeros((3, 4)), TtfsRelu(f32(1.0))),
    ],
)  # fmt: skip
def test_other_weights_stay_what_they_are(weights: np.ndarray, model: Relu) -> None:
    graph = normal(weights, model)
    assert after(graph, "log-weights{bits=4}") == graph["n"].op


def test_the_code_of_the_training_is_held() -> None:
    graph = normal(np.ones((2, 2)), TtfsRelu(f32(1.0), slots=12, tau=2))
    with pytest.raises(SnnccError, match=r"was trained for steps=12, tau=2, offset=0"):
        after(graph, "ttfs-code{steps=24,tau=2,offset=0}")
    wide = normal(np.ones((2, 2)), TtfsRelu(f32(2.0), slots=12, tau=2))
    with pytest.raises(SnnccError, match=r"the ceiling of 'n' is 2 units, should be 1"):
        after(wide, "ttfs-code{steps=12,tau=2,offset=0}")
