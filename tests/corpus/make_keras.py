"""tests/corpus/keras: networks of tf.keras by tf2onnx, and by Keras's own export.

    python3.11 -m venv V && V/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 \
        tf_keras==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.31.1
    V/bin/python -m tests.corpus.make_keras

Weights are random, seeded; BatchNormalization has moments that are not those it starts with.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
import tf_keras
from onnx import numpy_helper

from tests.corpus import keras_networks as nets
from tests.corpus.keras_cases import CASES, OLD_CASES
from tests.corpus.record import Arrays, Entry, Folder

Images = npt.NDArray[np.float32]


def by_tf2onnx(model: "keras.Model", opset: int, options: dict[str, object]) -> onnx.ModelProto:
    """What tf2onnx makes of a Keras model by way of a traced function."""
    given = [tf.TensorSpec(i.shape, i.dtype, name=i.name) for i in model.inputs]
    traced = tf.function(lambda *images: model(list(images), training=False))
    made, _ = tf2onnx.convert.from_function(traced, given, opset=opset, **options)
    return onnx.load_model_from_string(made.SerializeToString())


def by_tflite(model: "keras.Model", opset: int, samples: Images | None) -> onnx.ModelProto:
    """The same by way of a TensorFlow Lite file: float, or all int8 where there are samples."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if samples is not None:

        def represent() -> Iterator[list[Images]]:
            for sample in samples:
                yield [sample[None]]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = represent
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(converter.convert())
        made, _ = tf2onnx.convert.from_tflite(str(path), opset=opset)
    return onnx.load_model_from_string(made.SerializeToString())


def by_onnxruntime(model: onnx.ModelProto) -> Arrays:
    """Integers for a model's int8 input, and what the integers of its output stand for."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    running = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given, output = running.get_inputs()[0], model.graph.output[0].name
    x = np.random.default_rng(4).integers(-128, 128, (3, *given.shape[1:]), np.int8)
    (found,) = running.run(None, {given.name: x})
    (last,) = (node for node in model.graph.node if output in node.output)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    scale, zero = (constants[name].astype(np.float32) for name in last.input[1:])
    return {given.name: x, output: (found - zero) * scale}


def by_keras(model: "keras.Model", opset: int) -> onnx.ModelProto:
    """The same by Keras's own exporter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model(np.zeros((1, *model.inputs[0].shape[1:]), np.float32))  # it wants to have been called
        model.export(path, format="onnx", opset_version=opset, verbose=False)
        return onnx.load(path)


def randomize(model: "keras.Model", seed: int) -> None:
    """Biases and BatchNormalization get numbers that are neither 0 nor 1; kernels are enlarged,
    so that activations do not fade from layer to layer."""
    numbers = np.random.default_rng(seed)
    for weight in model.weights:
        path = weight.path if hasattr(weight, "path") else weight.name.removesuffix(":0")
        kind, shape = path.rsplit("/", 1)[-1], weight.shape
        if kind in ("bias", "beta", "moving_mean"):
            weight.assign(numbers.normal(0, 0.1, shape))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(numbers.uniform(0.5, 1.5, shape))
        elif "kernel" in kind:
            weight.assign(1.5 * np.asarray(weight))
        elif kind == "alpha":
            weight.assign(numbers.uniform(0.05, 0.5, shape))


def built(build: Callable[[], "keras.Model"]) -> "keras.Model":
    """A network with seeded weights, and the names that it has in a fresh process."""
    for package in (keras, tf_keras):
        package.backend.clear_session()
        package.utils.set_random_seed(1)
    model = build()
    randomize(model, 2)
    return model


def main() -> None:
    folder = Folder("keras")
    for case in CASES:
        made = by_tf2onnx(built(case.build), case.opset, case.options)
        folder.add(case.name, made, case.entry)
    for case in OLD_CASES:
        made, _ = tf2onnx.convert.from_keras(built(case.build), opset=case.opset)
        made = onnx.load_model_from_string(made.SerializeToString())
        folder.add(case.name, made, case.entry)
    samples = np.random.default_rng(3).uniform(-1, 1, (64, 16, 16, 3)).astype(np.float32)
    folder.add(
        "tflite_float_opset13",
        by_tflite(built(nets.mobilenet_v1), 13, None),
        Entry("MobileNetV1", "by way of a TensorFlow Lite file; its BatchNormalization is folded"),
    )
    made = by_tflite(built(nets.resnet_projected), 13, samples)
    folder.add(
        "tflite_int8_opset13",
        made,
        Entry(
            "ResNet",
            "an int8 TensorFlow Lite file: QDQ, weights a channel, int8 inputs and outputs; "
            "what is expected is what its outputs stand for",
            tolerance=0.02,
        ),
        by_onnxruntime(made),
    )
    folder.add(
        "keras3_export_opset18",
        by_keras(built(nets.resnet_projected), 18),
        Entry("ResNet", "Keras 3: model.export(format='onnx')"),
    )
    folder.finish("tensorflow_cpu", "keras", "tf_keras", "tf2onnx", "onnx")


if __name__ == "__main__":
    main()
