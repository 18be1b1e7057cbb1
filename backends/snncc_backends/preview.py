"""What a target says of a network before it is compiled."""

from dataclasses import dataclass

from snncc_ir import Diagnostic

EXACT, ABOUT, AT_LEAST = "exactly", "about", "at least"
BOUNDS = (EXACT, ABOUT, AT_LEAST)


@dataclass(frozen=True)
class Figure:
    """A number that a compilation will lead to.

    name: of what is counted. value: the number. unit: such as `bytes` or `cores`. bound: how sure
    it is, of `BOUNDS`: `exactly` the number that compiling gives, `about` it, or `at least`, a
    number that compiling is not below.
    how: where it comes from, a few words.
    """

    name: str
    value: float
    unit: str
    bound: str = EXACT
    how: str = ""

    def __post_init__(self) -> None:
        if self.bound not in BOUNDS:
            raise ValueError(f"bound is '{self.bound}', should be one of {', '.join(BOUNDS)}")


@dataclass(frozen=True)
class Preview:
    """findings: what keeps the network off the target. figures: none where there is no estimate."""

    findings: tuple[Diagnostic, ...] = ()
    figures: tuple[Figure, ...] = ()
