"""Backends: the protocol that each implements, their registry, and the bundle that they fill."""

from snncc_backends.batches import batches
from snncc_backends.bundle import BundleFolder, check_place, to_json, write_bundle, write_folder
from snncc_backends.draft import draft, projected, synapses
from snncc_backends.early_exit import EarlyExit, exit_rule, margin_unit, margins
from snncc_backends.event_window import EventWindow, clipped
from snncc_backends.image_format import ImageFormat
from snncc_backends.listing import syntax_error, wrong_text
from snncc_backends.native import Part, build, parts, run_parts
from snncc_backends.options import Described, Option, options_of
from snncc_backends.oracle import OracleRunner
from snncc_backends.preprocess import Preprocessing
from snncc_backends.preview import ABOUT, AT_LEAST, EXACT, Figure, Preview
from snncc_backends.protocol import (
    INTERFACE,
    Backend,
    Estimate,
    Execution,
    Rule,
    Runner,
    checked_steps,
)
from snncc_backends.registry import backend, image_formats, targets
from snncc_backends.rules import wrong_code
from snncc_backends.section import Cell, Column, Section
from snncc_backends.settings import RadixSettings, RateSettings, Settings, TtfsSettings

__all__ = [
    "ABOUT", "AT_LEAST", "EXACT", "INTERFACE", "Backend", "BundleFolder", "Cell", "Column",
    "Described", "EarlyExit", "Estimate", "EventWindow", "Execution", "Figure", "ImageFormat",
    "Option", "OracleRunner", "Part", "Preprocessing", "Preview", "RadixSettings", "RateSettings",
    "Rule", "Runner", "Section", "Settings", "TtfsSettings", "backend", "batches", "build",
    "check_place", "checked_steps", "clipped", "draft", "exit_rule", "image_formats",
    "margin_unit", "margins", "options_of", "parts", "projected", "run_parts", "synapses",
    "syntax_error", "targets", "to_json", "write_bundle", "write_folder", "wrong_code",
    "wrong_text",
]  # fmt: skip
