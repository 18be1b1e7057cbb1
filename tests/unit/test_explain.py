"""`explain` on networks that were spoiled on purpose: the right layer, and the right reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import snncc
from benchmarks.spoiled import WrongScale, compile_spoiled
from snncc.data import read_dataset, samples_for
from snncc.explain import Explanation, LayerFigures, explain
from snncc.explain.sent import nearest_level, sent_values
from snncc_backends import OracleRunner
from snncc_ir import Floats, ValueRunner
from snncc_ir.ops import Population
from tests.conftest import ROOT

DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
SCALED = snncc.Preprocessing(1 / 16)
FIRST, SECOND, LAST = "2", "6", "9"
"""Populations of the digits network."""


def dataset(name: str) -> snncc.Dataset:
    found = read_dataset(DIGITS / f"{name}.npz")
    assert isinstance(found, snncc.Dataset)
    return found


def calibration() -> snncc.Dataset:
    """Enough of the example's."""
    return dataset("calib").first(96)


def compiled(model: Path = MODEL, code: str = "rate", **options: object) -> snncc.Bundle:
    """code: a key of CODES."""
    target, settings = CODES[code]
    return snncc.compile(
        model,
        target=target,
        calibration=calibration(),
        preprocessing=SCALED,
        settings={**settings, **options},
    )


CODES: dict[str, tuple[str, dict[str, object]]] = {
    "rate": ("c", {"steps": 8}),
    "graded": ("c", {"steps": 8, "neuron": "signed-graded"}),
    "radix": ("c", {"coding": "radix", "steps": 5}),
    "ttfs": ("ttfs28", {}),
}


def explained(
    bundle: snncc.Bundle,
    model: Path = MODEL,
    calib: bool = False,
    samples: int = 48,
    tries: int = 0,
) -> Explanation:
    given = calibration() if calib else None
    return explain(bundle, model, DIGITS / "test.npz", given, samples, tries)


def row(found: Explanation, name: str) -> LayerFigures:
    return next(layer for layer in found.layers.rows if layer.name == name)


def wrong_scale(layer: str, factor: float, code: str) -> snncc.Bundle:
    """A bundle in which one layer's λ is `factor` times what calibration found."""
    target, settings = CODES[code]
    return compile_spoiled(
        MODEL,
        WrongScale(layer, factor),
        before=False,
        target=target,
        settings=settings,
        calibration=calibration(),
        preprocessing=SCALED,
    )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("layer", [FIRST, SECOND])
def test_a_scale_too_small(layer: str, code: str) -> None:
    found = explained(wrong_scale(layer, 0.15, code))
    worst = found.worst[0]
    assert (worst.name, worst.finding.cause) == (layer, "clipped"), worst.reason
    assert worst.clipped > 0.05
    assert "above what a neuron can send" in worst.reason


@pytest.mark.parametrize("code", ["rate", "radix"])
def test_a_scale_too_large(code: str) -> None:
    bundle = wrong_scale(FIRST, 30.0, code)
    worst = explained(bundle).worst[0]
    assert worst.name == FIRST
    assert worst.finding.cause in ("coarse", "silent"), worst.reason
    assert worst.dead > 0


def edited(folder: Path, scale: float = 1.0, ceiling: float | None = None, name: str = "m") -> Path:
    """Digits, its second convolution's weights scaled, or a ceiling in place of its second ReLU.

    With a ceiling of either kind (infinity: a ReLU again) that layer's numbers are four times as
    large, and the next layer's weights a quarter, so that there is something above 6.
    """
    model = onnx.load(MODEL)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = {node.name: node for node in model.graph.node}

    def times(name: str, factor: float) -> None:
        array = numpy_helper.to_array(tensors[name]) * np.float32(factor)
        tensors[name].CopyFrom(numpy_helper.from_array(array, name))

    times(nodes["/4/Conv"].input[1], scale)
    if ceiling is not None:
        times(nodes["/5/BatchNormalization"].input[1], 4)
        times(nodes["/5/BatchNormalization"].input[2], 4)
        times(nodes["/9/Gemm"].input[1], 0.25)
        if ceiling < np.inf:
            relu = nodes["/6/Relu"]
            relu.op_type = "Clip"
            relu.input.extend(["low", "high"])
            for limit, value in (("low", 0.0), ("high", ceiling)):
                constant = numpy_helper.from_array(np.array(value, np.float32), limit)
                model.graph.initializer.append(constant)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("code", ["rate", "radix", "ttfs"])
def test_weights_that_are_scaled(tmp_path: Path, code: str) -> None:
    found = explained(compiled(edited(tmp_path, scale=100.0), code))
    worst = found.worst[0]
    assert (worst.name, worst.finding.cause) == (SECOND, "scaled"), worst.reason
    assert worst.gain is not None
    assert 30 < worst.gain < 300
    assert any("another file" in note for note in found.notes)
    assert not found.oddities  # the model itself is sound


