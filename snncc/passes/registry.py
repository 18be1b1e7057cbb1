"""Finds the passes of this folder, and reads and prints pipelines of them.

A pipeline is text: `fold-batchnorm,normalize{method=percentile,percentile=99.9},fuse`.
"""

import pkgutil
from dataclasses import fields, replace
from functools import cache
from importlib import import_module
from typing import get_type_hints

from lark import Lark, Token, Tree, UnexpectedInput

import snncc.passes
from snncc.passes.base import Pass
from snncc_ir import SnnccError, fail, nearest

_GRAMMAR = r"""
start: (pass ("," pass)*)?
pass: NAME ["{" [option ("," option)*] "}"]
option: NAME "=" VALUE
NAME: /[a-z][a-z0-9_\-]*/
VALUE: /[^,{}\s]+/
%import common.WS
%ignore WS
"""

_LIST = "`snncc opt --list` shows every pass with its options"
KINDS: dict[type, str] = {int: "a whole number", float: "a number", str: "a text"}
"""Types of options by what a person types."""


@cache
def passes() -> dict[str, type[Pass]]:
    """Every pass by its name, sorted."""
    found: dict[str, type[Pass]] = {}
    for module in pkgutil.iter_modules(snncc.passes.__path__):
        for value in vars(import_module(f"snncc.passes.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Pass) and value is not Pass:
                found[value.name] = value
    return dict(sorted(found.items()))


def parse_pipeline(text: str) -> tuple[Pass, ...]:
    """The passes of a pipeline's text; raises SNN020 for text, names or options that do not fit."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        context = error.get_context(text).rstrip()
        raise fail(
            "SNN020",
            f"the pipeline cannot be read:\n{context}",
            hint="such as: fuse,rate-code{steps=8}",
        ) from None
    return tuple(_pass(child) for child in tree.children if isinstance(child, Tree))


def print_pipeline(pipeline: tuple[Pass, ...]) -> str:
    """Text of a pipeline; `parse_pipeline` reads it back."""
    return ",".join(map(str, pipeline))


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


def _pass(tree: "Tree[Token]") -> Pass:
    name, *rest = tree.children
    known = passes()
    if str(name) not in known:
        raise fail(
            "SNN020",
            f"pass '{str(name)[:40]}' is not known, should be one of {', '.join(known)}",
            hint=nearest(str(name), known, "`snncc opt --list` has the passes with their options"),
        )
    declared = known[str(name)]
    hints = get_type_hints(declared)
    options = {field.name: hints[field.name] for field in fields(declared)}
    values: dict[str, int | float | str] = {}
    for option in rest:
        if not isinstance(option, Tree):
            continue
        key, value = (str(child) for child in option.children)
        if key not in options:
            expected = f"should be one of {', '.join(options)}" if options else "it has none"
            raise fail(
                "SNN020",
                f"pass '{name}' has no option '{key}', {expected}",
                hint=nearest(key, options, _LIST),
            )
        try:
            values[key] = options[key](value)
        except ValueError:
            wanted = KINDS[options[key]]
            raise fail(
                "SNN020",
                f"option '{key}' of pass '{name}' is '{value}', should be {wanted}",
                hint=_LIST,
            ) from None
    try:
        return declared(**values)
    except SnnccError as error:
        raise SnnccError(
            replace(found, place=found.place or f"pass {name}", hint=found.hint or _LIST)
            for found in error.diagnostics
        ) from None
