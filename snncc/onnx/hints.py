"""What to do about an operator that is not supported: the closest form, and how to get it."""

_ASK = "give --approximate (compile, inspect, sweep; approximate=True in Python), or "
_SEQUENCE = (
    "only feed-forward networks can be converted; a 1-D convolution over a window of time is one"
)
_NORMALIZATION = (
    "it divides by what each sample holds; train with BatchNormalization, which folds into weights"
)
_COMPARISON = "neurons compare only with their threshold; use ReLU, Clip or max pooling"
_STATIC = "quantize statically: quantize_static with QuantFormat.QDQ"
_CURVE = "neurons are piecewise linear; use ReLU, or an activation that --approximate takes"
_CHOICE = "which numbers are taken must not depend on the data; export the scores before it"
_ATTENTION = "attention multiplies values of the network; use convolutions or dense layers"

HINTS: dict[str, str] = {
    "ArgMax": "export the logits; snncc reads the largest by itself",
    "ArgMin": "export the logits, negated; snncc reads the largest by itself",
    "Attention": _ATTENTION,
    "Celu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "CumSum": "a sum over a triangle of ones is a MatMul with constant weights; write it as that",
    "DeformConv": "its places depend on the data; use a dilated convolution",
    "DynamicQuantizeMatMul": _STATIC,
    "Einsum": "write it as MatMul with a constant weight, or as a 1×1 convolution",
    "Elu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "Equal": _COMPARISON,
    "Erf": "this is a GELU that was taken apart; " + _ASK + "replace it by ReLU and fine-tune",
    "Exp": _CURVE,
    "FloatQuant": "quantize to integers: IntQuant, or FixedPoint quantizers of Brevitas",
    "GRU": _SEQUENCE,
    "GatherElements": "take whole channels or rows with Gather or Slice",
    "GatherND": "take whole channels or rows with Gather or Slice",
    "Gelu": _ASK + "replace it by ReLU and fine-tune",
    "GlobalLpPool": "use GlobalAveragePool or GlobalMaxPool",
    "Greater": _COMPARISON,
    "GridSample": "its places depend on the data; use Resize by nearest neighbors",
    "GroupNormalization": _NORMALIZATION,
    "HardSwish": _ASK + "replace it by ReLU6 and fine-tune",
    "Hardmax": "export the logits; snncc reads the largest by itself",
    "If": "export one branch: with fixed inputs, and torch.jit.trace in place of script",
    "InstanceNormalization": _NORMALIZATION,
    "LRN": _NORMALIZATION + ", or leave it out and fine-tune",
    "LSTM": _SEQUENCE,
    "LayerNormalization": _NORMALIZATION,
    "Less": _COMPARISON,
    "Log": _CURVE,
    "Loop": "export it unrolled: torch.jit.trace in place of script, or a fixed number of steps",
    "LpNormalization": _NORMALIZATION,
    "LpPool": "use average or max pooling; with p=1 behind a ReLU it is an average times the taps",
    "MatMulIntegerToFloat": _STATIC,
    "MaxUnpool": "its places depend on the data; use Resize by nearest neighbors, or ConvTranspose",
    "MeanVarianceNormalization": _NORMALIZATION,
    "Mish": _ASK + "replace it by ReLU and fine-tune",
    "Mod": "leave arithmetic on integers out of the network",
    "MultiThreshold": "export before streamlining: brevitas.export.export_qonnx",
    "NonMaxSuppression": _CHOICE,
    "OneHot": "encode before the network, and give it the encoded input",
    "Pow": _CURVE + "; a square is no such activation",
    "RMSNormalization": _NORMALIZATION,
    "RNN": _SEQUENCE,
    "Reciprocal": _CURVE + "; of a constant, it is computed at import",
    "ReduceL1": "behind a ReLU it is ReduceSum; else write it as ReduceSum of Abs",
    "ReduceL2": "use ReduceMean, ReduceSum or ReduceMax",
    "ReduceLogSum": "use ReduceMean, ReduceSum or ReduceMax",
    "ReduceLogSumExp": "use ReduceMax, which is close to it",
    "ReduceProd": "neurons add; use ReduceSum",
    "ReduceSumSquare": "use ReduceMean, ReduceSum or ReduceMax",
    "RoiAlign": _CHOICE,
    "Scan": "export it unrolled, with a fixed number of steps",
    "ScatterElements": _CHOICE,
    "ScatterND": _CHOICE,
    "Selu": _ASK + "replace it by ReLU or LeakyRelu, which is exact, and fine-tune",
    "Shape": "export with fixed sizes, so that shapes are constants",
    "Shrink": "it jumps; use ReLU, or the difference of two ReLUs",
    "Sigmoid": _ASK + "replace it by HardSigmoid, which is exact; at the end, export the logits",
    "Sign": _COMPARISON,
    "Softplus": _ASK + "replace it by ReLU and fine-tune",
    "Softsign": "replace it by Tanh with --approximate, or by Clip from −1 to 1, which is exact",
    "Sqrt": _CURVE,
    "Swish": _ASK + "replace it by ReLU and fine-tune",
    "Tan": _CURVE,
    "Tanh": _ASK + "replace it by Clip from −1 to 1 (Hardtanh), which is exact, and fine-tune",
    "ThresholdedRelu": "it jumps at its threshold; use ReLU with the threshold as negative bias",
    "TopK": _CHOICE,
    "Where": _COMPARISON,
}
