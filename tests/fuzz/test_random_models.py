"""Random models: a graph that means what onnxruntime computes, or a diagnostic; nothing else."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings

from snncc import compile as compile_model
from snncc.onnx import Imported, import_model
from snncc_ir import Array, SnnccError, ValueRunner
from tests.fuzz.onnx_graphs import models


def imported_from(path: Path) -> Imported | None:
    """None for a refusal, which has to say what to do."""
    try:
        return import_model(path, needs_neurons=False)
    except SnnccError as error:
        diagnostics = error.diagnostics
    assert all(found.message and (found.hint or found.code == "SNN002") for found in diagnostics)
    return None


def computed(path: Path, results: Sequence[str], x: Array) -> Mapping[str, Array]:
    """The values by onnxruntime; none where it refuses the model itself.

    Without its optimizer, which joins pairs of quantizers in other units.
    """
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, results))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        running = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        found = running.run(list(results), {"x": x})
    except Exception:  # onnxruntime raises a dozen classes without a common base
        return {}
    return dict(zip(results, found, strict=True))


@given(models())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_random_model(tmp_path_factory: pytest.TempPathFactory, model: onnx.ModelProto) -> None:
    path = tmp_path_factory.mktemp("random") / "model.onnx"
    path.write_bytes(model.SerializeToString())
    imported = imported_from(path)
    if imported is None:
        return
    (given_input,) = imported.graph.inputs
    batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 3
    x = np.random.default_rng(0).standard_normal((batch, *given_input.type.shape))
    x = x.astype(np.float32)
    names = [result.value for result in imported.results if result.exact]
    expected = computed(path, names, x)
    found = ValueRunner(imported.graph).run({given_input.name: x})
    for ours, result in zip(found.values(), imported.results, strict=True):
        if result.value in expected:
            theirs = np.asarray(expected[result.value], np.float64)
            assert ours.size == theirs.size
            reach = float(np.abs(theirs).max(initial=1.0))
            np.testing.assert_allclose(
                np.asarray(ours, np.float64).reshape(theirs.shape), theirs, atol=1e-4 * reach
            )
    with contextlib.suppress(SnnccError):
        compile_model(path, target="c", calibrate="off", steps=4)
