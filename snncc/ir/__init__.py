"""The IR's public names, under the compiler's own: see `snncc_ir`."""

from snncc_ir import *  # noqa: F403
from snncc_ir import __all__ as __all__
