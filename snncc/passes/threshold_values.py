"""Few thresholds for a whole network, as chips have them: which values, with least loss.

All in integers, so that nothing depends on a processor's logarithm but for its first 16 bits.
"""

from collections.abc import Collection, Mapping

import numpy as np

from snncc_ir import Floats, Integers, fail

CLIPPED = 4
"""How much worse a value that is too small is than one that is too large, for `near`."""
NEVER = 1 << 60


def representable(values: Integers, bits: int, nearest: bool = False) -> Integers:
    """Positive integers as m·2^e with 0 < m < 2^bits: the next one below, or the nearest.

    bits: 0 for any integer.
    """
    if not bits:
        return values
    _, exponent = np.frexp(values.astype(np.float64))  # exact: values stay far below 2^53
    shift = np.maximum(exponent.astype(np.int64) - bits, 0)
    half = (np.int64(1) << shift) // 2 if nearest else np.int64(0)
    # 2^bits − ½ rounds up to 2^bits, which is 1·2^bits
    found: Integers = ((values + half) >> shift) << shift
    return found


def choose(
    down: Mapping[int, int],
    near: Mapping[int, int],
    most: int,
    fixed: Collection[int] = (),
) -> tuple[int, ...]:
    """At most `most` of all values given, `fixed` among them, ascending; least cost of all choices.

    down: positive values and their weights; each takes the largest chosen value that is not above
    it, which costs its weight times the octaves between. near: likewise, but a larger value will
    do as well, and a smaller one costs CLIPPED times as much. Raises SNN022 where `most` are not
    enough, because a value in `down` is below all of `fixed`.
    """
    values = np.array(sorted({*down, *near, *fixed}), np.int64)
    count = len(values)
    # in the fixed point of 2^-16 octaves, to which all processors agree
    octave = np.rint(np.log2(values) * (1 << 16)).astype(np.int64)
    weight = np.array([down.get(int(v), 0) for v in values], np.int64)
    weights = np.concatenate([[0], np.cumsum(weight)])
    weighted = np.concatenate([[0], np.cumsum(weight * octave)])
    # cost[i, j] of chosen neighbors i < j, for all in between; first[j] of all before the first,
    # and last[i] of all from the last one on
    span = weights[None, :] - weights[:-1, None]
    cost = (weighted[None, :] - weighted[:-1, None]) - span * octave[:, None]
    first = np.where(weights[:-1] > 0, NEVER, 0)
    for value, share in near.items():
        at = int(np.searchsorted(values, value))
        below = CLIPPED * share * (octave[at] - octave[: at + 1])
        above = share * (octave[at:] - octave[at])
        cost[: at + 1, at + 1 : count] += np.minimum(below[:, None], above[None, 1:])
        cost[: at + 1, count] += below
        first[at + 1 :] += above[1:]
    cost[np.tril_indices(count, 0, count + 1)] = NEVER
    for value in fixed:
        at = int(np.searchsorted(values, value))
        cost[:at, at + 1 :] = NEVER
        first[at + 1 :] = NEVER
    return tuple(int(values[i]) for i in _cheapest(first, cost, most))


def _cheapest(first: Integers, cost: Integers, most: int) -> list[int]:
    """The way from the first chosen value to the end, of at most `most` values."""
    best, ways = np.minimum(first, NEVER), []
    found: tuple[int, int, int] | None = None
    for used in range(1, most + 1):
        ends = np.minimum(best + cost[:, -1], NEVER)
        end = int(ends.argmin())
        if ends[end] < NEVER and (found is None or ends[end] < found[0]):
            found = int(ends[end]), used, end
        total = np.minimum(best[:, None] + cost[:, :-1], NEVER)
        ways.append(total.argmin(axis=0))
        best = total.min(axis=0)
    if found is None:
        raise fail(
            "SNN022",
            f"{most} thresholds are given, should be more for this network",
            hint="quantize-weights{thresholds=…}; 0 is any number",
        )
    _, used, at = found
    chosen = [at]
    for way in reversed(ways[: used - 1]):
        chosen.append(int(way[chosen[-1]]))
    return chosen[::-1]


def largest_below(values: Integers, chosen: Collection[int]) -> Integers:
    """Of each value the largest chosen one that is not above it; the least, where all are."""
    table = np.array(sorted(chosen), np.int64)
    at = np.searchsorted(table, values, side="right") - 1
    found: Integers = table[np.maximum(at, 0)]
    return found


def nearest_to(values: Integers, chosen: Collection[int]) -> Integers:
    """Of each value the chosen one that costs least, as `choose` counts for `near`."""
    table = np.array(sorted(chosen), np.int64)
    octaves: Floats = np.log2(table)[:, None] - np.log2(values.reshape(1, -1))
    cost = np.where(octaves < 0, -CLIPPED * octaves, octaves)
    # rounded as in `choose`, so that ties fall alike everywhere
    found: Integers = table[np.rint(cost * (1 << 16)).argmin(axis=0)].reshape(values.shape)
    return found
