"""Texts of images that a lark grammar reads: what is told when one is not understood."""

from collections.abc import Iterable, Mapping

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from snncc_ir import SnnccError, fail


def wrong_text(message: str, place: str) -> SnnccError:
    """Code SNN061."""
    return fail("SNN061", message, place, "`snncc disasm IMAGE` prints text as it should be")


def syntax_error(
    error: UnexpectedInput, text: str, place: str, terminals: Mapping[str, str]
) -> SnnccError:
    """terminals: the grammar's by what a person types; the others are keywords."""
    expected: Iterable[str] | None = ()
    if isinstance(error, UnexpectedToken):
        expected = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        expected = error.allowed
    wanted = sorted(terminals.get(name, f"'{name.lower()}'") for name in expected or ())
    # only \n ends a line for the grammar, so not splitlines()
    line = text.split("\n")[error.line - 1].strip()
    found = f"'{line[:60]}'" if line else "the end"
    return wrong_text(
        f"{found} is not understood, should be {' or '.join(wanted)}",
        f"{place}, line {error.line}, column {error.column}",
    )
