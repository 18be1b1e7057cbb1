"""The op set and the neuron models, for those who walk graphs: see `snncc_ir.ops`."""

from snncc_ir.ops import *  # noqa: F403
from snncc_ir.ops import __all__ as __all__
