"""Trains the shipped example: a small CNN on scikit-learn's bundled digits (8×8, 0..16).

    pip install "snncc[train]"
    python train.py

Writes digits.onnx (BatchNormalization kept), calib.npz and test.npz beside this file. Seeded; test
samples are used for nothing but the printed accuracy.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).parent
SEED = 0
EPOCHS = 40
BATCH = 64
CALIBRATION, TEST = 256, 360

Images = NDArray[np.uint8]


def network() -> nn.Sequential:
    """Two convolutions with BatchNorm, one max pool, one average pool, one dense layer."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, bias=False),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(96, 10),
    )


def tensor(images: Images) -> torch.Tensor:
    """Images 0..16 as the network takes them: (N, 1, 8, 8), 0..1."""
    return torch.from_numpy(images[:, None].astype(np.float32) / 16)


def main() -> None:
    """Trains, exports, writes the data files, prints accuracies."""
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    digits = load_digits()
    images, classes = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    split = {"random_state": SEED, "shuffle": True}
    x, x_test, y, y_test = train_test_split(
        images, classes, test_size=TEST, stratify=classes, **split
    )
    _, x_calib, _, y_calib = train_test_split(x, y, test_size=CALIBRATION, stratify=y, **split)
    np.savez(HERE / "calib.npz", x=x_calib, y=y_calib)
    np.savez(HERE / "test.npz", x=x_test, y=y_test)

    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    inputs, targets = tensor(x), torch.from_numpy(y.astype(np.int64))
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(inputs[batch]), targets[batch]).backward()
            optimizer.step()
        schedule.step()
    net.eval()
    torch.onnx.export(
        net,
        (tensor(x_test[:1]),),
        str(HERE / "digits.onnx"),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
        opset_version=17,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        dynamo=False,
    )
    with torch.no_grad():
        correct = net(tensor(x_test)).argmax(1).numpy() == y_test
    print(f"accuracy in torch {correct.mean():.4f}")
    session = onnxruntime.InferenceSession(HERE / "digits.onnx")
    (logits,) = session.run(None, {"image": tensor(x_test).numpy()})
    print(f"accuracy in onnxruntime {(logits.argmax(1) == y_test).mean():.4f}")


if __name__ == "__main__":
    main()
