"""Which networks `make_torch.py` exports, how, and what should hold for each file."""

from torch import nn

from tests.corpus import torch_networks as nets
from tests.corpus import torch_parts as parts
from tests.corpus import torch_refused as refused
from tests.corpus.torch_case import Case, dynamo, trace

IMAGE, GRAY, SMALL = ((3, 12, 12),), ((1, 16, 16),), ((3, 8, 8),)

TAKEN = (
    Case(
        "lenet_max", "LeNet", nets.LeNet, GRAY,
        (
            trace(9, "view by x.size(0): Shape, Gather, Unsqueeze, Concat", dynamic=True,
                  do_constant_folding=False),
            dynamo(20, "view by x.size(0) of a dynamic batch", dynamic=True),
        ),
    ),
    Case(
        "lenet_average", "LeNet", lambda: nets.LeNet(nn.AvgPool2d, view=False), GRAY,
        (
            trace(13, "fixed batch of 1"),
            dynamo(18, "not optimized by the exporter", optimize=False),
        ),
    ),
    Case(
        "vgg_batchnorm", "VGG", nets.vgg, SMALL,
        (
            trace(11, "BatchNorm folded by the exporter, Dropout gone", dynamic=True),
            dynamo(18, "weights in a file beside it", external_data=True),
        ),
    ),
    Case(
        "vgg_plain", "VGG", lambda: nets.vgg(False), SMALL,
        (
            trace(9, "weights are listed as inputs, too", keep_initializers_as_inputs=True),
            dynamo(18, "weights are listed as inputs, too", keep_initializers_as_inputs=True),
        ),
    ),
    Case(
        "resnet_1x1", "ResNet", lambda: nets.ResNet(False), IMAGE,
        (
            trace(17, "view by x.size(0)", dynamic=True),
            dynamo(23, "the newest opset of the exporter", dynamic=True),
        ),
    ),
    Case(
        "resnet_padded", "ResNet", lambda: nets.ResNet(True), IMAGE,
        (
            trace(11, "option A: strided slices, and paddings computed by nodes"),
            dynamo(18, "option A: strided slices and a Pad", dynamic=True),
        ),
    ),
    Case(
        "resnet_half", "ResNet", lambda: nets.ResNet(False), IMAGE,
        (
            trace(17, "float16 weights and input", half=True),
            dynamo(18, "float16 weights and input", half=True),
        ),
        tolerance=0.02,
    ),
    Case(
        "mobilenet_v1", "MobileNetV1", nets.mobilenet_v1, IMAGE,
        (trace(12, "Clip with inputs"), dynamo(21, "adaptive pooling as ReduceMean")),
    ),
    Case(
        "mobilenet_v2", "MobileNetV2", nets.mobilenet_v2, IMAGE,
        (
            trace(9, "Clip with attributes"),
            dynamo(18, dynamic=True),
        ),
    ),
    Case(
        "mobilenet_v2_hardtanh", "MobileNetV2", lambda: nets.mobilenet_v2(nets.clamp_relu6), IMAGE,
        (trace(20, "Hardtanh(0, 6)"),),
    ),
    Case(
        "squeezenet", "SqueezeNet", nets.squeezenet, IMAGE,
        (trace(13, "Concat, MaxPool with ceil_mode"), dynamo(20, "Concat", dynamic=True)),
    ),
    Case(
        "densenet", "DenseNet", nets.densenet, SMALL,
        (
            trace(17, "BatchNorm and ReLU before convolutions, kept"),
            dynamo(20, "BatchNorm and ReLU before convolutions, kept"),
        ),
    ),
    Case(
        "unet_nearest", "U-Net", lambda: nets.UNet(nets.nearest), SMALL,
        (
            trace(9, "Upsample"),
            trace(11, "Resize, nearest"),
            dynamo(18, "Resize, nearest", dynamic=True),
        ),
    ),
    Case(
        "unet_transposed", "U-Net", lambda: nets.UNet(nets.transposed), SMALL,
        (trace(13, "ConvTranspose"), dynamo(20, "ConvTranspose")),
    ),
    Case(
        "audio_m5", "audio CNN", parts.AudioNet, ((1, 256),),
        (trace(11, "1-D, dense layer over an axis of 1 step, LogSoftmax"), dynamo(18)),
        notes="dense layer behind permute(0, 2, 1)",
    ),
    Case(
        "tcn", "TCN", parts.tcn, ((5, 20),),
        (trace(13, "padding on the left, x[:, :, -1] as Gather"), dynamo(20, "x[:, :, -1]")),
    ),
    Case(
        "ds_cnn", "DS-CNN", parts.ds_cnn, ((1, 25, 10),),
        (trace(13, "nodes without names", unnamed=True), dynamo(18)),
    ),
    Case(
        "mlp", "MLP", parts.mlp, ((20,),),
        (trace(9, dynamic=True), dynamo(23, "the newest opset of the exporter")),
    ),
    Case(
        "mlp_batchnorm", "MLP", lambda: parts.mlp(True), ((20,),),
        (
            trace(18, "BatchNorm behind Gemm, kept"),
            dynamo(20, "BatchNorm kept, dynamic batch", optimize=False, dynamic=True),
        ),
    ),
    Case(
        "autoencoder", "autoencoder", parts.autoencoder, ((1, 6, 4),),
        (trace(15), dynamo(21, dynamic=True)),
    ),
    Case(
        "autoencoder_conv", "autoencoder", parts.convolutional_autoencoder, ((1, 12, 12),),
        (trace(11, "ConvTranspose with output_padding"), dynamo(20, "ConvTranspose")),
    ),
    Case(
        "uint8_image", "CNN", parts.Normalized, IMAGE,
        (
            trace(13, dynamic=True),
            dynamo(20),
        ),
        integers="uint8",
        notes="(x.float() / 255 − mean) / std is part of the network",
    ),
    Case(
        "two_heads", "ResNet", parts.TwoHeads, IMAGE,
        (trace(17, "two outputs", dynamic=True), dynamo(18, "two outputs")),
    ),
    Case(
        "siamese", "siamese CNN", parts.Siamese, ((1, 12, 12), (1, 12, 12)),
        (trace(17, dynamic=True), dynamo(20)),
        notes="two inputs, one encoder used twice",
    ),
    Case(
        "repeated", "CNN", parts.Repeated, ((3, 12, 12),),
        (trace(18, "clamp(min=0) as Clip"), dynamo(20, "clamp(min=0) as Max")),
        notes="one convolution used three times",
    ),
    Case(
        "shufflenet", "ShuffleNet", parts.Shuffle, IMAGE,
        (trace(13, "sizes computed by nodes", do_constant_folding=False), dynamo(18, "Split")),
        notes="channels shuffled by Reshape and Transpose",
    ),
    Case(
        "inception", "Inception", parts.Inception, IMAGE,
        (trace(12), dynamo(20)),
        notes="branches of unlike depth, a padded max pool of stride 1",
    ),
    Case(
        "super_resolution", "ESPCN", parts.super_resolution, ((1, 8, 8),),
        (trace(9, "pixel_shuffle as Reshape and Transpose"), trace(13), dynamo(18)),
        notes="pixel_shuffle",
    ),
    Case(
        "darknet_leaky", "Darknet", lambda: parts.darknet(nn.LeakyReLU(0.1)), ((3, 6, 6),),
        (trace(11, "LeakyRelu"), dynamo(20, "LeakyRelu")),
    ),
    Case(
        "darknet_prelu", "Darknet", lambda: parts.darknet(nn.PReLU(1)), ((3, 6, 6),),
        (trace(16, "one slope, shared by way of Identity"), dynamo(18, "one slope")),
    ),
    Case(
        "classifier_argmax", "LeNet", parts.Classifier, GRAY,
        (trace(13, "ArgMax at the end"), dynamo(18, "ArgMax at the end")),
    ),
    Case(
        "dilated", "CNN", parts.Dilated, ((3, 12, 12),),
        (trace(11, "ZeroPad2d by nodes"), dynamo(20, "ZeroPad2d folded")),
        notes="dilation, uneven stride and padding, a global max at the end",
    ),
    Case(
        "reflecting", "CNN", refused.reflecting, SMALL,
        (trace(11), dynamo(20)),
        notes="Pad by reflection",
    ),
    Case(
        "gelu_approximated", "MLP", refused.gelu_mlp, ((8,),),
        (trace(13, "GELU by Erf"), dynamo(20, "GELU")),
        tolerance=0.05, approximate=True,
    ),
    Case(
        "silu_approximated", "CNN", refused.silu_cnn, IMAGE,
        (trace(14, "x·sigmoid(x)"), dynamo(18, "x·sigmoid(x)")),
        tolerance=0.05, approximate=True,
    ),
    Case(
        "maxout", "MLP", refused.Maxout, ((8,),),
        (trace(13), dynamo(20)),
        notes="the larger of two values",
    ),
)  # fmt: skip

