"""tests/corpus/brevitas010: QONNX as older versions of Brevitas wrote it.

    python3.11 -m venv V && V/bin/pip install torch==2.13.0 brevitas==0.10.2 qonnx==1.0.0 \\
        onnx==1.21.0 onnxruntime==1.31.1 onnxscript==0.7.2 onnxoptimizer==0.4.2
    V/bin/python -W ignore -m tests.corpus.make_brevitas010

The domain is onnx.brevitas, weights are stored on their grid, Trunc has one scale, and average
pools before it are sums: AveragePool and Mul.
"""

import torch

from tests.corpus import brevitas_networks as nets
from tests.corpus.make_qonnx import Case, w1a4, w4a4, write
from tests.corpus.record import Entry

CASES = (
    Case("mlp_w4a4", nets.mlp, "", Entry("MLP", "domain onnx.brevitas"), (48,)),
    Case("cnn_w4a4", w4a4, "batch", Entry("VGG", "domain onnx.brevitas, dynamic batch")),
    Case("cnn_w1a4", w1a4, "", Entry("VGG", "BipolarQuant of domain onnx.brevitas")),
    Case("cnn_trunc", nets.trunc, "", Entry("VGG", "AveragePool, Mul, Trunc of five inputs")),
    Case("resnet_w4a4", nets.ResNet, "", Entry("ResNet", "domain onnx.brevitas, a residual")),
)

# Brevitas 0.10 calls it, and torch 2.13 has it no more; there are no names of axes to take away
GONE = "rename"

if __name__ == "__main__":
    if not hasattr(torch.Tensor, GONE):
        setattr(torch.Tensor, GONE, lambda tensor, names: tensor)
    write("brevitas010", CASES)
