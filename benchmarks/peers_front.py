"""Accuracy, spikes and synaptic operations, step by step, of networks that other tools convert.

    python -m benchmarks.peers_front MODEL.onnx CALIB.npz TEST.npz --tool spikingjelly|sinabs \\
        --options OPTIONS... --steps 4 8 16 --output FRONT.csv [--mean … --std …]

Runs in an environment with torch, onnx and the tool (measured with spikingjelly 2.0.0 and sinabs
3.1.3). Data: uint8 images `x`, N×H×W or N×H×W×C, and classes `y`; the network takes (x/255 − mean)
/std, channels first. Rows of FRONT.csv with the same tool, network and options are replaced, others
stay. Options are words joined with "+":

    spikingjelly   99.9% or max, the mode of RateCodingRecipe; then channel (a threshold for each
                   channel), half (start at half of it), prepool (max pools before the neurons);
                   or balanced: LocalThresholdBalancingRecipe
    sinabs         multi (its default: several spikes a step) or single

A synaptic operation is one weight added because of one spike: a spike has its true fan-out, borders
included; a residual addition is one; n spikes in one step are n. Max pools compare and add no
weight; what they let through counts where it arrives. Average pools are part of the weights behind
them. The operations of the analog input stand in a column of their own and are counted once an
image, as for a chip that keeps the current; the tools compute it again in each step.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from benchmarks.peers_networks import FanOut, Network, fan_outs

BATCH = 94
IMAGES_X_STEPS = 640  # bounds the memory of sinabs, which computes all steps of a layer at once

# Of images: after each step the outputs of this step, and what each layer of neurons sent in it.
Steps = Iterator[tuple[torch.Tensor, list[torch.Tensor]]]


@dataclass(frozen=True)
class Converted:
    """A network that a tool has converted: how to run a batch, and how many images are one."""

    run: Callable[[torch.Tensor], Steps]
    batch: int


@dataclass(frozen=True)
class Row:
    """One line of the CSV. Accuracy and agreement are shares; the rest are means an image."""

    tool: str
    network: str
    options: str
    steps: int
    accuracy: float
    agreement_with_float: float
    spikes: float
    operations: float
    first_layer_operations: float


class Recorder:
    """Collects what the neurons of a converted network send, in the order in which they run."""

    def __init__(self, network: nn.Module, kind: type[nn.Module]) -> None:
        self.sent: list[torch.Tensor] = []
        for layer in network.modules():
            if isinstance(layer, kind):
                layer.register_forward_hook(self._keep)

    def _keep(self, layer: nn.Module, arguments: object, sent: torch.Tensor) -> None:
        self.sent.append(sent)

    def take(self) -> list[torch.Tensor]:
        sent, self.sent = self.sent, []
        return sent


def spikingjelly(net: Network, options: str, calibration: torch.Tensor, steps: int) -> Converted:
    """Converts with one of spikingjelly's recipes; runs step by step."""
    from spikingjelly.activation_based import ann2snn, neuron
    from spikingjelly.activation_based import functional as states

    batches = [(batch, None) for batch in torch.split(calibration, 128)]
    mode, *words = options.split("+")
    if unknown := set(words) - {"channel", "half", "prepool"}:
        raise SystemExit(f"options of spikingjelly are channel, half, prepool, not {unknown}")
    if mode == "balanced":
        recipe = ann2snn.LocalThresholdBalancingRecipe(batches)
    else:
        recipe = ann2snn.RateCodingRecipe(
            batches,
            mode=mode,
            channel_wise="channel" in words,
            half_threshold="half" in words,
            pre_spike_maxpool="prepool" in words,
        )
    spiking: nn.Module = ann2snn.Converter(recipe).convert(net).eval()
    recorder = Recorder(spiking, neuron.BaseNode)

    def run(images: torch.Tensor) -> Steps:
        states.reset_net(spiking)
        for _ in range(steps):
            yield spiking(images), recorder.take()

    return Converted(run, BATCH)


