"""The ONNX project's own cases against the IR's value semantics, and the rules that leave out."""

import numpy as np
import pytest
from onnx.backend.test.runner import Runner

from snncc.onnx import lowerings
from snncc.onnx.curves import APPROXIMATED, fit_of
from snncc_ir import SnnccError
from tests.onnx_backend.backend import IrBackend
from tests.onnx_backend.cases import KINDS, Case, all_cases
from tests.onnx_backend.rules import APPROXIMATION, LISTED, RULES, rule_of


def run(case: Case, approximate: bool, atol: float) -> str:
    """What is wrong with our results; empty if nothing is."""
    try:
        for samples, expected in case.sets:
            given = [value for value in samples if isinstance(value, np.ndarray)]
            found = IrBackend.prepare(case.model, approximate=approximate).run(given)
            Runner.assert_similar_outputs(expected, found, case.rtol, atol)
    except (SnnccError, AssertionError) as error:
        return f"{case.kind} {case.name}: {error}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_that_no_rule_leaves_out_passes(kind: str) -> None:
    """At the tolerances that the cases come with."""
    cases = [case for case in all_cases() if case.kind == kind and rule_of(case) is None]
    assert cases
    problems = [problem for case in cases if (problem := run(case, False, case.atol))]
    assert not problems, "\n".join(problems)


def test_approximated_cases_are_within_the_documented_error() -> None:
    """Of each operator with the case's own attributes."""
    cases = [c for c in all_cases() if (rule := rule_of(c)) and rule.reason == APPROXIMATION]
    assert {c.node.op_type for c in cases} == set(APPROXIMATED)
    problems = []
    for case in cases:
        attributes = {
            key: value.decode() if isinstance(value, bytes) else float(value)
            for key, value in case.attributes.items()
            if isinstance(value, bytes | float)
        }
        atol = fit_of(case.node.op_type, **attributes).error + 1e-5
        problems += [problem] if (problem := run(case, True, atol)) else []
    assert not problems, "\n".join(problems)


def test_no_rule_is_left_over() -> None:
    """Each leaves out a case that none before it does."""
    used = {rule.reason for case in all_cases() if (rule := rule_of(case))}
    assert [rule.reason for rule in RULES if rule.reason not in used] == []


def test_listed_operators_are_supported_and_run() -> None:
    """All of the list have a lowering, and a case that is run."""
    assert set(lowerings()) >= LISTED
    run_ones = {c.node.op_type for c in all_cases() if rule_of(c) is None}
    assert run_ones >= LISTED - set(APPROXIMATED)


def test_a_wrong_result_is_noticed() -> None:
    """The comparison can fail: one case, with another's expectations."""
    (case,) = (c for c in all_cases() if c.name == "test_relu")
    (given, expected), *_ = case.sets
    wrong = Case(case.name, case.kind, case.model, ((given, [-1 - expected[0]]),), 1e-3, 1e-7)  # type: ignore[operator]
    assert "test_relu" in run(wrong, False, 1e-7)
