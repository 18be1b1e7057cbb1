"""Seconds an image of a network that spikingjelly or sinabs has converted, one thread.

    PYTHON benchmarks/peer_worker.py spikingjelly|sinabs MODEL CALIB TEST --steps 32 -n 94

Runs in an environment with torch, onnx and the tool, for any ONNX file that peers_networks.py
takes: max pools stay what the tool makes of them. The batch is the fastest of some, tried with few
steps. Prints one line: `T=… accuracy … seconds/image … batch …`. spikingjelly: RateCodingRecipe
at 99.9 %; sinabs: from_model with its default, several spikes a step.
"""

import argparse
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import onnx
import torch
from torch import nn

from benchmarks.peers_networks import Network

BATCHES = (1, 8, 20, 47, 94)
TRIAL_STEPS = 4

Run = Callable[[torch.Tensor, int], torch.Tensor]


def read(path: str, mean: list[float], std: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as the network takes them (N, C, H, W) and their classes (N,)."""
    with np.load(path) as data:
        x, y = data["x"], data["y"].reshape(-1)
    x = x[..., None] if x.ndim == 3 else x
    normal = ((x / 255.0 - np.array(mean)) / np.array(std)).transpose(0, 3, 1, 2)
    return torch.from_numpy(normal.astype(np.float32)), torch.from_numpy(y.astype(np.int64))


def spikingjelly(net: Network, calibration: torch.Tensor) -> Run:
    """Step by step, as its networks run."""
    from spikingjelly.activation_based import ann2snn, functional

    batches = [(batch, None) for batch in torch.split(calibration, 128)]
    recipe = ann2snn.RateCodingRecipe(batches, mode="99.9%")
    spiking = ann2snn.Converter(recipe).convert(net).eval()

    def run(images: torch.Tensor, steps: int) -> torch.Tensor:
        functional.reset_net(spiking)
        return torch.stack([spiking(images) for _ in range(steps)]).sum(0)

    return run


def sinabs(net: Network, calibration: torch.Tensor) -> Run:
    """All steps of a layer at once, as its networks run; they need no calibration."""
    from sinabs.from_torch import from_model

    @cache
    def converted(steps: int) -> nn.Module:
        made = from_model(net, input_shape=net.shape, num_timesteps=steps)
        spiking: nn.Module = made.spiking_model
        return spiking.eval()

    def run(images: torch.Tensor, steps: int) -> torch.Tensor:
        for layer in converted(steps).modules():
            if callable(reset := getattr(layer, "reset_states", None)):
                reset()
        outputs: torch.Tensor = converted(steps)(images.repeat_interleave(steps, 0))
        return outputs.reshape(len(images), steps, -1).sum(1)

    return run


TOOLS = {"spikingjelly": spikingjelly, "sinabs": sinabs}


def seconds(run: Run, images: torch.Tensor, steps: int) -> float:
    start = time.perf_counter()
    run(images, steps)
    return time.perf_counter() - start


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("model")
    parser.add_argument("calib")
    parser.add_argument("test")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("-n", type=int, help="images, from the first; default all")
    parser.add_argument("--batch", type=int, help="default: the fastest of some")
    parser.add_argument("--mean", type=numbers, default=[0.0])
    parser.add_argument("--std", type=numbers, default=[1.0])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    calibration, _ = read(arguments.calib, arguments.mean, arguments.std)
    x, y = read(arguments.test, arguments.mean, arguments.std)
    x, y = x[: arguments.n], y[: arguments.n]
    run = TOOLS[arguments.tool](Network(onnx.load(arguments.model)), calibration)
    seconds(run, x[:1], 1)  # what is set up once
    batch = arguments.batch
    if batch is None:
        sizes = [size for size in BATCHES if size <= len(x)]
        batch = min(sizes, key=lambda size: seconds(run, x[:size], TRIAL_STEPS) / size)
    start = time.perf_counter()
    outputs = torch.cat([run(part, arguments.steps) for part in torch.split(x, batch)])
    elapsed = (time.perf_counter() - start) / len(x)
    accuracy = float((outputs.argmax(1) == y).float().mean())
    print(
        f"T={arguments.steps} accuracy {accuracy:.4f} seconds/image {elapsed:.6f} batch {batch}",
        flush=True,
    )


if __name__ == "__main__":
    main()
