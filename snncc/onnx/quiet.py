"""Other libraries' own words about a model are not the user's: snncc says what it finds itself."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_TALKATIVE = ("onnx_ir", "onnxscript")


@contextmanager
def quiet() -> Iterator[None]:
    """Without deprecations inside the libraries, and what they log of odd graphs."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        yield
