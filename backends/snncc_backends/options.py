"""What a person may set: fields of settings, with their types, defaults, help, and what they take.

A field says so in its annotation:

    neurons: Annotated[int, Option("neurons that the chip has", least=1)] = 65536
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from types import MappingProxyType
from typing import get_args, get_type_hints

from snncc_ir import fail

Value = int | float | str | bool

KINDS: Mapping[type, str] = MappingProxyType(
    {bool: "yes or no", int: "a whole number", float: "a number", str: "a text"}
)
"""Types of options, by what a person types."""
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True)
class Option:
    """help: a few words. least, most: of a number. choices: of a text; any where there are none."""

    help: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def takes(self, value: Value) -> bool:
        """Whether a value of the right type is one of those."""
        if isinstance(value, str):
            return not self.choices or value in self.choices
        return (
            isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    @property
    def limits(self) -> str:
        """Such as `1 to 12`, `at least 1` or `layers or off`; empty where there are none."""
        if self.choices:
            return " or ".join(self.choices)
        match (self.least, self.most):
            case (None, None):
                return ""
            case (float() | int() as least, None):
                return f"at least {least}"
            case (None, most):
                return f"at most {most}"
            case (least, most):
                return f"{least} to {most}"


@dataclass(frozen=True)
class Described:
    """One option of a class of settings. kind: of `KINDS`."""

    name: str
    kind: type
    option: Option

    @property
    def wanted(self) -> str:
        """What is to be typed, such as `a whole number, 1 to 12`."""
        limits = self.option.limits
        if self.option.choices:
            return limits
        return f"{KINDS[self.kind]}, {limits}" if limits else KINDS[self.kind]

    def parse(self, given: object) -> Value:
        """A value of the option's type; raises ValueError or TypeError for one that is none."""
        text = str(given)
        if self.kind is bool:
            if text.lower() not in (*YES, *NO):
                raise ValueError(text)
            return text.lower() in YES
        if self.kind is str:
            return text
        if isinstance(given, bool) or given is None:
            raise TypeError(text)
        if isinstance(given, float) and self.kind is int and given.is_integer():
            return int(given)
        return float(text) if self.kind is float else int(text)


def options_of(settings: type) -> tuple[Described, ...]:
    """All options of a class of settings, in the order of its fields.

    A field that another class has annotated needs no `Option` when its default changes.

    Raises TypeError for a field whose type is none of `KINDS`.
    """
    if not is_dataclass(settings):
        raise TypeError(f"{settings.__name__} is no dataclass")
    said: dict[str, Option] = {}
    for base in reversed(settings.__mro__):
        for name, hint in getattr(base, "__annotations__", {}).items():
            for each in get_args(hint)[1:]:
                if isinstance(each, Option):
                    said[name] = each
    hints = get_type_hints(settings)
    found = []
    for field in fields(settings):
        kind = hints[field.name]
        if kind not in KINDS:
            raise TypeError(
                f"{settings.__name__}.{field.name} is {kind}, should be int, float, str or bool"
            )
        found.append(Described(field.name, kind, said.get(field.name, Option(""))))
    return tuple(found)


def check_options(settings: object) -> None:
    """Raises SNN042 for the first value that its option does not take."""
    for each in options_of(type(settings)):
        value = getattr(settings, each.name)
        if not each.option.takes(value):
            default = getattr(type(settings), each.name, "")
            raise fail(
                "SNN042",
                f"{each.name} is {_shown(value)}, should be {each.option.limits or 'finite'}",
                hint=f"--set {each.name}={default}, the default",
            )


def _shown(value: Value) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
