"""What to do about an operator that is not supported: the closest form, and how to get it."""

_ASK = "give --approximate (compile, inspect, sweep; approximate=True in Python), or "
_SEQUENCE = (
    "use a 1-D convolution over a window of time; only feed-forward networks can be converted"
)
_NORMALIZATION = (
    "train with BatchNormalization, which folds into weights; this one divides by what each sample "
    "holds"
)
_COMPARISON = "use ReLU, Clip or max pooling; neurons compare only with their threshold"
_STATIC = "quantize statically: quantize_static with QuantFormat.QDQ"
_CURVE = "use ReLU, or an activation that --approximate takes; neurons are piecewise linear"
_CHOICE = "export the scores before it; which numbers are taken must not depend on the data"
_ATTENTION = "use convolutions or dense layers; attention multiplies values of the network"

HINTS: dict[str, str] = {
    "ArgMax": "export the logits; snncc reads the largest by itself",
    "ArgMin": "export the logits, negated; snncc reads the largest by itself",
    "Attention": _ATTENTION,
    "Celu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "CumSum": "write it as a MatMul with a constant triangle of ones",
    "DeformConv": "use a dilated convolution; its places must not depend on the data",
    "DynamicQuantizeMatMul": _STATIC,
    "Einsum": "write it as MatMul with a constant weight, or as a 1×1 convolution",
    "Elu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "Equal": _COMPARISON,
    "Erf": _ASK + "replace it by ReLU and fine-tune; this is a GELU that was taken apart",
    "Exp": _CURVE,
    "FloatQuant": "quantize to integers: IntQuant, or FixedPoint quantizers of Brevitas",
    "GRU": _SEQUENCE,
    "GatherElements": "take whole channels or rows with Gather or Slice",
    "GatherND": "take whole channels or rows with Gather or Slice",
    "Gelu": _ASK + "replace it by ReLU and fine-tune",
    "GlobalLpPool": "use GlobalAveragePool or GlobalMaxPool",
    "Greater": _COMPARISON,
    "GridSample": "use Resize by nearest neighbors; its places must not depend on the data",
    "GroupNormalization": _NORMALIZATION,
    "HardSwish": _ASK + "replace it by ReLU6 and fine-tune",
    "Hardmax": "export the logits; snncc reads the largest by itself",
    "If": "export one branch: with fixed inputs, and torch.jit.trace in place of script",
    "InstanceNormalization": _NORMALIZATION,
    "LRN": "leave it out and fine-tune, or " + _NORMALIZATION,
    "LSTM": _SEQUENCE,
    "LayerNormalization": _NORMALIZATION,
    "Less": _COMPARISON,
    "Log": _CURVE,
    "Loop": "export it unrolled: torch.jit.trace in place of script, or a fixed number of steps",
    "LpNormalization": _NORMALIZATION,
    "LpPool": "use average or max pooling; with p=1 behind a ReLU it is an average times the taps",
    "MatMulIntegerToFloat": _STATIC,
    "MaxUnpool": "use Resize by nearest neighbors, or ConvTranspose",
    "MeanVarianceNormalization": _NORMALIZATION,
    "Mish": _ASK + "replace it by ReLU and fine-tune",
    "Mod": "leave arithmetic on integers out of the network",
    "MultiThreshold": "export before streamlining: brevitas.export.export_qonnx",
    "NonMaxSuppression": _CHOICE,
    "OneHot": "encode before the network, and give it the encoded input",
    "Pow": _CURVE + "; a square is no such activation",
    "RMSNormalization": _NORMALIZATION,
    "RNN": _SEQUENCE,
    "Reciprocal": _CURVE,
    "ReduceL1": "write it as ReduceSum of Abs; behind a ReLU it is ReduceSum",
    "ReduceL2": "use ReduceMean, ReduceSum or ReduceMax",
    "ReduceLogSum": "use ReduceMean, ReduceSum or ReduceMax",
    "ReduceLogSumExp": "use ReduceMax, which is close to it",
    "ReduceProd": "use ReduceSum; neurons add",
    "ReduceSumSquare": "use ReduceMean, ReduceSum or ReduceMax",
    "RoiAlign": _CHOICE,
    "Scan": "export it unrolled, with a fixed number of steps",
    "ScatterElements": _CHOICE,
    "ScatterND": _CHOICE,
    "Selu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "Shape": "export with fixed sizes, so that shapes are constants",
    "Shrink": "use ReLU, or the difference of two ReLUs, which do not jump",
    "Sigmoid": _ASK + "replace it by HardSigmoid, which is exact; at the end, export the logits",
    "Sign": _COMPARISON,
    "Softplus": _ASK + "replace it by ReLU and fine-tune",
    "Softsign": "replace it by Tanh with --approximate, or by Clip from −1 to 1, which is exact",
    "Sqrt": _CURVE,
    "Swish": _ASK + "replace it by ReLU and fine-tune",
    "Tan": _CURVE,
    "Tanh": _ASK + "replace it by Clip from −1 to 1 (Hardtanh), which is exact, and fine-tune",
    "ThresholdedRelu": "use ReLU with the threshold as negative bias, which does not jump",
    "TopK": _CHOICE,
    "Where": _COMPARISON,
}
