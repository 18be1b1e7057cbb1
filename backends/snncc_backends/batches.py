"""Samples, a few at a time."""

from collections.abc import Callable, Iterator

from snncc_ir import Batch


def batches(
    samples: Batch, size: int, progress: Callable[[int], None] | None = None
) -> Iterator[Batch]:
    """Samples in order, at most `size` at a time.

    progress: called with the number of a batch's samples when the next batch is asked for.
    """
    count = len(next(iter(samples.values())))
    for start in range(0, count, size):
        yield {name: array[start : start + size] for name, array in samples.items()}
        if progress:
            progress(min(size, count - start))
