"""How the lowering of one node ends when the node cannot be lowered."""

from typing import NoReturn


class Refusal(Exception):
    """A node that cannot be lowered: code, what was found and what is supported, what to try."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def refuse(message: str, hint: str, code: str = "SNN004") -> NoReturn:
    """Ends the lowering of the present node."""
    raise Refusal(code, message, hint)
