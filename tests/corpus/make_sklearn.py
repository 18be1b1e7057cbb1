"""tests/corpus/sklearn: multi-layer perceptrons of scikit-learn by skl2onnx.

    python3.11 -m venv V && V/bin/pip install scikit-learn==1.9.1 skl2onnx==1.20.0 onnx==1.23.2 \
        onnxruntime==1.31.1
    V/bin/python -W ignore -m tests.corpus.make_sklearn

Networks are trained for a few rounds on the digits that come with scikit-learn, seeded.
"""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tests.corpus.record import Arrays, Entry, Folder


def classifier(activation: str = "relu", hidden: Sequence[int] = (16,)) -> "BaseEstimator":
    return MLPClassifier(hidden, activation=activation, max_iter=30, random_state=1)


def exported(
    model: "BaseEstimator", opset: int, zipmap: bool | str | None, double: bool = False
) -> onnx.ModelProto:
    """What skl2onnx makes of a fitted model of 64 features; zipmap None where there is none."""
    kind = DoubleTensorType if double else FloatTensorType
    made = to_onnx(
        model,
        initial_types=[("X", kind([None, 64]))],
        target_opset={"": opset, "ai.onnx.ml": 3},
        options=None if zipmap is None else {id(model): {"zipmap": zipmap}},
    )
    return onnx.load_model_from_string(made.SerializeToString())


def expected(model: onnx.ModelProto) -> Arrays:
    """What of a classifier is left where labels and ZipMap are left out.

    That is one output: probabilities of a Softmax, or else the numbers before labels or Sigmoids;
    those of two classes by one neuron are (−z, z).
    """
    (end,) = (node for node in model.graph.node if node.op_type in ("Softmax", "Sigmoid"))
    shown = onnx.load_model_from_string(model.SerializeToString())
    names = [output.name for output in shown.graph.output]
    for name in (end.input[0], end.output[0]):
        if name not in names:
            shape = ["N", None]
            shown.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, shape))
    running = onnxruntime.InferenceSession(shown.SerializeToString())
    x = np.random.default_rng(4).integers(0, 17, (6, 64)).astype(np.float32)
    before, behind = running.run([end.input[0], end.output[0]], {"X": x})
    if before.shape[1] == 1:
        before = np.concatenate([-before, before], 1)
    mapped = any(node.op_type == "ZipMap" for node in model.graph.node)
    if mapped:
        return {"X": x, names[0]: before}
    return {"X": x, names[1]: behind if end.op_type == "Softmax" else before}


def main() -> None:
    folder = Folder("sklearn")
    images, digits = load_digits(return_X_y=True)
    two, even = digits < 2, (digits % 2).astype(bool)
    labels = digits.astype(str)

    many = classifier().fit(images, digits)
    made = exported(many, 17, True)
    folder.add(
        "classifier_zipmap",
        made,
        Entry("MLP", "two outputs: labels by ArgMax and ArrayFeatureExtractor, a ZipMap of all"),
        expected(made),
    )
    made = exported(many, 17, False)
    folder.add(
        "classifier_plain",
        made,
        Entry("MLP", "the same without ZipMap: probabilities are a tensor"),
        expected(made),
    )
    folder.add(
        "classifier_columns",
        exported(many, 15, "columns"),
        Entry("MLP", "Softmax is cut into one output a class, each an N-vector", refused="SNN004"),
    )
    made = exported(classifier(hidden=(12, 8)).fit(images, labels), 13, True)
    folder.add(
        "classifier_text_labels",
        made,
        Entry("MLP", "labels are texts; two hidden layers; opset 13"),
        expected(made),
    )
    made = exported(classifier().fit(images[two], digits[two]), 17, True)
    folder.add(
        "binary_zipmap",
        made,
        Entry("MLP", "two classes by one output neuron: Sigmoid, 1 − p, Concat, ArgMax, ZipMap"),
        expected(made),
    )
    made = exported(classifier().fit(images, even), 17, False)
    folder.add(
        "binary_plain",
        made,
        Entry("MLP", "the same without ZipMap; labels are truth values"),
        expected(made),
    )
    made = exported(classifier().fit(images, digits[:, None] > [2, 4, 6]), 17, False)
    folder.add(
        "multilabel",
        made,
        Entry("MLP", "three labels at once: a Sigmoid each, labels by comparison"),
        expected(made),
    )
    made = exported(make_pipeline(StandardScaler(), classifier()).fit(images, digits), 17, False)
    folder.add(
        "scaled_pipeline",
        made,
        Entry("MLP", "StandardScaler before: ai.onnx.ml Scaler"),
        expected(made),
    )
    made = exported(
        make_pipeline(MinMaxScaler(clip=True), classifier()).fit(images, digits), 11, False
    )
    folder.add(
        "ranged_pipeline_opset11",
        made,
        Entry("MLP", "MinMaxScaler before, clipped to 0 to 1 (the input, not neurons); opset 11"),
        expected(made),
    )
    regressor = MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=30, random_state=1)
    folder.add(
        "regressor",
        exported(regressor.fit(images / 16, digits / 9), 17, None),
        Entry("MLP", "MLPRegressor: one output, Reshape to −1×1 at the end"),
    )
    folder.add(
        "regressor_three",
        exported(regressor.fit(images / 16, images[:, 2:5] / 16), 17, None),
        Entry("MLP", "a fault of skl2onnx: it reshapes N×3 to 3N×1", refused="SNN004"),
    )
    regressor = MLPRegressor(hidden_layer_sizes=(16,), max_iter=30, random_state=1)
    folder.add(
        "regressor_double",
        exported(regressor.fit(images / 16, digits / 9), 17, None, double=True),
        Entry("MLP", "float64 throughout, inputs and outputs too"),
    )
    for name, activation in (("tanh", "tanh"), ("logistic", "logistic")):
        folder.add(
            name,
            exported(classifier(activation).fit(images, digits), 17, False),
            Entry("MLP", f"{activation} is no neuron; taken only on request", refused="SNN003"),
        )
    folder.add(
        "linear",
        exported(classifier("identity").fit(images, digits), 17, False),
        Entry("MLP", "no activation at all: no neurons", refused="SNN006"),
    )
    folder.finish("scikit-learn", "skl2onnx", "onnx")


if __name__ == "__main__":
    main()
