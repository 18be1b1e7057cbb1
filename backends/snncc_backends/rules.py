"""What the rules of several targets have in common."""

from collections.abc import Iterator, Sequence

from snncc_ir import Code, Diagnostic, Graph


def wrong_code(graph: Graph, *taken: type[Code]) -> Iterator[Diagnostic]:
    """SNN041 for a network whose code is none of those that the chip takes."""
    if isinstance(graph.code, taken):
        return
    name = graph.code.name if graph.code else "none"
    codes = [code.name for code in taken]
    passes = [f"{code}-code" for code in codes]
    yield Diagnostic(
        "SNN041",
        f"the code is {name}, should be {_one_of(codes)}",
        hint=f"leave --passes out, or run the pass {_one_of(passes)} in it",
    )


def _one_of(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
