"""How many cores snncc may use on this machine."""

import os

VARIABLE = "SNNCC_CORES"


def limit() -> int:
    """The number in $SNNCC_CORES; 0, which is no limit, without one."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text.isdecimal() else 0


def cores() -> int:
    """Processes that work at the same time: $SNNCC_CORES, or one for each core."""
    return limit() or os.cpu_count() or 1
