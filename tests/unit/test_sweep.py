"""Sweeps: combinations, Pareto fronts, the table and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncc.sweep.front import front
from snncc.sweep.plan import candidates, values
from snncc.sweep.row import NUMBERS, Row, from_csv, to_csv, with_fronts
from snncc_ir import SnnccError

POINTS = st.lists(st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(POINTS)
def test_a_front_is_what_is_not_beaten(points: list[tuple[int, int] | None]) -> None:
    inside = front(points)
    for point, optimal in zip(points, inside, strict=True):
        beaten = point is None or any(
            other is not None and other != point and other[0] <= point[0] and other[1] >= point[1]
            for other in points
        )
        assert optimal != beaten
    if any(point is not None for point in points):
        assert any(inside)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12)
ROWS = st.lists(
    st.builds(
        Row,
        TEXT, TEXT, TEXT,
        st.dictionaries(st.sampled_from(["steps", "neuron", "tau"]), TEXT),
        st.dictionaries(st.sampled_from(NUMBERS), st.floats(0, 1e9)),
        TEXT,
    )
)  # fmt: skip


@given(ROWS)
def test_the_table_reads_back(rows: list[Row]) -> None:
    ranked = with_fronts(rows)
    assert from_csv(to_csv(ranked), "sweep.csv") == ranked


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b'target\n"'])
def test_another_table_is_refused(content: bytes) -> None:
    if not content:
        assert from_csv(content, "sweep.csv") == []
        return
    with pytest.raises(SnnccError, match="SNN030: the table of an earlier sweep"):
        from_csv(content, "sweep.csv")


def shown(*arguments: str, **lists: list[str]) -> list[str]:
    targets, codings = arguments[0].split(","), arguments[1].split(",") if arguments[1:] else []
    return [f"{c.target} {c}" for c in candidates(targets, codings, lists)]


def test_combinations_in_order() -> None:
    assert shown("c", steps=["4", "8"], neuron=["if", "signed-if"]) == [
        "c rate steps=4 neuron=if",
        "c rate steps=4 neuron=signed-if",
        "c rate steps=8 neuron=if",
        "c rate steps=8 neuron=signed-if",
    ]
    assert shown("c,ttfs28", neuron=["if"], steps=["12"]) == [
        "c rate neuron=if steps=12",
        "ttfs28 ttfs steps=12",
    ]
    lists = {"rate.steps": ["4"], "ttfs.steps": ["12"], "steps": ["9"]}
    assert shown("c", "rate,ttfs", **lists) == ["c rate steps=4", "c ttfs steps=12"]
    assert len(shown("c", weight_bits=["8", "16"])) == 8
    assert shown("c", steps=["8", "08"]) == ["c rate steps=8"]


def test_unknown_lists_are_refused() -> None:
    with pytest.raises(SnnccError, match="option 'neurons' is not known, should be one of"):
        shown("c,ttfs28", neurons=["if"])
    with pytest.raises(SnnccError, match=r"option 'ttfs\.steps' is not known"):
        shown("c", **{"ttfs.steps": ["4"]})
    with pytest.raises(SnnccError, match="coding is 'rate', should be ttfs or auto"):
        shown("ttfs28", "rate")
    assert values("4, 8,4", "--steps") == ["4", "8"]
    with pytest.raises(SnnccError, match="--steps is '', should be a list"):
        values("", "--steps")
