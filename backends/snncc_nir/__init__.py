"""The `nir` target: the Neuromorphic Intermediate Representation, for other tools to run.

`rules` (what NIR can carry) → `maps` (weights as NIR's nodes) → `writer` (the graph and its bytes);
`simulator` reads the file again and runs NIR's equations, `runner` calls it; `library` is the one
place where the package `nir` (extra `snncc[nir]`) is looked for.
"""

from snncc_nir.backend import NirBackend

__all__ = ["NirBackend"]
