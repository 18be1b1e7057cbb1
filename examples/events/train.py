"""Trains the network of this example on accumulated event frames: numbers of events at each pixel.

    pip install "snncc[train]"
    python train.py

Writes events.onnx beside this file. The network has no biases, so that nothing happens where there
are no events, as DVS networks have it (Sorbaro et al. 2020). Seeded; the digits of test.npz are
none of those that it is trained on.
"""

from pathlib import Path

import numpy as np
import torch
from make import DIGITS, SENSOR, make_events
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).parent
SEED = 0
EPOCHS = 16
BATCH = 64
MOTIONS = 6
"""Ways in which each digit is moved."""


def network() -> nn.Sequential:
    """Two convolutions, two average pools, one dense layer."""
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * (SENSOR // 4) ** 2, 10, bias=False),
    )


def frames(events: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    """Numbers of OFF and ON events at each pixel: (N, 2, SENSOR, SENSOR)."""
    count = len(events["offsets"]) - 1
    sample = np.repeat(np.arange(count), np.diff(events["offsets"].astype(np.int64)))
    result = np.zeros((count, 2, SENSOR, SENSOR), np.float32)
    np.add.at(result, (sample, events["p"], events["y"], events["x"]), 1)
    return result


def main() -> None:
    """Trains, exports, prints the accuracy on digits that it was not trained on."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    digits = load_digits()
    with np.load(DIGITS / "test.npz") as file:
        held = file["x"].shape[0]
    # the split of ../digits
    images, _, classes, _ = train_test_split(
        digits.images.astype(np.uint8),
        digits.target,
        test_size=held,
        stratify=digits.target,
        random_state=SEED,
        shuffle=True,
    )
    x = torch.from_numpy(
        np.concatenate([frames(make_events(images, 10 + motion)) for motion in range(MOTIONS)])
    )
    y = torch.from_numpy(np.tile(classes, MOTIONS).astype(np.int64))
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()
    net.eval()
    torch.onnx.export(
        net,
        (x[:1],),
        str(HERE / "events.onnx"),
        input_names=["events"],
        output_names=["logits"],
        dynamic_axes={"events": {0: "N"}, "logits": {0: "N"}},
        opset_version=17,
        dynamo=False,
    )
    with np.load(HERE / "test.npz") as file, torch.no_grad():
        correct = net(torch.from_numpy(frames(dict(file)))).argmax(1).numpy() == file["labels"]
    print(f"accuracy in torch {correct.mean():.4f}")


if __name__ == "__main__":
    main()
