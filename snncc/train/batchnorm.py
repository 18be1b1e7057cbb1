"""BatchNormalization folded into the layers before it, so that weights can be quantized."""

import torch
from torch import fx, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
LAYERS = (nn.Conv1d, nn.Conv2d, nn.Linear)


def fold_batchnorm(module: nn.Module) -> nn.Module:
    """Folds every BatchNorm that follows a convolution or linear layer into it; returns `module`.

    In place: layers get weights and biases, BatchNorm becomes `nn.Identity`. The result is what the
    network computed in evaluation mode, with running means. Weights are trained on from there.
    Raises ValueError for a layer whose weights are quantized already, or that is used twice.
    """
    for layer, norm in followed(module):
        before, after = module.get_submodule(layer), module.get_submodule(norm)
        if not isinstance(after, NORMS):
            raise AssertionError("it was found as one")
        if parametrize.is_parametrized(before):
            raise ValueError(
                f"'{layer}' has quantized weights, should have plain ones; fold before quantizing"
            )
        mode = before.training
        before.eval(), after.eval()
        made: nn.Module
        if isinstance(before, nn.Linear):
            made = fuse_linear_bn_eval(before, after)
        elif isinstance(before, nn.Conv1d | nn.Conv2d):
            made = fuse_conv_bn_eval(before, after)
        else:
            raise AssertionError("it was found as one of these")
        _put(module, layer, made.train(mode))
        _put(module, norm, nn.Identity())
    return module


def followed(module: nn.Module) -> list[tuple[str, str]]:
    """(name of a layer, name of the BatchNorm that alone reads it), in order.

    Raises ValueError for a layer of which that cannot be said.
    """
    traced = fx.symbolic_trace(module)
    calls = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    found = []
    for node in traced.graph.nodes:
        if node.op != "call_module" or not isinstance(_module(traced, node), NORMS):
            continue
        (source, *_) = node.all_input_nodes
        if source.op != "call_module" or not isinstance(_module(traced, source), LAYERS):
            continue
        layer, norm = str(source.target), str(node.target)
        if len(source.users) > 1 or calls.count(layer) > 1 or calls.count(norm) > 1:
            raise ValueError(
                f"'{layer}' is read by others than '{norm}', or one of both is used twice, so that "
                "they cannot become one layer"
            )
        found.append((layer, norm))
    return found


def _module(traced: fx.GraphModule, node: fx.Node) -> torch.nn.Module:
    return traced.get_submodule(str(node.target))


def _put(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, part)
