"""What differs between two bundles' manifests and reports: settings, passes, accuracy."""

import json
import re
from collections.abc import Iterator, Mapping

from snncc.diff.changes import Change, Json, plural, shown

Table = Mapping[str, object]

WHOLE = {
    "target": ("target", "target"),
    "inputs": ("interface", "inputs"),
    "outputs": ("interface", "outputs"),
}
"""Entries of the manifest that are compared as one: kind and plain name."""
TABLES = {"settings": "setting", "preprocessing": "preprocessing", "calibration": "calibration",
          "model": "model"}  # fmt: skip
"""Entries whose entries are compared, by kind."""
POINTS = 100.0


def compare_manifests(first: Table, second: Table) -> Iterator[Change]:
    """Each change of the entries, files aside."""
    for key in dict.fromkeys([*first, *second]):
        before, after = first.get(key), second.get(key)
        if before == after or key == "files":
            continue
        if key in WHOLE:
            kind, label = WHOLE[key]
            yield _change(kind, label, label, before, after)
        elif key in TABLES:
            yield from _table(TABLES[key], key, before, after)
        elif key == "pipeline":
            yield from compare_passes(str(before), str(after))
        elif key == "notes":
            yield from _notes(before, after)
        else:
            yield _change("figure", key, key.replace("_", " "), before, after)


def _change(kind: str, quantity: str, label: str, before: object, after: object) -> Change:
    text = f"{label}: {shown(before)} → {shown(after)}"
    return Change(kind, quantity, text, None, _plain(before), _plain(after))


def _table(kind: str, key: str, before: object, after: object) -> Iterator[Change]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        yield _change(kind, key, key, before, after)
        return
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            label = {"model": "model's", "calibration": "calibration's"}.get(kind, kind)
            text = f"{label} {name}: {_short(old)} → {_short(new)}"
            yield Change(kind, str(name), text, None, _plain(old), _plain(new))


def _short(value: object) -> str:
    """Hashes by their first digits."""
    text = shown(value)
    return f"{text[:12]}…" if re.fullmatch(r"[0-9a-f]{64}", text) else text


def compare_passes(first: str, second: str) -> Iterator[Change]:
    """Each pass that one pipeline alone has, and each whose options differ."""
    ours, theirs = _passes(first), _passes(second)
    for name in dict.fromkeys([*ours, *theirs]):
        before, after = ours.get(name), theirs.get(name)
        if before is None or after is None:
            where = "second" if before is None else "first"
            text = f"pass {name}: only in the {where}"
            yield Change("passes", name, text, None, before, after)
        elif before != after:
            old, new = _options(before), _options(after)
            told = [
                f"{key} {old.get(key, 'none')} → {new.get(key, 'none')}"
                for key in dict.fromkeys([*old, *new])
                if old.get(key) != new.get(key)
            ]
            yield Change("passes", name, f"pass {name}: {', '.join(told)}", None, before, after)
    if ours == theirs and list(ours) != list(theirs):
        text = f"passes in another order: {', '.join(theirs)}"
        yield Change("passes", "order", text, None, list(ours), list(theirs))


def _passes(pipeline: str) -> dict[str, str]:
    """Options of each pass as text; a second pass of one name is counted."""
    found: dict[str, str] = {}
    for name, options in re.findall(r"([a-z0-9-]+)(?:\{([^}]*)\})?", pipeline):
        number, label = 2, name
        while label in found:
            label, number = f"{name} ({number})", number + 1
        found[label] = options
    return found