def sinabs(net: Network, options: str, calibration: torch.Tensor, steps: int) -> Converted:
    """Converts with sinabs' from_model, which needs no calibration; runs layer by layer."""
    from sinabs.activation import MultiSpike, SingleSpike
    from sinabs.from_torch import from_model
    from sinabs.layers import IAFSqueeze

    kinds = {"multi": MultiSpike, "single": SingleSpike}
    if options not in kinds:
        raise SystemExit(f"options of sinabs are multi or single, not {options}")
    spiking: nn.Module = from_model(
        net, spike_fn=kinds[options], num_timesteps=steps
    ).spiking_model.eval()
    recorder = Recorder(spiking, IAFSqueeze)

    def run(images: torch.Tensor) -> Steps:
        for layer in spiking.modules():
            if isinstance(layer, IAFSqueeze):
                layer.reset_states()
        count = len(images)
        outputs = spiking(images.repeat_interleave(steps, 0)).reshape(count, steps, -1)
        sent = [s.reshape(count, steps, *s.shape[1:]) for s in recorder.take()]
        for step in range(steps):
            yield outputs[:, step], [s[:, step] for s in sent]

    return Converted(run, max(1, IMAGES_X_STEPS // steps))


TOOLS = {"spikingjelly": spikingjelly, "sinabs": sinabs}


@dataclass
class Tally:
    """Sums over all images, each after the steps of interest: arrays of one number a step."""

    right: torch.Tensor
    same: torch.Tensor
    spikes: torch.Tensor
    operations: torch.Tensor

    @classmethod
    def zeros(cls, count: int) -> "Tally":
        return cls(*(torch.zeros(count, dtype=torch.float64) for _ in range(4)))


def measure(
    converted: Converted,
    layers: list[FanOut],
    images: torch.Tensor,
    truth: torch.Tensor,
    reference: torch.Tensor,
    steps: list[int],
) -> Tally:
    """Runs all images; truth and reference are classes (N,): labels, and the float network's."""
    tally = Tally.zeros(len(steps))
    for batch in torch.split(torch.arange(len(images)), converted.batch):
        total: torch.Tensor | float = 0.0
        spikes = operations = 0.0
        for step, (outputs, sent) in enumerate(converted.run(images[batch]), 1):
            if len(sent) != len(layers):
                raise SystemExit(f"{len(sent)} layers of neurons ran, should be {len(layers)}")
            if any(not torch.equal(s, s.round()) for s in sent):
                raise SystemExit("what neurons send should be whole numbers")
            total = total + outputs
            spikes += sum(float(s.double().sum()) for s in sent)
            operations += sum(
                float(layer.operations(s).sum()) for layer, s in zip(layers, sent, strict=True)
            )
            if step in steps:
                at, classes = steps.index(step), total.argmax(1)
                tally.right[at] += (classes == truth[batch]).sum()
                tally.same[at] += (classes == reference[batch]).sum()
                tally.spikes[at] += spikes
                tally.operations[at] += operations
    return tally


def read(path: Path, mean: list[float], std: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as the network takes them (N, C, H, W) and their classes (N,)."""
    with np.load(path) as data:
        x, y = data["x"], data["y"].reshape(-1)
    x = x[..., None] if x.ndim == 3 else x
    normal = ((x / 255.0 - np.array(mean)) / np.array(std)).transpose(0, 3, 1, 2)
    return torch.from_numpy(normal.astype(np.float32)), torch.from_numpy(y.astype(np.int64))


def check(model: onnx.ModelProto, net: Network, images: torch.Tensor) -> None:
    """Ends the program unless the torch network computes what the ONNX graph does."""
    (expected,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: images.numpy()})
    if not np.allclose(net(images).detach().numpy(), expected, rtol=1e-3, atol=1e-3):
        raise SystemExit("the torch network does not compute what the ONNX graph does")


def write(path: Path, rows: list[Row]) -> None:
    """Replaces the rows of the same tool, network and options, and keeps the others."""
    names = [field.name for field in fields(Row)]
    kept: list[dict[str, str]] = []
    new = {(row.tool, row.network, row.options) for row in rows}
    if path.exists():
        with path.open(newline="") as file:
            for old in csv.DictReader(file):
                if (old["tool"], old["network"], old["options"]) not in new:
                    kept.append(old)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        writer.writerows(asdict(row) for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path)
    parser.add_argument("calib", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--tool", choices=sorted(TOOLS), required=True)
    parser.add_argument("--options", nargs="+", required=True)
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 8, 16, 32])
    parser.add_argument("--mean", type=float, nargs="+", default=[0.0])
    parser.add_argument("--std", type=float, nargs="+", default=[1.0])
    parser.add_argument("-n", type=int, help="images, from the first; default all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    model = onnx.load(arguments.model)
    calibration, _ = read(arguments.calib, arguments.mean, arguments.std)
    images, truth = read(arguments.test, arguments.mean, arguments.std)
    images, truth = images[: arguments.n], truth[: arguments.n]
    net = Network(model)
    check(model, net, images[:2])
    reference = torch.cat([net(part).argmax(1) for part in torch.split(images, BATCH)])
    count = len(images)
    print(f"float accuracy {float((reference == truth).sum()) / count:.4f} of {count}", flush=True)
    analog, layers = fan_outs(net)
    first = float(analog.operations((images != 0).float()).sum()) / count
    for options in arguments.options:
        converted = TOOLS[arguments.tool](
            Network(model), options, calibration, max(arguments.steps)
        )
        found = measure(converted, layers, images, truth, reference, arguments.steps)
        rows = [
            Row(
                arguments.tool,
                arguments.model.stem,
                options,
                steps,
                float(found.right[at]) / count,
                float(found.same[at]) / count,
                float(found.spikes[at]) / count,
                float(found.operations[at]) / count,
                first,
            )
            for at, steps in enumerate(arguments.steps)
        ]
        write(arguments.output, rows)
        for row in rows:
            print(
                f"{row.tool} {row.options} T={row.steps}: accuracy {100 * row.accuracy:.2f}, "
                f"agreement {100 * row.agreement_with_float:.2f}, {row.spikes:.0f} spikes, "
                f"{row.operations:.0f} operations",
                flush=True,
            )


if __name__ == "__main__":
    main()
