"""What the Tab key offers for values: targets, codings, keys of --set, models, kinds of change.

Every function takes what click gives (context, parameter, the word so far) and never raises: a
plug-in that is broken, or a file that cannot be read, is no reason to spoil a command line.
"""

from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path

from click import Context, Parameter
from click.shell_completion import CompletionItem

from snncc.diff.changes import KINDS
from snncc.passes.normalize import METHODS
from snncc.passes.registry import passes
from snncc_backends import Backend, Described, backend, options_of
from snncc_backends import targets as known_targets
from snncc_ir import SnnccError

Items = list[CompletionItem]
Complete = Callable[[Context, Parameter, str], Items]


def _items(words: Iterator[str] | list[str], begin: str, ending: str = "") -> Items:
    return [CompletionItem(f"{w}{ending}") for w in dict.fromkeys(words) if w.startswith(begin)]


def _last_of_list(words: list[str], begin: str) -> Items:
    """For options that take A,B: the word after the last comma."""
    before, comma, last = begin.rpartition(",")
    return [CompletionItem(f"{before}{comma}{item.value}") for item in _items(words, last)]


def targets(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Names of targets; of several with commas, the last."""
    return _last_of_list(list(known_targets()), incomplete)


def _chips(context: Context) -> list[Backend]:
    given = context.params.get("target") or context.params.get("targets") or "c"
    found = []
    for name in str(given).split(","):
        try:
            found.append(backend(name))
        except SnnccError:
            continue
    return found


def codings(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Of the target that stands in the line, or of target c."""
    names = [c.coding for chip in _chips(context) for c in chip.codings]
    return _last_of_list([*names, "auto"], incomplete)


def neurons(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Neuron models of the target that a person chooses from."""
    models = [m for chip in _chips(context) for m in chip.models if m not in ("ttfs", "radix")]
    return _last_of_list([*(m for m in models if m != "readout"), "auto"], incomplete)


def _options(context: Context) -> Iterator[Described]:
    wanted = context.params.get("coding")
    for chip in _chips(context):
        for coding in chip.codings:
            if wanted in (None, "auto", coding.coding):
                yield from options_of(coding)


def settings(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """KEY= of --set; behind it, the values where they are few."""
    key, equals, value = incomplete.partition("=")
    found = list(_options(context))
    if not equals:
        return _items([each.name for each in found], incomplete, "=")
    choices = [c for each in found if each.name == key for c in each.option.choices]
    return [CompletionItem(f"{key}={c}") for c in dict.fromkeys(choices) if c.startswith(value)]


def kinds(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Kinds of change, for --ignore."""
    return _last_of_list(list(KINDS), incomplete)


def pass_names(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """For --passes."""
    return _last_of_list(list(passes()), incomplete)


def methods(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Of normalization."""
    return _last_of_list(list(METHODS), incomplete)


def one_of(*words: str) -> Complete:
    """Of a fixed list."""
    return lambda context, parameter, incomplete: _items(list(words), incomplete)


def models(incomplete: str) -> Items:
    """ONNX files, and folders on the way to some; everything else by the shell itself."""
    found = [p for p in sorted(glob(f"{incomplete}*")) if p.endswith(".onnx") or Path(p).is_dir()]
    return [CompletionItem(f"{p}/" if Path(p).is_dir() else p) for p in found]
