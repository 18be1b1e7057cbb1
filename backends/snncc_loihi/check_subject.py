"""What the checker of maps looks at, and what it finds; `checker.py` has the rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snncc_ir import Integers
from snncc_loihi.check_sums import Arrivals, arrivals
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap


@dataclass(frozen=True)
class Finding:
    """A limit that is broken. place: of the core. what: is `used`, should be at most `limit`, or
    what `should` says."""

    place: int
    what: str
    used: int
    limit: int
    should: str = ""

    @property
    def over(self) -> int:
        """By how much."""
        return abs(self.used - self.limit)

    def __str__(self) -> str:
        should = self.should or f"at most {self.limit}"
        return (
            f"core at place {self.place}: {self.what} is {self.used}, should be {should} "
            f"({self.over} beyond)"
        )


@dataclass(frozen=True)
class Subject:
    """A sound map on its chip. largest_input: magnitude of any number that the host sends."""

    core_map: CoreMap
    chip: Chip
    largest_input: int

    @property
    def cores(self) -> tuple[Core, ...]:
        return self.core_map.cores

    @cached_property
    def places(self) -> Integers:
        """Of each core."""
        return np.array([core.place for core in self.cores], np.int64)

    @cached_property
    def arrivals(self) -> tuple[Arrivals, ...]:
        """What each core's compartments may hear."""
        return arrivals(self.core_map, self.chip.numbers, self.largest_input)

    def sizes(self, memory: str) -> Integers:
        """Words of a memory in each core."""
        return np.array([len(getattr(core, memory)) for core in self.cores], np.int64)


Limit = Callable[[Subject], Iterator[Finding]]
"""A limit of the chip, as a rule: its docstring is the line in `snncc targets loihi`."""


@dataclass(frozen=True)
class Use:
    """What each core takes of a limit. used: (cores). limit: what it should be at most."""

    used: Integers
    limit: int

    @property
    def shares(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Of the limit, (cores)."""
        return self.used / max(self.limit, 1)


def beyond(subject: Subject, what: str, use: Use) -> Iterator[Finding]:
    """Every core that takes more."""
    for i in np.flatnonzero(use.used > use.limit).tolist():
        yield Finding(int(subject.places[i]), what, int(use.used[i]), use.limit)


def worst(core: Core, what: str, used: Integers, limit: int, least: int = 0) -> Iterator[Finding]:
    """The number of a core that is furthest beyond `least` to `limit`; what: with {} for which."""
    over = np.maximum(used - limit, least - used)
    if len(over) and over.max() > 0:
        i = int(over.argmax())
        nearest = limit if used[i] > limit else least
        should = f"{least} to {limit}"
        yield Finding(core.place, what.format(i), int(used[i]), nearest, should)
