"""Networks with average pools for the readers of NIR, trained on few images, written as ONNX.

    python -m benchmarks.referees.nir_networks MNIST.npz lenet lenet.onnx
    python -m benchmarks.referees.nir_networks CIFAR10.npz vgg vgg.onnx

LeNet-5 with ReLU, and six convolutions in three blocks as in VGG. The .npz has `x` (uint8,
N × H × W or N × H × W × 3) and `y`; a few hundred images do for spike counts to be compared, and no
more accuracy is to be expected of them. Needs torch and onnx.
"""

import argparse

import numpy as np
import torch
from torch import nn

BATCH = 64
SHIFT = 2


def lenet() -> nn.Module:
    """1 × 28 × 28."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def vgg() -> nn.Module:
    """3 × 32 × 32."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs in (16, 32, 64):
        for _ in range(2):
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10))


NETWORKS = {"lenet": lenet, "vgg": vgg}


def shifted(x: torch.Tensor, flip: bool) -> torch.Tensor:
    """Each batch moved by up to two pixels, and mirrored."""
    down, right = np.random.randint(-SHIFT, SHIFT + 1, 2).tolist()
    moved = torch.roll(x, (down, right), (2, 3))
    return moved.flip(3) if flip and np.random.rand() < 0.5 else moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("onnx")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()
    np.random.seed(0)
    torch.manual_seed(0)
    data = np.load(options.data)
    x = torch.tensor(data["x"].astype(np.float32) / 255)
    x = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
    y = torch.tensor(data["y"].astype(np.int64))
    model = NETWORKS[options.network]()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3, weight_decay=1e-4)
    updates = options.epochs * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=updates)
    for _ in range(options.epochs):
        order = torch.randperm(len(x))
        for part in order[: len(x) // BATCH * BATCH].split(BATCH):
            optimizer.zero_grad()
            batch = shifted(x[part], options.network == "vgg")
            nn.functional.cross_entropy(model(batch), y[part]).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    torch.onnx.export(model, (x[:1],), options.onnx, dynamo=False, input_names=["x"],
                      dynamic_axes={"x": {0: "N"}})  # fmt: skip
    found = model(x).argmax(1)
    print(f"{options.network}: {float((found == y).float().mean()):.4f} on its own images")


if __name__ == "__main__":
    main()