@pytest.mark.parametrize("code", ["rate", "radix", "ttfs"])
def test_a_ceiling_that_is_gone(tmp_path: Path, code: str) -> None:
    original = edited(tmp_path, ceiling=6.0, name="relu6")
    replaced = edited(tmp_path, ceiling=np.inf, name="relu")
    found = explained(compiled(replaced, code), original)
    worst = found.worst[0]
    assert (worst.name, worst.finding.cause) == (SECOND, "ceiling"), worst.reason
    assert "ends at 6" in worst.reason
    sound = explained(compiled(original, code), original)
    assert all(layer.finding.cause != "ceiling" for layer in sound.layers.rows)


def test_a_model_that_is_odd_itself(tmp_path: Path) -> None:
    model = edited(tmp_path, scale=1000.0)
    found = explained(compiled(model), model)
    assert any(text.startswith(f"{SECOND}: in the float network") for text in found.oddities)


def test_data_that_is_not_what_was_trained_on() -> None:
    bundle = compiled()
    data = dataset("test")
    shuffled = replace(data, labels=np.roll(data.labels, 1) if data.labels is not None else None)
    found = explain(bundle, MODEL, shuffled)
    assert any("chance" in text for text in found.oddities)
    larger = replace(data, arrays={"x": np.multiply(data.arrays["x"], 16.0)})
    found = explain(bundle, MODEL, data, larger, samples=32, tries=0)
    assert any("numbers reach" in text for text in found.oddities)


def test_what_is_advised_was_tried() -> None:
    bundle = compiled(steps=3)
    found = explained(bundle, calib=True, tries=3)
    assert 0 < len(found.tried) <= 3
    best = found.helps[0]
    settings = dict(bundle.files.table("settings"))
    again = snncc.compile(
        MODEL,
        calibration=calibration(),
        preprocessing=SCALED,
        settings={**settings, **best.remedy.options},
    )
    accuracy = again.verify(MODEL, DIGITS / "test.npz").last.accuracy
    before = found.verification.last.accuracy
    assert accuracy is not None
    assert before is not None
    assert best.share == pytest.approx(accuracy.value)
    assert best.points == pytest.approx(100 * (accuracy.value - before.value))


def test_figures_that_can_be_had_in_another_way() -> None:
    """The last cut is the chip, the figures of all samples are those of verify."""
    bundle = compiled()
    data = bundle.dataset(DIGITS / "test.npz")
    found = explained(bundle, samples=data.count)
    assert found.verification == bundle.verify(MODEL, data)
    last = found.layers.rows[-1]
    chip = found.verification.last
    assert chip.agreement is not None
    assert chip.accuracy is not None
    assert last.agreement == pytest.approx(chip.agreement.value)
    assert last.accuracy == pytest.approx(chip.accuracy.value)
    assert last.snr == pytest.approx(chip.snr, abs=1e-6)
    spikes = {layer.name: layer.spikes for layer in found.layers.rows}
    assert spikes == pytest.approx(
        {name: found.verification.layers.get(name, 0.0) for name in spikes}
    )
    whole = found.verification.synaptic_operations
    assert sum(layer.synaptic_operations or 0 for layer in found.layers.rows) == pytest.approx(
        whole
    )


@pytest.mark.parametrize("code", ["radix", "ttfs"])
def test_what_spikes_stand_for(code: str) -> None:
    """Layers that follow one another send what value semantics says, but for fixed point."""
    bundle = compiled(code=code)
    graph = bundle.graph
    samples = samples_for(graph, bundle.dataset(DIGITS / "test.npz").first(8), SCALED)
    execution = OracleRunner(graph).run(samples, record=True)
    sent = sent_values(graph, execution, samples)
    expected = ValueRunner(graph, [FIRST]).run(samples)[FIRST]
    node = graph[FIRST]
    assert isinstance(node.op, Population)
    values = np.multiply(expected, node.op.scale.floats)
    same = np.isclose(sent[FIRST], values, rtol=1e-5)
    assert same.mean() > 0.99
    # levels are their own nearest levels
    assert np.allclose(nearest_level(node, sent[FIRST]), sent[FIRST], rtol=1e-12)


def test_rate_counts_are_averages() -> None:
    graph = compiled(code="graded").graph
    samples = samples_for(
        graph, snncc.Dataset({"x": np.load(DIGITS / "test.npz")["x"][:2]}), SCALED
    )
    execution = OracleRunner(graph).run(samples, record=True)
    node = graph[SECOND]
    assert isinstance(node.op, Population)
    train: Floats = execution.spikes[SECOND].astype(np.float64)
    counted = sum(train[:, step] for step in range(8)) / 8 * node.op.scale.floats
    assert np.array_equal(sent_values(graph, execution, samples)[SECOND], counted)


def test_a_network_of_other_inputs(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((3, 4), np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["other", "w"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("other", 1, ["N", 4])],
        [helper.make_tensor_value_info("y", 1, ["N", 3])],
        [weight],
    )
    path = tmp_path / "other.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    with pytest.raises(snncc.SnnccError, match="SNN030"):
        explained(compiled(), path)
