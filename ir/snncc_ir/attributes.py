"""Attributes from text: each is brought to the type that its op declares for it."""

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lark import Token


class Text(str):
    """A string attribute, so that it is not taken for a number's token."""


def attribute_types(declared: type[Any]) -> dict[str, Any]:
    """Declared type of each attribute of an op, model or code."""
    if not is_dataclass(declared):
        raise AssertionError("ops, models and codes are dataclasses")
    hints = get_type_hints(declared)
    return {field.name: hints[field.name] for field in fields(declared) if field.init}


def coerced(value: object, hint: Any) -> object:
    """`value` as the declared type; raises TypeError when it is another."""
    if get_origin(hint) in (Union, UnionType):
        if value is None and NoneType in get_args(hint):
            return None
        (hint,) = (option for option in get_args(hint) if option is not NoneType)
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            raise TypeError
        return tuple(coerced(element, get_args(hint)[0]) for element in value)
    if isinstance(value, Token):
        if hint is float:
            return float(value)
        if hint is int and value.type == "INT":
            return int(value)
        raise TypeError
    if hint is str and isinstance(value, Text):
        return str(value)
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    raise TypeError
