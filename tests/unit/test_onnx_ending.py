"""What is left out at the end of a network, and what each output then stands for."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from snncc.onnx import import_model
from snncc.onnx.ends import Result
from snncc_ir import SnnccError, ValueRunner, session
from tests.unit.test_onnx import Array, Maker, agree, ints, normal


def dense_relu(m: Maker) -> str:
    m.node("Gemm", normal(5, 7))
    return m.node("Relu")


def test_a_choice_beside_its_scores_is_left_out(tmp_path: Path) -> None:
    """As scikit-learn's classifiers are written: a label, and probabilities by class."""
    maker = Maker(5)
    logits = dense_relu(maker)
    scores = maker.node("Softmax", axis=1)
    maker.node("ArgMax", axis=1, keepdims=0)
    maker.node("Cast", to=TensorProto.INT64)
    label = maker.node("Reshape", ints(-1))
    imported = import_model(maker.save(tmp_path, label, scores))
    assert imported.results == (Result(logits, exact=True),)
    assert [node.name for node in imported.graph.outputs] == [scores]
    assert any(f"output '{label}' is left out" in note for note in imported.notes)


def test_a_choice_alone_gives_the_scores(tmp_path: Path) -> None:
    maker = Maker(5)
    logits = dense_relu(maker)
    maker.node("ArgMax", axis=-1)
    path = maker.save(tmp_path, kind=TensorProto.INT64)
    imported = import_model(path)
    assert imported.results == (Result(logits, exact=True),)
    x = normal(4, 5)
    (chosen,) = session(str(path)).run(None, {"x": x})
    (scores,) = ValueRunner(imported.graph).run({"x": x}).values()
    np.testing.assert_array_equal(np.asarray(scores, np.float64).argmax(1), chosen[:, 0])


@pytest.mark.parametrize("op_type", ["ArgMax", "LogSoftmax", "Softmax"])
def test_what_ends_a_network_is_refused_inside(op_type: str, tmp_path: Path) -> None:
    maker = Maker(5)
    dense_relu(maker)
    maker.node(op_type)
    if op_type == "ArgMax":
        maker.node("Cast", to=TensorProto.FLOAT)
    maker.node("Add", normal(1))
    with pytest.raises(SnnccError, match="stands inside the network"):
        import_model(maker.save(tmp_path))


def test_a_sigmoid_that_is_read_again_is_no_end(tmp_path: Path) -> None:
    """It is a result of the model, and a layer follows too."""
    maker = Maker(5)
    dense_relu(maker)
    scores = maker.node("Sigmoid")
    maker.node("Gemm", normal(7, 2))
    with pytest.raises(SnnccError, match="as an approximation, on request"):
        import_model(maker.save(tmp_path, scores, maker.last))


def test_what_keeps_the_order_may_follow(tmp_path: Path) -> None:
    maker = Maker(5)
    logits = dense_relu(maker)
    maker.node("Sigmoid")
    maker.node("Reshape", ints(-1, 7, 1))
    imported = import_model(maker.save(tmp_path))
    assert imported.results == (Result(logits, exact=True),)
    assert imported.graph.outputs[0].type.shape == (7, 1)


def test_all_that_scikit_learn_puts_behind_a_label(tmp_path: Path) -> None:
    classes: Array = ints(10, 20, 30, 40, 50, 60, 70)
    maker = Maker(5)
    logits = dense_relu(maker)
    scores = maker.node("Softmax", axis=1)
    index = maker.node("ArgMax", axis=1)
    maker.last = maker.constant(classes)
    maker.node("ArrayFeatureExtractor", index, domain="ai.onnx.ml")
    label = maker.node("Reshape", ints(-1))
    maker.last = scores
    table = maker.node("ZipMap", domain="ai.onnx.ml", classlabels_int64s=classes.tolist())
    imported = import_model(maker.save(tmp_path, label, table))
    assert imported.results == (Result(logits, exact=True),)
    assert len(imported.graph.outputs) == 1


def test_two_classes_of_a_sigmoid(tmp_path: Path) -> None:
    """[1 − σ(z), σ(z)] becomes [−z, z]: the same class is the larger one."""
    maker = Maker(5)
    maker.node("Gemm", normal(5, 7))
    maker.node("Relu")
    maker.node("Gemm", normal(7, 1))
    positive = maker.node("Sigmoid")
    maker.last = maker.constant(np.ones(1, np.float32))
    maker.node("Sub", positive)
    scores = maker.node("Concat", positive, axis=1)
    label = maker.node("ArgMax", axis=1)
    path = maker.save(tmp_path, label, scores)
    imported = import_model(path)
    assert imported.results == (Result(scores),)
    x = normal(20, 5)
    (found,) = ValueRunner(imported.graph).run({"x": x}).values()
    (expected,) = session(str(maker.save(tmp_path, scores))).run(None, {"x": x})
    numbers = np.asarray(found, np.float64)
    np.testing.assert_allclose(1 / (1 + np.exp(-numbers)), expected, atol=1e-6)


def test_nothing_else_may_follow_a_sigmoid_that_is_left_out(tmp_path: Path) -> None:
    maker = Maker(5)
    dense_relu(maker)
    positive = maker.node("Sigmoid")
    maker.last = maker.constant(np.full(1, 2.0, np.float32))
    maker.node("Sub", positive)
    maker.node("Concat", positive, axis=1)
    with pytest.raises(SnnccError, match="should be at its end"):
        import_model(maker.save(tmp_path))


def test_a_scaler_before_the_network(tmp_path: Path) -> None:
    """As scikit-learn's StandardScaler is written."""
    scale, offset = np.abs(normal(5)) + 0.5, normal(5)
    maker = Maker(5)
    maker.node("Scaler", domain="ai.onnx.ml", scale=scale.tolist(), offset=offset.tolist())
    maker.node("Gemm", normal(5, 7))
    maker.node("Relu")
    agree(maker.save(tmp_path))
