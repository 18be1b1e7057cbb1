"""The one way in which snncc tells a person that something is wrong.

A `Diagnostic` has a stable code, one sentence, a place in the user's own model and a hint on what
to try next. A stage collects its diagnostics and raises them at once, as one `SnnccError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

CATALOG: dict[str, str] = {
    "SNN001": "the model file cannot be read",
    "SNN002": "the model is not a valid ONNX graph",
    "SNN003": "an ONNX operator is not supported",
    "SNN004": "an ONNX operator is supported, but not in this form",
    "SNN005": "a tensor has no static shape",
    "SNN006": "the network has no neurons",
    "SNN007": "linear layers follow one another without neurons between them",
    "SNN010": "the IR graph is not well formed",
    "SNN011": "the IR text cannot be parsed",
    "SNN012": "the tensors beside an IR text do not fit it",
    "SNN020": "a pass pipeline cannot be parsed or run",
    "SNN021": "a pass broke its promise on value semantics",
    "SNN022": "integer potentials cannot be kept in the accumulator",
    "SNN030": "the data file cannot be used",
    "SNN031": "no calibration data is given",
    "SNN032": "there is nothing to measure accuracy on, or too little",
    "SNN033": "the events of a file cannot be used",
    "SNN034": "events cannot be the network's input in this way",
    "SNN040": "a target is not known or is broken",
    "SNN041": "a network does not obey a rule of the target",
    "SNN042": "an option of a target is not valid",
    "SNN043": "no settings keep the accuracy",
    "SNN050": "the output folder cannot be written",
    "SNN051": "a bundle cannot be read",
    "SNN052": "a bundle cannot be executed here",
    "SNN053": "samples cannot end early",
    "SNN054": "an optional library or a worker does not answer",
    "SNN060": "an image of a chip is damaged or contradicts itself",
    "SNN061": "the text of an image cannot be assembled",
}
"""Every code with its title. docs/diagnostics.md explains each; a test holds the two together."""


@dataclass(frozen=True)
class Diagnostic:
    """One finding: what is wrong, where, and what to try next.

    `place` names a thing of the user's own: a node of the ONNX model, a line of a text, a path.
    """

    code: str
    message: str
    place: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        if self.code not in CATALOG:
            raise ValueError(f"diagnostic code {self.code} is not in the catalog")

    @property
    def summary(self) -> str:
        """Code and sentence, without place and hint."""
        return f"{self.code}: {self.message}"

    def __str__(self) -> str:
        text = self.summary
        if self.place:
            text += f"\n  at: {self.place}"
        if self.hint:
            text += f"\n  try: {self.hint}"
        return text


class SnnccError(Exception):
    """What a user did cannot be carried out; holds at least one `Diagnostic`."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        if not self.diagnostics:
            raise ValueError("an SnnccError needs at least one diagnostic")
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


def fail(code: str, message: str, place: str = "", hint: str = "") -> SnnccError:
    """An `SnnccError` of one diagnostic, to be raised by the caller."""
    return SnnccError([Diagnostic(code, message, place, hint)])


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint for a name that is not known: the one most like it, or `otherwise`."""
    close = get_close_matches(name, list(known), 1)
    return f"'{close[0]}', the name most like it" if close else otherwise


def why(error: Exception) -> str:
    """Why a file cannot be read or written, in a few words and without its path."""
    match error:
        case UnicodeDecodeError():
            return "it is no text in UTF-8"
        case OSError(strerror=str() as reason):
            return reason
    return (str(error).strip() or type(error).__name__).splitlines()[0]