def _options(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _notes(before: object, after: object) -> Iterator[Change]:
    ours, theirs = (list(map(str, n)) if isinstance(n, list) else [] for n in (before, after))
    for text in ours:
        if text not in theirs:
            yield Change("note", "note", f"note that only the first has: {text}", before=text)
    for text in theirs:
        if text not in ours:
            yield Change("note", "note", f"note that only the second has: {text}", after=text)


def compare_reports(first: Table, second: Table) -> Iterator[Change]:
    """Accuracy of the waterfalls, and key figures."""
    for key in dict.fromkeys([*first, *second]):
        before, after = first.get(key), second.get(key)
        if before == after:
            continue
        if key == "waterfall":
            yield from _waterfalls(_rows(before), _rows(after))
        elif key in ("summary", "target") and isinstance(before, Mapping | None):
            yield from _figures(before or {}, after if isinstance(after, Mapping) else {})
        else:
            count = _leaves(before, after)
            text = f"report.json: '{key}' differs in {count} {plural('number', count)}"
            yield Change("figure", key, text, figures={"changed": count})


def _figures(before: Table, after: Table) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            figures = {}
            if isinstance(old, int | float) and isinstance(new, int | float):
                figures = {"change": new - old}
            label = name.replace("_", " ")
            text = f"{label}: {shown(old)} → {shown(new)}"
            yield Change("figure", name, text, None, _plain(old), _plain(new), figures)


def _rows(found: object) -> list[Table]:
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _waterfalls(first: list[Table], second: list[Table]) -> Iterator[Change]:
    """What is left after the last pass, and the first pass after which it was not the same."""
    if not first or not second:
        yield Change("accuracy", "waterfall", "only one has a waterfall")
        return
    before, after = first[-1], second[-1]
    for key in ("accuracy", "agreement"):
        old, new = before.get(key), after.get(key)
        if old != new:
            points, told = _points(old, new)
            text = f"{key} on calibration data after all passes: {told}"
            yield Change("accuracy", key, text, None, _plain(old), _plain(new), points)
    if before.get("snr") != after.get("snr"):
        old, new = before.get("snr"), after.get("snr")
        text = f"signal to noise after all passes: {decibels(old)} → {decibels(new)}"
        yield Change("accuracy", "snr", text, None, _plain(old), _plain(new))
    ours, theirs = ({_name(row): row for row in rows} for rows in (first, second))
    for name in ours:
        if name in theirs and _measured(ours[name]) != _measured(theirs[name]):
            old, new = ours[name].get("snr"), theirs[name].get("snr")
            text = f"the first pass after which values differ: {name}"
            if old != new:
                text += f" (signal to noise {decibels(old)} → {decibels(new)})"
            values = _plain(_measured(ours[name])), _plain(_measured(theirs[name]))
            yield Change("accuracy", "first pass", text, None, *values, _gained(old, new))
            return


def _gained(old: object, new: object) -> dict[str, float]:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return {"decibels": round(new - old, 6)}
    return {}


def _name(row: Table) -> str:
    return str(row.get("step")).split("{")[0]


def _measured(row: Table) -> dict[str, object]:
    return {key: row.get(key) for key in ("deviation", "snr", "agreement", "accuracy")}


def _points(old: object, new: object) -> tuple[dict[str, float], str]:
    """Of two shares, 0 to 1."""
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return {}, f"{shown(old)} → {shown(new)}"
    gained = POINTS * (new - old)
    told = f"{POINTS * old:.2f} % → {POINTS * new:.2f} % ({gained:+.2f} points)"
    return {"points": round(gained, 6)}, told


def share_change(kind: str, quantity: str, label: str, old: float, new: float) -> Change:
    """Of two shares, 0 to 1."""
    points, told = _points(old, new)
    return Change(kind, quantity, f"{label}: {told}", None, old, new, points)


def decibels(value: object) -> str:
    """`25.4 dB`; a missing one stands for rounding of floating point alone."""
    return f"{value:.1f} dB" if isinstance(value, int | float) else "exact"


def _leaves(first: object, second: object) -> int:
    """How many values differ, at any depth."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return sum(_leaves(first.get(k), second.get(k)) for k in {*first, *second})
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return sum(_leaves(a, b) for a, b in zip(first, second, strict=True))
    return int(first != second)


def _plain(value: object) -> Json:
    """As JSON; what came of JSON is."""
    found: Json = json.loads(json.dumps(value))
    return found
