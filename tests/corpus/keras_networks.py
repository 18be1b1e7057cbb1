"""The Keras networks of make_keras.py: known architectures, narrow, for small images."""

import keras
import tensorflow as tf
from keras import layers


def _image(size: int = 16, channels: int = 3) -> "keras.KerasTensor":
    return keras.Input((size, size, channels), name="image")


def _conv(
    x: "keras.KerasTensor", filters: int, size: int = 3, stride: int = 1, relu: float | None = -1.0
) -> "keras.KerasTensor":
    """Convolution, BatchNormalization, then ReLU (relu −1), ReLU6 (6) or nothing (None)."""
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    if relu is None:
        return x
    return layers.ReLU(None if relu < 0 else relu)(x)


def lenet() -> "keras.Model":
    x = image = _image(20, 1)
    for filters in (6, 16):
        x = layers.Conv2D(filters, 5, activation="relu")(x)
        x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    for units in (40, 32):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(image, layers.Dense(10)(x))


def vgg() -> "keras.Model":
    x = image = _image()
    for filters in (6, 10):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.5)(layers.Dense(24, activation="relu")(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def resnet_projected() -> "keras.Model":
    image = _image()
    x = _conv(image, 6)
    for filters, stride in ((6, 1), (10, 2), (14, 2)):
        shortcut = x if stride == 1 else _conv(x, filters, 1, stride, None)
        y = _conv(_conv(x, filters, 3, stride), filters, relu=None)
        x = layers.ReLU()(layers.Add()([y, shortcut]))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def resnet_padded() -> "keras.Model":
    image = _image()
    x = _conv(image, 6)
    for filters, stride in ((6, 1), (10, 2)):
        shortcut = x
        if stride > 1:
            more = (filters - x.shape[-1]) // 2
            shortcut = keras.ops.pad(x[:, ::2, ::2, :], ((0, 0), (0, 0), (0, 0), (more, more)))
        y = _conv(_conv(x, filters, 3, stride), filters, relu=None)
        x = layers.Activation("relu")(layers.Add()([y, shortcut]))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def mobilenet_v1() -> "keras.Model":
    image = _image()
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(image)
    x = layers.Conv2D(6, 3, 2, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for filters, stride in ((8, 1), (12, 2), (12, 1)):
        if stride > 1:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
        padding = "same" if stride == 1 else "valid"
        x = layers.DepthwiseConv2D(3, stride, padding=padding, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = _conv(x, filters, 1, 1, 6.0)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(10, 1, padding="same")(layers.Dropout(1e-3)(x))
    return keras.Model(image, layers.Activation("softmax")(layers.Reshape((10,))(x)))


def mobilenet_v2() -> "keras.Model":
    image = _image()
    x = _conv(image, 6, 3, 2, 6.0)
    for filters, stride in ((6, 1), (8, 2), (8, 1)):
        y = _conv(x, 3 * x.shape[-1], 1, 1, 6.0)
        y = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(y)
        y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
        y = _conv(y, filters, 1, 1, None)
        x = layers.Add()([x, y]) if filters == x.shape[-1] else y
    x = layers.GlobalAveragePooling2D()(_conv(x, 32, 1, 1, 6.0))
    return keras.Model(image, layers.Dense(10)(x))


def squeezenet() -> "keras.Model":
    x = image = _image()
    x = layers.Conv2D(8, 3, 2, activation="relu")(x)
    for squeezed, expanded in ((4, 6), (5, 8)):
        x = layers.MaxPooling2D(3, 2, padding="same")(x)
        x = layers.Conv2D(squeezed, 1, activation="relu")(x)
        left = layers.Conv2D(expanded, 1, activation="relu")(x)
        right = layers.Conv2D(expanded, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate()([left, right])
    x = layers.Conv2D(10, 1, activation="relu")(x)
    return keras.Model(image, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))


def densenet() -> "keras.Model":
    image = _image()
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(image)
    for block in range(2):
        for _ in range(2):
            y = layers.ReLU()(layers.BatchNormalization()(x))
            y = layers.Conv2D(4, 3, padding="same", use_bias=False)(y)
            x = layers.Concatenate()([x, y])
        x = layers.ReLU()(layers.BatchNormalization()(x))
        if block == 0:
            x = layers.AveragePooling2D(2)(layers.Conv2D(8, 1, use_bias=False)(x))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def unet_upsampling() -> "keras.Model":
    image = _image(12)
    skip = _conv(image, 6)
    x = _conv(layers.MaxPooling2D(2)(skip), 10)
    x = layers.Concatenate()([layers.UpSampling2D(interpolation="nearest")(x), skip])
    return keras.Model(image, layers.Conv2D(2, 1)(_conv(x, 6)))


def unet_transposed() -> "keras.Model":
    image = _image(12)
    first = _conv(image, 5)
    second = _conv(layers.MaxPooling2D(2)(first), 6)
    x = _conv(layers.MaxPooling2D(2)(second), 8)
    x = layers.Conv2DTranspose(6, 2, 2, activation="relu")(x)
    x = _conv(layers.Concatenate()([x, second]), 6)
    x = layers.Conv2DTranspose(5, 3, 2, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Conv2D(2, 1)(layers.Concatenate()([x, first])))


def subpixel() -> "keras.Model":
    image = _image(8)
    x = layers.Conv2D(8, 3, 2, padding="same", activation="relu")(image)
    x = layers.Conv2D(12, 3, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2))(x))


def audio() -> "keras.Model":
    sound = keras.Input((64, 2), name="sound")
    x = layers.Conv1D(6, 5, padding="causal", activation="relu")(sound)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Conv1D(8, 5, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv1D(8, 3, activation="relu")(x)
    return keras.Model(sound, layers.Dense(6)(layers.GlobalAveragePooling1D()(x)))


def ds_cnn() -> "keras.Model":
    spectrum = keras.Input((25, 10, 1), name="spectrum")
    x = layers.Conv2D(8, (10, 4), 2, padding="same")(spectrum)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for _ in range(2):
        x = layers.DepthwiseConv2D(3, padding="same")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = _conv(x, 8, 1)
    x = layers.Flatten()(layers.AveragePooling2D(x.shape[1:3])(x))
    return keras.Model(spectrum, layers.Dense(12, activation="softmax")(x))


def mlp() -> "keras.Model":
    image = _image(8, 1)
    x = layers.Flatten()(image)
    for units in (32, 24):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def autoencoder() -> "keras.Model":
    x = spectrum = keras.Input((48,), name="spectrum")
    for units in (24, 16, 4, 16, 24):
        x = layers.Dense(units)(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return keras.Model(spectrum, layers.Dense(48)(x))


def decoder() -> "keras.Model":
    numbers = keras.Input((12,), name="numbers")
    x = layers.Reshape((4, 4, 6))(layers.Dense(96, use_bias=False)(numbers))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(4, 4, 2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(numbers, layers.Conv2DTranspose(3, 4, 2, padding="same")(x))


def uint8_image() -> "keras.Model":
    image = keras.Input((16, 16, 3), name="image", dtype="uint8")
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    x = layers.Conv2D(6, 5, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(layers.MaxPooling2D(2)(x))))


def separable_leaky() -> "keras.Model":
    x = image = _image()
    for filters, stride in ((6, 2), (8, 1)):
        x = layers.SeparableConv2D(filters, 3, stride, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(x))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def prelu_dilated() -> "keras.Model":
    x = image = _image()
    for dilation, padding in ((1, "same"), (2, "same"), (2, "valid")):
        x = layers.Conv2D(6, 3, padding=padding, dilation_rate=dilation)(x)
        x = layers.PReLU(shared_axes=[1, 2])(x)
    return keras.Model(image, layers.Dense(10)(layers.GlobalMaxPooling2D()(x)))


def two_outputs() -> "keras.Model":
    image = keras.Input(batch_shape=(1, 12, 12, 4), name="image")
    shared = layers.Conv2D(4, 3, padding="same", activation="relu")
    x = layers.Flatten()(layers.MaxPooling2D(2)(shared(shared(image))))
    return keras.Model(image, [layers.Dense(3, name="color")(x), layers.Dense(4, name="form")(x)])


def swish() -> "keras.Model":
    x = image = _image()
    x = layers.Conv2D(6, 3, 2, padding="same", activation="swish")(x)
    x = layers.Conv2D(6, 3, 2, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(x)))


def gru() -> "keras.Model":
    x = sound = keras.Input((8, 6), name="sound")
    x = layers.Dense(8, activation="relu")(layers.GRU(8)(x))
    return keras.Model(sound, layers.Dense(4)(x))
