"""tests/corpus/keras: networks of tf.keras by tf2onnx, and by Keras's own export.

    python3.11 -m venv V && V/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 \
        onnx==1.23.2
    V/bin/python -m tests.corpus.make_keras

Weights are random, seeded; BatchNormalization has moments that are not those it starts with.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

from tests.corpus import keras_networks as nets
from tests.corpus.record import Entry, Folder

Images = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """A network, how it is exported, and what should hold for the file."""

    name: str
    build: Callable[[], "keras.Model"]
    opset: int
    entry: Entry
    options: dict[str, object] = field(default_factory=dict)


CASES = (
    Case(
        "lenet_opset13",
        nets.lenet,
        13,
        Entry("LeNet", "NHWC with one channel, average pools, 'valid' convolutions"),
    ),
    Case(
        "vgg_opset9",
        nets.vgg,
        9,
        Entry("VGG", "opset 9, 'same' convolutions, Dropout, Softmax at the end"),
    ),
    Case(
        "resnet_projected_opset15",
        nets.resnet_projected,
        15,
        Entry("ResNet", "shortcuts through strided 1×1 convolutions; 'same' strides pad 0, 1"),
    ),
    Case(
        "resnet_padded_opset13",
        nets.resnet_padded,
        13,
        Entry("ResNet", "shortcuts of strided slices, padded with channels of zeros"),
    ),
    Case(
        "mobilenet_v1_opset11",
        nets.mobilenet_v1,
        11,
        Entry("MobileNetV1", "ZeroPadding2D, depthwise, ReLU6, Reshape after the pool, Conv head"),
    ),
    Case(
        "mobilenet_v2_opset17",
        nets.mobilenet_v2,
        17,
        Entry("MobileNetV2", "linear bottlenecks with residual sums, ReLU6"),
    ),
    Case(
        "squeezenet_opset12",
        nets.squeezenet,
        12,
        Entry("SqueezeNet", "Concatenate over the last axis, MaxPooling2D 3×3 by 2 'same'"),
    ),
    Case(
        "densenet_opset18",
        nets.densenet,
        18,
        Entry("DenseNet", "opset 18; BatchNormalization before ReLU, over concatenated maps"),
    ),
    Case(
        "unet_upsampling_opset13",
        nets.unet_upsampling,
        13,
        Entry("U-Net", "UpSampling2D nearest as Resize, Concatenate, a map as output"),
    ),
    Case(
        "unet_upsampling_opset9",
        nets.unet_upsampling,
        9,
        Entry("U-Net", "UpSampling2D nearest as Upsample of opset 9"),
    ),
    Case(
        "unet_transposed_opset15",
        nets.unet_transposed,
        15,
        Entry("U-Net", "Conv2DTranspose 2×2 by 2 'valid' and 3×3 by 2 'same', Concatenate"),
    ),
    Case(
        "subpixel_opset13",
        nets.subpixel,
        13,
        Entry("autoencoder", "depth_to_space of NHWC maps"),
    ),
    Case(
        "audio_1d_opset13",
        nets.audio,
        13,
        Entry("1-D audio CNN", "Conv1D 'causal', 'same' and strided, MaxPooling1D"),
    ),
    Case(
        "ds_cnn_opset13",
        nets.ds_cnn,
        13,
        Entry("DS-CNN", "even kernels with strides, DepthwiseConv2D, AveragePooling2D over all"),
    ),
    Case(
        "mlp_opset9",
        nets.mlp,
        9,
        Entry("MLP", "Flatten of an image, Dense with ReLU, Softmax; opset 9"),
    ),
    Case(
        "autoencoder_opset15",
        nets.autoencoder,
        15,
        Entry("autoencoder", "Dense, BatchNormalization, ReLU; as many outputs as inputs"),
    ),
    Case(
        "uint8_image_opset13",
        nets.uint8_image,
        13,
        Entry("LeNet", "the input is a uint8 image: Cast, Rescaling(1/127.5, −1)"),
    ),
    Case(
        "nchw_opset13",
        nets.vgg,
        13,
        Entry("VGG", "inputs_as_nchw: the input is NCHW, the rest as ever"),
        {"inputs_as_nchw": ["image"]},
    ),
    Case(
        "separable_leaky_opset13",
        nets.separable_leaky,
        13,
        Entry("DS-CNN", "SeparableConv2D (two convolutions without neurons between), LeakyReLU"),
    ),
    Case(
        "prelu_dilated_opset16",
        nets.prelu_dilated,
        16,
        Entry("VGG", "dilated convolutions, PReLU a channel, GlobalMaxPooling2D"),
    ),
    Case(
        "two_outputs_shared_opset13",
        nets.two_outputs,
        13,
        Entry("MLP", "a convolution used twice (shared weights), two outputs, a fixed batch of 1"),
    ),
    Case(
        "swish_opset13",
        nets.swish,
        13,
        Entry("VGG", "swish: x·sigmoid(x), no neuron; taken only on request", refused="SNN003"),
    ),
    Case(
        "gru_opset13",
        nets.gru,
        13,
        Entry("recurrent", "a GRU layer, which no target can run", refused="SNN003"),
    ),
)


def by_tf2onnx(model: "keras.Model", opset: int, options: dict[str, object]) -> onnx.ModelProto:
    """What tf2onnx makes of a Keras model by way of a traced function."""
    given = [tf.TensorSpec(i.shape, i.dtype, name=i.name) for i in model.inputs]
    traced = tf.function(lambda *images: model(list(images), training=False))
    made, _ = tf2onnx.convert.from_function(traced, given, opset=opset, **options)
    return onnx.ModelProto.FromString(made.SerializeToString())


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
    return onnx.ModelProto.FromString(made.SerializeToString())


def by_keras(model: "keras.Model", opset: int) -> onnx.ModelProto:
    """The same by Keras's own exporter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model(np.zeros((1, *model.inputs[0].shape[1:]), np.float32))  # it wants to have been called
        model.export(path, format="onnx", opset_version=opset, verbose=False)
        return onnx.load(path)


