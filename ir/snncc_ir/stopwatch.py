"""Where the time goes: seconds by stage, which nobody but a reader of them sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Seconds of wall time by stage, in the order in which stages were first entered."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts for `name`; a stage within another counts for itself alone."""
        self._turn()
        self._seconds.setdefault(name, 0.0)
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    @property
    def seconds(self) -> dict[str, float]:
        """By stage; their sum is the time that was spent in any."""
        return dict(self._seconds)

    def _turn(self) -> None:
        now = perf_counter()
        if self._open:
            self._seconds[self._open[-1]] += now - self._since
        self._since = now
