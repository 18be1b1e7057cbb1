"""Networks of Keras 2 (tf_keras) of make_keras.py, which tf2onnx's from_keras still reads.

What they become differs from Keras 3: UpSampling2D is a Resize, not a Tile; other names.
"""

from tf_keras import Input, Model, Sequential, layers


def unet() -> "Model":
    image = Input((12, 12, 3), name="image")
    skip = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(10, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(skip))
    x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    return Model(image, layers.Conv2D(2, 1)(x))


def bilinear() -> "Model":
    image = Input((6, 6, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    return Model(image, layers.Conv2D(4, 3, activation="relu")(x))


def sequential() -> "Model":
    return Sequential(
        [
            layers.InputLayer((12, 12, 1), name="image"),
            layers.ZeroPadding2D(1),
            layers.Conv2D(6, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(3, 2, padding="same"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            layers.ReLU(max_value=4.0),
            layers.Cropping2D(((1, 0), (0, 1))),
            layers.Permute((2, 1, 3)),
            layers.Conv2D(8, 2, 2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
