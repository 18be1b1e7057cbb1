"""Trials on all cores, or on many machines. Every worker uses one core, wherever it is.

So a trial is computed in the same way however many workers there are, and its figures are the same.
"""

import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from snncc.search import Study, Trial, try_candidate
from snncc.search.trial import Candidate
from snncc_ir import fail
from snncc_ir.cores import VARIABLE

ONE_CORE = (VARIABLE, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment of a worker, each 1; libraries read it when they are loaded."""
ANSWER = 20
"""Seconds in which a scheduler has to answer."""

Finished = Iterator[tuple[int, Trial]]
"""Index of a candidate, and its trial; in the order in which they get ready."""


def on_cores(study: Study, candidates: Sequence[Candidate], jobs: int) -> Finished:
    """In `jobs` processes; raises SNN054 when one of them is killed."""
    with _one_core(), tempfile.TemporaryDirectory(prefix="snncc-sweep-") as folder:
        # once, in a file: samples may be large
        path = Path(folder) / "study"
        path.write_bytes(pickle.dumps(study))
        pool = ProcessPoolExecutor(min(jobs, len(candidates)), get_context("spawn"))
        try:
            futures = {pool.submit(_try_from, path, each): i for i, each in enumerate(candidates)}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise fail(
                "SNN054",
                "a worker process has been killed",
                hint="fewer at a time with --jobs, if the memory is full; finished rows are kept",
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def on_dask(study: Study, candidates: Sequence[Candidate], address: str) -> Finished:
    """On the workers of a dask scheduler; raises SNN054 when there is none, or no dask."""
    try:
        import distributed
    except ImportError:
        raise fail(
            "SNN054", "dask is not installed", hint="pip install 'snncc[dask]', here and on workers"
        ) from None
    try:
        client = distributed.Client(address, timeout=ANSWER)
    except (OSError, TimeoutError, ValueError) as error:
        raise fail(
            "SNN054",
            f"the dask scheduler does not answer: {error}",
            address,
            "`dask scheduler` prints its address, such as tcp://host:8786",
        ) from None
    with client:
        shared = client.scatter(study, broadcast=True)
        futures = {
            client.submit(_try_alone, shared, each, pure=False): i
            for i, each in enumerate(candidates)
        }
        for future in distributed.as_completed(futures):
            yield futures[future], future.result()


def _try_from(path: Path, candidate: Candidate) -> Trial:
    study: Study = pickle.loads(path.read_bytes())
    return try_candidate(study, candidate)


def _try_alone(study: Study, candidate: Candidate) -> Trial:
    os.environ.setdefault(VARIABLE, "1")
    return try_candidate(study, candidate)


@contextmanager
def _one_core() -> Iterator[None]:
    """For processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in ONE_CORE}
    os.environ.update(dict.fromkeys(ONE_CORE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
