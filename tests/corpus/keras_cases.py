"""What make_keras.py writes: networks, how they are exported, what should hold for the files."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras

from tests.corpus import keras2_networks as nets2
from tests.corpus import keras_networks as nets
from tests.corpus.record import Entry


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
        Entry("U-Net", "UpSampling2D nearest as Tile of a fifth axis; a map as output"),
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
        "decoder_opset15",
        nets.decoder,
        15,
        Entry("autoencoder", "Dense, Reshape, BatchNormalization over channels, Conv2DTranspose"),
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

# by tf2onnx's from_keras, from Keras 2
OLD_CASES = (
    Case(
        "keras2_unet_opset9",
        nets2.unet,
        9,
        Entry(
            "U-Net",
            "tf2onnx leaves the TensorFlow operator ResizeNearestNeighbor in an ONNX file",
            refused="SNN002",
        ),
    ),
    Case(
        "keras2_unet_opset11",
        nets2.unet,
        11,
        Entry("U-Net", "Keras 2: UpSampling2D nearest as Resize, tf_half_pixel_for_nn"),
    ),
    Case(
        "keras2_unet_opset13",
        nets2.unet,
        13,
        Entry("U-Net", "the same at opset 13, which has no tf_half_pixel_for_nn"),
    ),
    Case(
        "keras2_sequential_opset15",
        nets2.sequential,
        15,
        Entry("VGG", "Keras 2: depth_multiplier 2, ReLU up to 4, Cropping2D, Permute"),
    ),
    Case(
        "keras2_bilinear_opset13",
        nets2.bilinear,
        13,
        Entry("autoencoder", "UpSampling2D bilinear: Resize linear", refused="SNN004"),
    ),
)
