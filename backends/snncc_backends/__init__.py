"""Backends: the protocol that each implements, their registry, and the bundle that they fill."""

from snncc_backends.bundle import BundleFolder, check_place, to_json, write_bundle
from snncc_backends.oracle import OracleRunner
from snncc_backends.preprocess import Preprocessing
from snncc_backends.protocol import Backend, Execution, Rule, Runner, Settings, checked_steps
from snncc_backends.registry import backend, targets

__all__ = [
    "Backend", "BundleFolder", "Execution", "OracleRunner", "Preprocessing", "Rule", "Runner",
    "Settings", "backend", "check_place", "checked_steps", "targets", "to_json", "write_bundle",
]  # fmt: skip
