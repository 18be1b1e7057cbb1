"""Runs of emitted files against the oracle, and previews against emission."""

from math import isfinite

from snncc.testing.checks import check_estimate, difference, without_traceback, wrong
from snncc.testing.networks import inputs
from snncc_backends import Backend, EarlyExit, OracleRunner, Runner, Settings, margin_unit, margins
from snncc_backends.preview import BOUNDS
from snncc_ir import Graph, SnnccError

PART = slice(1, 4)
"""Samples that are run again alone, for fewer steps."""


def check_results(what: str, runner: Runner, graph: Graph) -> None:
    """All steps; fewer steps on some samples; samples that end early; more steps are refused."""
    samples = inputs(graph)
    oracle = OracleRunner(graph)
    expected = oracle.run(samples, record=True)
    found = runner.run(samples, record=True)
    _same(what, difference(found, expected))
    check_estimate(what, runner.estimate(found))
    code = graph.code
    steps = expected.steps
    if code is None or code.results == 1:
        steps = 0
    part = {name: array[PART] for name, array in samples.items()}
    few = steps // 2 or None
    _same(
        f"{what}, {few or 'all'} steps on some of the samples",
        difference(runner.run(part, steps=few), oracle.run(part, steps=few)),
    )
    refused = without_traceback(what, runner.run, part, steps + 1)
    if not isinstance(refused, SnnccError):
        wrong(f"{what}: {steps + 1} steps are run, should be refused with SNN030")
    if not steps:
        return
    try:
        margin_unit(graph)
    except SnnccError:  # samples of this network cannot end early
        return
    totals = next(iter(expected.totals.values()))
    margin = max(int(sorted(margins(totals).reshape(-1).tolist())[totals.shape[1] // 2]), 1)
    rule = EarlyExit(margin)
    _same(
        f"{what}, samples that end early",
        difference(
            runner.run_until(samples, rule, record=True),
            oracle.run_until(samples, rule, record=True),
        ),
    )


def _same(what: str, text: str) -> None:
    if text:
        wrong(f"{what} differs from the oracle: {text}")


def check_preview(
    what: str, chip: Backend, graph: Graph, settings: Settings, refused: bool
) -> None:
    """A preview has the findings of the rules, and none for a network that is taken."""
    seen = without_traceback(f"{what}: the preview", chip.preview, graph, settings)
    if isinstance(seen, SnnccError):
        wrong(f"{what}: the preview raises {seen}; findings should be in it")
    if seen.findings and not refused:
        wrong(f"{what}: the preview refuses what is emitted: {seen.findings[0].message}")
    if not seen.findings and list(chip.check(graph, settings)):
        wrong(f"{what}: the preview has no findings, the rules have")
    for figure in seen.figures:
        if not isfinite(figure.value) or figure.bound not in BOUNDS:
            wrong(f"{what}: the preview's {figure.name} is {figure.value}, should be finite")
