"""How many cores snncc may use on this machine, and work that is spread over them."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

VARIABLE = "SNNCC_CORES"

Item = TypeVar("Item")
Result = TypeVar("Result")


def limit() -> int:
    """The number in $SNNCC_CORES; 0, which is no limit, without one."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text.isdecimal() else 0


def cores() -> int:
    """Processes that work at the same time: $SNNCC_CORES, or one for each core."""
    return limit() or os.cpu_count() or 1


@contextmanager
def side_thread() -> Iterator[Executor]:
    """A thread for work beside the caller's, who, if it fails, waits for nothing that is queued."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def spread(work: Callable[[Item], Result], items: Iterable[Item], threads: int = 0) -> list[Result]:
    """`work` of every item, in threads, a core each, or at most so many; results in order.

    For work that spends its time in numpy or onnxruntime, which let other threads run, and takes
    milliseconds an item at least, as starting a thread does. Raises what the first item that fails
    raises.
    """
    listed = list(items)
    workers = min(threads or cores(), len(listed))
    if workers < 2:
        return [work(item) for item in listed]
    left = deque(enumerate(listed))
    results: dict[int, Result] = {}
    failed: dict[int, BaseException] = {}

    def take() -> None:
        with suppress(IndexError):  # nothing is left
            while True:
                i, item = left.popleft()
                try:
                    results[i] = work(item)
                except BaseException as error:
                    failed[i] = error
                    left.clear()

    # this thread works, too
    with ThreadPoolExecutor(workers - 1) as pool:
        for _ in range(workers - 1):
            pool.submit(take)
        take()
    if failed:
        raise failed[min(failed)]
    return [results[i] for i in range(len(listed))]
