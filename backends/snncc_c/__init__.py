"""The `c` target: the network as a compiled simulator in C99.

runtime/ (real C: kernels, main) ← tables from `layout` (memory order) rendered by `emit`; `build`
compiles them, `runner` runs them; `backend` ties them together.
"""

from snncc_c.backend import CBackend

__all__ = ["CBackend"]
