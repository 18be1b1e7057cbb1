"""The kit that every backend is held to, with both ways of writing weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from snncc.testing import BackendTests


class TestXbar(BackendTests):
    backend = "xbar"


class TestReferenceColumns(BackendTests):
    backend = "xbar"
    options: ClassVar[Mapping[str, object]] = MappingProxyType({"cells": "reference", "array": 64})
