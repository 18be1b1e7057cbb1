"""Writes tests/corpus/torch_trace and tests/corpus/torch_dynamo, the files of PyTorch's exporters.

    python -m tests.corpus.make_torch [OUT]

Run by hand, with torch and onnxscript installed; OUT is tests/corpus unless given. Weights are
random, seeded by the network's name. Files are as the exporters write them, but for the folders of
source files in their metadata, which are those of the machine that they were made on.
"""

import json
import logging
import re
import sys
import warnings
import zlib
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from tests.corpus.torch_case import Case, Export
from tests.corpus.torch_cases import CASES

TARGETS = ("c", "ttfs28", "loihi")
WORDS = 30


def inputs(case: Case, count: int) -> tuple[Tensor, ...]:
    """So many samples: normal noise, or integers."""
    shapes = [(count, *shape) for shape in case.inputs]
    if case.integers:
        kind = torch.uint8 if case.integers == "uint8" else torch.int64
        most = 256 if case.integers == "uint8" else WORDS
        return tuple(torch.randint(0, most, shape, dtype=kind) for shape in shapes)
    return tuple(torch.randn(shape) for shape in shapes)


def network(case: Case) -> nn.Module:
    """In eval mode, with weights that keep activations alive and moments of real activations."""
    torch.manual_seed(zlib.crc32(case.name.encode()))
    module = case.network()
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.uniform_(part.bias, -0.2, 0.2)
        elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.momentum = None  # moments of all that it sees, evenly
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
    with torch.no_grad():
        module.train()(*inputs(case, 64))
    return module.eval()


def export(case: Case, how: Export, path: Path) -> onnx.ModelProto:
    """Writes and reads back; its weights stay in a file of their own where that is asked for."""
    module = network(case)
    # a batch of 1 would be taken for a fixed size by torch.export
    samples = inputs(case, 2 if how.dynamic or how.sizes else 1)
    if how.half:
        module, samples = module.half(), tuple(sample.half() for sample in samples)
    names = [f"input{index}" for index in range(len(samples))] if len(samples) > 1 else ["input"]
    options: dict[str, object] = {
        "opset_version": how.opset, "dynamo": how.dynamo, "input_names": names,
        "external_data": False, **how.options,
    }  # fmt: skip
    axes = {0: "batch", **({2: "height", 3: "width"} if how.sizes else {})}
    if how.dynamic or how.sizes:
        if how.dynamo:
            named = {axis: torch.export.Dim(name) for axis, name in axes.items()}
            options["dynamic_shapes"] = [named for _ in samples]
        else:
            options["dynamic_axes"] = dict.fromkeys(names, axes)
    torch.onnx.export(module, samples, path, verbose=False, **options)  # type: ignore[arg-type]
    model = onnx.load(path, load_external_data=False)
    if how.unnamed:
        for node in model.graph.node:
            node.ClearField("name")
    return without_folders(model)


def without_folders(model: onnx.ModelProto) -> onnx.ModelProto:
    """Source files in stack traces are named as in their packages."""
    for node in [*model.graph.node, *(node for f in model.functions for node in f.node)]:
        for entry in node.metadata_props:
            entry.value = re.sub(r'File "[^"]*/(torch|tests)/', r'File "\1/', entry.value)
    return model


def described(case: Case, how: Export) -> dict[str, object]:
    """The entry in corpus.json."""
    taken = case.refused is None
    return {
        "architecture": case.architecture,
        "targets": dict.fromkeys(TARGETS, "ok") if taken else {},
        "refused": case.refused,
        "tolerance": case.tolerance,
        "approximate": case.approximate,
        "notes": ", ".join(note for note in (case.notes, how.notes) if note),
    }


def main(out: Path) -> None:
    warnings.simplefilter("ignore")  # of exporters, about themselves
    logging.disable(logging.WARNING)
    made_with = {name: version(name) for name in ("torch", "onnx", "onnxscript")}
    for exporter in ("torch_trace", "torch_dynamo"):
        folder = out / exporter
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.onnx*"):
            old.unlink()
        files = {}
        for case in CASES:
            for how in case.exports:
                if how.dynamo != (exporter == "torch_dynamo"):
                    continue
                name = f"{case.name}_opset{how.opset}"
                model = export(case, how, folder / f"{name}.onnx")
                (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
                files[name] = described(case, how)
        text = json.dumps({"made_with": made_with, "files": files}, indent=2, ensure_ascii=False)
        (folder / "corpus.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