def randomize(model: "keras.Model", seed: int) -> None:
    """Biases and BatchNormalization get numbers that are neither 0 nor 1."""
    numbers = np.random.default_rng(seed)
    for weight in model.weights:
        kind, shape = weight.path.rsplit("/", 1)[-1], weight.shape
        if kind in ("bias", "beta", "moving_mean"):
            weight.assign(numbers.normal(0, 0.1, shape))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(numbers.uniform(0.5, 1.5, shape))
        elif kind == "alpha":
            weight.assign(numbers.uniform(0.05, 0.5, shape))


def built(build: Callable[[], "keras.Model"]) -> "keras.Model":
    """A network with seeded weights, and the names that it has in a fresh process."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = build()
    randomize(model, 2)
    return model


def main() -> None:
    folder = Folder("keras")
    for case in CASES:
        made = by_tf2onnx(built(case.build), case.opset, case.options)
        folder.add(case.name, made, case.entry)
    samples = np.random.default_rng(3).uniform(-1, 1, (64, 16, 16, 3)).astype(np.float32)
    folder.add(
        "tflite_float_opset13",
        by_tflite(built(nets.mobilenet_v1), 13, None),
        Entry("MobileNetV1", "by way of a TensorFlow Lite file; its BatchNormalization is folded"),
    )
    folder.add(
        "tflite_int8_opset13",
        by_tflite(built(nets.resnet_projected), 13, samples),
        Entry(
            "ResNet",
            "an int8 TensorFlow Lite file: QDQ, weights a channel, inputs and outputs int8",
            tolerance=0.02,
        ),
    )
    folder.add(
        "keras3_export_opset18",
        by_keras(built(nets.resnet_projected), 18),
        Entry("ResNet", "Keras 3: model.export(format='onnx')"),
    )
    folder.finish("tensorflow_cpu", "keras", "tf2onnx", "onnx")


if __name__ == "__main__":
    main()
