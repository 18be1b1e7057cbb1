"""Backends: the protocol that each implements, their registry, and the bundle that they fill."""

from snncc_backends.oracle import OracleRunner
from snncc_backends.preprocess import Preprocessing
from snncc_backends.protocol import Backend, Execution, Rule, Runner, Settings
from snncc_backends.registry import backend, targets

__all__ = [
    "Backend", "Execution", "OracleRunner", "Preprocessing", "Rule", "Runner", "Settings",
    "backend", "targets",
]  # fmt: skip
