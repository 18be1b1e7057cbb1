"""The backend interface's public names, under the compiler's own: see `snncc_backends`."""

from snncc_backends import *  # noqa: F403
from snncc_backends import __all__ as __all__
