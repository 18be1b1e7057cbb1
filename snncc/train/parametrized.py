"""Weights that are parametrized (`torch.nn.utils.parametrize`), and by what."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrize import ParametrizationList


def chain_of(layer: nn.Module, name: str = "weight") -> ParametrizationList | None:
    """What makes a layer's tensor of the one that is stored (`original`), in order."""
    if not parametrize.is_parametrized(layer, name):
        return None
    found = layer.get_submodule(f"parametrizations.{name}")
    return found if isinstance(found, ParametrizationList) else None


def original(chain: ParametrizationList) -> Tensor:
    """The tensor that is stored, and trained."""
    stored: Tensor = chain.get_parameter("original")
    return stored


@torch.no_grad()
def before_last(chain: ParametrizationList) -> Tensor:
    """What the last part of the chain is given."""
    tensor = original(chain)
    for part in list(chain)[:-1]:
        tensor = part(tensor)
    return tensor


@torch.no_grad()
def make_plain(layer: nn.Module) -> None:
    """Gives a layer what its parametrizations make as its own parameters.

    Not by PyTorch's `remove_parametrizations`, which changes the class of the layer, and so any
    layer that this one is a copy of.
    """
    if not parametrize.is_parametrized(layer):
        return
    names = [name for name, _ in layer.get_submodule("parametrizations").named_children()]
    given = {name: getattr(layer, name).detach().clone() for name in names}
    layer.__class__ = parametrize.type_before_parametrizations(layer)
    del layer.parametrizations
    for name, tensor in given.items():
        layer.register_parameter(name, nn.Parameter(tensor))
