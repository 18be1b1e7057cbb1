"""docs/targets/loihi.md says what code and data say: words, chips, rules, schemas.

    pytest --update-golden tests/unit/test_loihi_docs.py

renews the generated parts.
"""

import inspect
import json
from importlib.resources import files
from pathlib import Path

import pytest

from snncc_loihi import LoihiBackend
from snncc_loihi.checker import LIMITS
from snncc_loihi.chip import BUILT_IN, load_chip
from snncc_loihi.words import LAYOUTS
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "targets" / "loihi.md"
SCHEMAS = {
    "chip.schema.json": files("snncc_loihi") / "chips" / "chip.schema.json",
    "cores.schema.json": files("snncc_loihi") / "cores.schema.json",
}


def words() -> str:
    rows = ["| word | bits | field |", "|---|---|---|"]
    for kind, fields in LAYOUTS.items():
        for number, field in enumerate(fields):
            name = kind.replace("_", " ") if number == 0 else ""
            sign = ", signed" if field.signed else ""
            rows.append(
                f"| {name} | {field.low}–{field.low + field.bits - 1} | {field.name}{sign} |"
            )
    return "\n".join(rows)


def chips() -> str:
    tables = [json.loads(load_chip(name).content) for name in sorted(BUILT_IN)]
    schema = json.loads(SCHEMAS["chip.schema.json"].read_text(encoding="utf-8"))
    head = " | ".join(table["name"] for table in tables)
    rows = [f"| entry | | {head} |", "|---|---|" + "---|" * len(tables)]
    for part in ("mesh", "limits", "numbers", "features"):
        for name, entry in schema["properties"][part]["properties"].items():
            values = " | ".join(_text(table[part][name]["value"]) for table in tables)
            rows.append(f"| `{part}.{name}` | {entry['description']} | {values} |")
    for set_name, costs in tables[0]["costs"].items():
        for name, entry in costs.items():
            if isinstance(entry, dict):
                about = schema["properties"]["costs"]["additionalProperties"]["properties"][name]
                cost = f"{entry['picojoule']:g} pJ, {entry['nanosecond']:g} ns"
                entry_name = f"costs.{set_name}.{name}"
                rows.append(f"| `{entry_name}` | {about['description']} | {cost} | {cost} |")
    return "\n".join(rows)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def rules() -> str:
    chip = LoihiBackend()
    lines = [inspect.getdoc(rule) or "" for rule in (*chip.rules, *LIMITS)]
    return "\n".join(f"* {' '.join(line.split())}" for line in lines)


PARTS = {"words": words, "chips": chips, "rules": rules}


@pytest.mark.parametrize("part", PARTS)
def test_generated_part(part: str, update_golden: bool) -> None:
    begin, end = f"<!-- {part} -->\n", f"\n<!-- end of {part} -->"
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    found, after = rest.split(end)
    if update_golden:
        PAGE.write_text(before + begin + PARTS[part]() + end + after, encoding="utf-8")
        return
    assert found == PARTS[part]()


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_published(name: str, update_golden: bool) -> None:
    path = ROOT / "docs" / "targets" / name
    content = SCHEMAS[name].read_text(encoding="utf-8")
    if update_golden:
        path.write_text(content, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == content


def test_both_chips_have_the_same_costs_in_the_page() -> None:
    """The page gives one column for both."""
    first, second = (json.loads(load_chip(name).content)["costs"] for name in BUILT_IN)
    for name, costs in first.items():
        for key, entry in costs.items():
            if isinstance(entry, dict):
                assert entry["picojoule"] == second[name][key]["picojoule"]
                assert entry["nanosecond"] == second[name][key]["nanosecond"]


def test_every_number_has_a_source() -> None:
    for name in BUILT_IN:
        table = json.loads(load_chip(name).content)
        for part in ("mesh", "limits", "numbers", "features"):
            for entry in table[part].values():
                assert entry["source"]
        assert all(costs["source"] for costs in table["costs"].values())


def test_the_page_is_where_others_look() -> None:
    assert "docs/targets/loihi.md" in (Path(inspect.getfile(LoihiBackend)).parent / "__init__.py"
                                       ).read_text(encoding="utf-8")  # fmt: skip
