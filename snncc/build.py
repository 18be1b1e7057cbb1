"""From a lowered graph to one that a target takes: its passes, then its rules."""

from collections.abc import Callable, Sequence
from pathlib import Path

from snncc.passes.base import Context, Pass
from snncc.passes.manager import Compiled, run_pipeline
from snncc_backends import Backend, Settings
from snncc_ir import INTEGER, Array, Graph, SnnccError, check, fail

Progress = Callable[[str, int, int], None]


def counting(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    """What is called with the samples done since the last call, and adds them up."""
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)

    return step


def build_network(
    chip: Backend,
    graph: Graph,
    pipeline: Sequence[Pass],
    settings: Settings,
    context: Context,
    labels: Array | None = None,
    dump: Path | None = None,
    measure: bool = True,
) -> Compiled:
    """Runs the passes; the result obeys the target's rules and is ready to be emitted.

    labels: classes of the calibration samples. dump: folder for the graph after each pass. measure:
    whether each pass is measured on calibration samples. Raises SNN020 when the pipeline stops
    before its end, SNN041 for every rule that the network breaks.
    """
    compiled = run_pipeline(graph, pipeline, context, labels, dump, measure)
    check_rules(chip, compiled.graph, settings)
    _check_complete(chip, compiled.graph)
    return compiled


def check_rules(chip: Backend, graph: Graph, settings: Settings) -> None:
    """Raises SNN041 with every rule of the target that the network breaks."""
    found = list(chip.check(graph, settings))
    if found:
        raise SnnccError(found)


def _check_complete(chip: Backend, graph: Graph) -> None:
    try:
        check(graph, INTEGER)
    except SnnccError as error:
        raise fail(
            "SNN020",
            f"the pipeline stops before its end: {error.diagnostics[0].message}",
            error.diagnostics[0].place,
            f"end it as the target's own pipeline, which `snncc targets {chip.name}` prints",
        ) from None
