"""Text in, passes, text out: `tests/text/NAME.in.sir` says in its first line what to run.

Every result is read back and prints as itself. `pytest --update-golden` renews the results.
"""

from pathlib import Path

import pytest

from snncc.data import synthetic_samples
from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import parse_graph, print_graph
from tests.conftest import ROOT

TEXTS = sorted((ROOT / "tests" / "text").glob("*.in.sir"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.partition(".")[0])
def test_text(path: Path, update_golden: bool) -> None:
    text = path.read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    assert first.startswith("// run:")
    graph = parse_graph(text)
    # the input is in the printer's own form, so that a reader learns one form only
    assert print_graph(graph) == rest
    pipeline = parse_pipeline(first.removeprefix("// run:").strip())
    context = Context(synthetic_samples(graph))
    printed = print_graph(run_pipeline(graph, pipeline, context, measure=bool(pipeline)).graph)
    expected = path.with_name(path.name.replace(".in.", ".out."))
    if update_golden:
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
    assert print_graph(parse_graph(printed)) == printed


def test_no_result_is_left_over() -> None:
    results = {path.name.replace(".out.", ".in.") for path in TEXTS[0].parent.glob("*.out.sir")}
    assert results == {path.name for path in TEXTS}
