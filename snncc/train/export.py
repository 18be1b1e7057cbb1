"""A trained network as an ONNX file that keeps what it was trained with.

Activations and logarithmic weights become functions of domain ai.snncc (`functions`), whose bodies
onnxruntime and other tools run as they are, and whose names and attributes snncc reads.
"""

import copy
import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from snncc.train.batchnorm import followed
from snncc.train.functions import DOMAIN, OPSET, VERSION, with_functions
from snncc.train.log_weights import LogWeights
from snncc.train.parametrized import before_last, chain_of, make_plain
from snncc_ir import Array, fail, why


def export(
    module: nn.Module,
    path: Path | str,
    example: Tensor,
    *,
    input_name: str = "input",
    output_name: str = "logits",
) -> None:
    """Writes `module` in evaluation mode as ONNX (opset 17), with a free batch axis.

    example: (N, …), a sample input; its numbers do not matter. BatchNormalization stays, for the
    compiler to fold. Other parametrizations of weights are written as what they give. The same
    module makes the same bytes. Raises ValueError for logarithmic weights with BatchNormalization
    behind, SNN050 when the file cannot be written.
    """
    plain = copy.deepcopy(module).cpu().eval()
    _refuse_taken_off(plain)
    grids = _without_parametrizations(plain)
    model = with_functions(
        _with_log_weights(_traced(plain, example, input_name, output_name), grids)
    )
    _write(model.SerializeToString(deterministic=True), Path(path))


def _refuse_taken_off(module: nn.Module) -> None:
    """Raises ValueError for logarithmic weights with BatchNormalization behind."""
    pairs: list[tuple[str, str]] = []
    with suppress(Exception):  # of a module that cannot be traced nothing is known
        pairs = followed(module)
    for layer, norm in pairs:
        if _grid(module.get_submodule(layer)) is not None:
            raise ValueError(
                f"'{layer}' has logarithmic weights and '{norm}' behind it, whose factors would "
                "take them off their grid; call fold_batchnorm before quantize_log_weights"
            )


def _grid(layer: nn.Module) -> LogWeights | None:
    chain = chain_of(layer)
    last = None if chain is None else list(chain)[-1]
    return last if isinstance(last, LogWeights) else None


def _without_parametrizations(module: nn.Module) -> dict[str, tuple[LogWeights, Array, Array]]:
    """Makes weights plain; by name of a weight: its grid, codes and exponents."""
    found = {}
    for name, layer in module.named_modules():
        grid, chain = _grid(layer), chain_of(layer)
        if grid is not None and chain is not None:
            key = f"{name}.weight" if name else "weight"
            found[key] = (grid, grid.codes(before_last(chain)).numpy(), grid.exponent.numpy())
    for layer in list(module.modules()):
        make_plain(layer)
    return found


def _traced(
    module: nn.Module, example: Tensor, input_name: str, output_name: str
) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own future
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (example.cpu(),),
            str(path),
            input_names=[input_name],
            output_names=[output_name],
            dynamic_axes={input_name: {0: "N"}, output_name: {0: "N"}},
            opset_version=OPSET,
            custom_opsets={DOMAIN: VERSION},
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
        return onnx.load(path)


def _with_log_weights(
    model: onnx.ModelProto, grids: dict[str, tuple[LogWeights, Array, Array]]
) -> onnx.ModelProto:
    """The model with codes and exponents in place of logarithmic weights."""
    kept, made = [], []
    for tensor in model.graph.initializer:
        if tensor.name not in grids:
            kept.append(tensor)
            continue
        grid, codes, exponent = grids[tensor.name]
        names = [f"{tensor.name}.code", f"{tensor.name}.exponent"]
        kept += [
            numpy_helper.from_array(a, n) for a, n in zip((codes, exponent), names, strict=True)
        ]
        fractions = torch.exp2(torch.arange(grid.resolution).double() / grid.resolution).float()
        made.append(
            helper.make_node(
                "Log2Weights",
                names,
                [tensor.name],
                f"{tensor.name}.log2",
                domain=DOMAIN,
                bits=grid.bits,
                resolution=grid.resolution,
                fractions=fractions.tolist(),
            )
        )
    nodes = [*made, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    return model


def _write(content: bytes, path: Path) -> None:
    """A whole file, or none."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".snncc-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise fail(
            "SNN050",
            f"the model cannot be written: {why(error)}",
            str(path),
            "another path, where you may write",
        ) from None
