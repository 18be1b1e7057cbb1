"""The cheapest rung of a ladder that holds, with few trials."""

from collections.abc import Callable


def lowest(rungs: int, holds: Callable[[int], bool]) -> int | None:
    """The index of a rung that holds while those below do not; None when none is found.

    Bisection, so about log2(rungs) trials; each rung is tried once at most. Whether a rung holds is
    measured, so it need not be monotone: only rungs that were tried are ever answered, and below
    the answer two rungs have failed, not one that may have been unlucky.
    """
    known: dict[int, bool] = {}

    def tried(rung: int) -> bool:
        if rung not in known:
            known[rung] = holds(rung)
        return known[rung]

    low, high = -1, rungs
    while high - low > 1:
        middle = (low + high) // 2
        if tried(middle):
            high = middle
        else:
            low = middle
    if high == rungs:
        return None
    while True:
        below = next((rung for rung in (high - 1, high - 2) if rung >= 0 and tried(rung)), None)
        if below is None:
            return high
        high = below
