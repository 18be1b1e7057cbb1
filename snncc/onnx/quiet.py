"""Other libraries' own words about a model are not the user's: snncc says what it finds itself."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock

_TALKATIVE = ("onnx_ir", "onnxscript")
_ONE_AT_A_TIME = RLock()
"""Warnings and logging are the whole program's: two threads would put back each other's silence."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without deprecations inside the libraries, and what they log of odd graphs."""
    with _ONE_AT_A_TIME, ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        yield