REFUSED = (
    Case("lstm", "recurrent", lambda: refused.Recurrent(nn.LSTM), ((7, 5),),
         (trace(14), dynamo(20)), refused="SNN003"),
    Case("gru", "recurrent", lambda: refused.Recurrent(nn.GRU), ((7, 5),),
         (dynamo(18),), refused="SNN003"),
    Case("attention", "transformer", refused.Attention, ((5, 6),),
         (trace(17), dynamo(20)), refused="SNN004"),
    Case("squeeze_excite", "SENet", lambda: refused.SqueezeExcite(nn.Sigmoid()), IMAGE,
         (trace(13), dynamo(18)), refused="SNN003", notes="a gate by Sigmoid"),
    Case("squeeze_excite_hard", "SENet", lambda: refused.SqueezeExcite(nn.Hardsigmoid()), IMAGE,
         (trace(14),), refused="SNN004", notes="a gate multiplies two values"),
    Case("groupnorm", "CNN", lambda: refused.normalized(nn.GroupNorm(2, 8)), SMALL,
         (trace(13), dynamo(21)), refused="SNN003"),
    Case("instancenorm", "CNN", lambda: refused.normalized(nn.InstanceNorm2d(8, affine=True)),
         SMALL, (trace(11),), refused="SNN003"),
    Case("layernorm", "MLP", refused.layer_normalized, ((8,),),
         (trace(13, "written out"), dynamo(20)), refused="SNN003"),
    Case("conv3d", "video CNN", refused.video, ((1, 4, 8, 8),),
         (trace(11), dynamo(20)), refused="SNN004"),
    Case("dynamic_size", "CNN", refused.fully_convolutional, SMALL,
         (trace(13, sizes=True), dynamo(20, sizes=True)), refused="SNN005",
         notes="any height and width"),
    Case("gelu", "MLP", refused.gelu_mlp, ((8,),),
         (trace(13, "by Erf"), dynamo(20, "Gelu")), refused="SNN003"),
    Case("silu", "CNN", refused.silu_cnn, IMAGE,
         (trace(13),), refused="SNN003", notes="x·sigmoid(x)"),
    Case("bilinear", "CNN", refused.bilinear, SMALL,
         (trace(11), dynamo(18)), refused="SNN004", notes="Resize, linear"),
    Case("no_neurons", "CNN", refused.linear_network, IMAGE,
         (trace(13),), refused="SNN006", notes="no activation at all"),
    Case("embedding", "text", refused.Embedded, ((6,),),
         (trace(13),), integers="int64", refused="SNN004", notes="Gather of rows by the input"),
    Case("name_twice", "CNN", parts.Normalized, IMAGE,
         (dynamo(20, optimize=False),), integers="uint8", refused="SNN002",
         notes="the exporter names a value as the buffer `mean`; onnxruntime refuses it, too"),
)  # fmt: skip

CASES = (*TAKEN, *REFUSED)
