"""Every kind of broken plug-in is named, and breaks nothing else."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import snncc_backends.registry
from snncc.cli.main import main
from snncc.inspection import inspect
from snncc.options import make_settings
from snncc_backends import (
    INTERFACE,
    Backend,
    RateSettings,
    Settings,
    backend,
    image_formats,
    targets,
)
from snncc_backends.registry import BUILT_IN
from snncc_c import CBackend
from snncc_ir import Diagnostic, Graph, SnnccError
from tests.e2e.models import mlp
from tests.unit.test_backends import Other, plug_in


class Unfinished(Backend):
    name = "other"


class Newer(Other):
    interface = (INTERFACE[0] + 1, 0)


class NewerInPart(Other):
    interface = (INTERFACE[0], INTERFACE[1] + 1)


class NewerAndUnfinished(Unfinished):
    interface = (INTERFACE[0] + 1, 0)


class Older(Other):
    interface = (INTERFACE[0] - 1, 7)


class NoVersion(Other):
    interface = "1.0"  # type: ignore[assignment]


class Misnamed(Other):
    name = "mine"


class Silent(Backend):
    codings = (RateSettings,)
    models = ("if",)
    emit = Other.emit
    load = Other.load


class NoCodings(Other):
    codings = ()  # type: ignore[assignment]


class NoSettings(Other):
    codings = (dict,)  # type: ignore[assignment]


@dataclass(frozen=True)
class ListSettings(RateSettings):
    cores: tuple[int, ...] = ()


class WrongOption(Other):
    codings = (ListSettings,)


class WrongModel(Other):
    models = ("if", "lif")  # type: ignore[assignment]


class Raises(Other):
    def __init__(self) -> None:
        raise ValueError("no licence for this chip")


class Leaves(Other):
    def __init__(self) -> None:
        sys.exit("no licence for this chip")


BROKEN = {
    "no_such_module:Chip": "cannot be loaded: ModuleNotFoundError: No module named",
    f"{__name__}:Nothing": "cannot be loaded: AttributeError",
    "not an entry point": "cannot be loaded: AttributeError",
    "builtins:dict": "is dict, should be a snncc_backends.Backend",
    f"{__name__}:BROKEN": "cannot be loaded: TypeError: 'dict' object is not callable",
    f"{__name__}:Unfinished": "cannot be loaded: TypeError: Can't instantiate abstract class",
    f"{__name__}:Raises": "cannot be loaded: ValueError: no licence for this chip",
    f"{__name__}:Leaves": "cannot be loaded: SystemExit: no licence for this chip",
    f"{__name__}:Newer": "was written for interface 2.0 of backends, should be for 1.0 to 1.2",
    f"{__name__}:NewerInPart": "was written for interface 1.3 of backends, should be for 1.0 to",
    f"{__name__}:NewerAndUnfinished": "was written for interface 2.0 of backends, should be",
    f"{__name__}:Older": "was written for interface 0.7 of backends, should be for 1.0 to 1.2",
    f"{__name__}:NoVersion": "states interface '1.0', should be two numbers such as (1, 2)",
    f"{__name__}:Misnamed": "is broken: its class is named 'mine', should be 'other', as its entry",
    f"{__name__}:Silent": "is broken: its class has no `name`",
    f"{__name__}:NoCodings": "is broken: its class has no `codings`",
    f"{__name__}:NoSettings": "is broken: codings has <class 'dict'>, should have classes of",
    f"{__name__}:WrongOption": "is broken: ListSettings.cores is tuple[int, ...], should be int, ",
    f"{__name__}:WrongModel": "is broken: models has lif, should have some of ",
}
"""What an entry point names, and what is said of it."""


@pytest.mark.parametrize("reference", BROKEN, ids=lambda reference: reference.rsplit(":")[-1])
def test_a_broken_plug_in_is_named_and_breaks_nothing(
    reference: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    plug_in(monkeypatch, ("other", reference))
    assert list(targets()) == [*BUILT_IN, "other"]
    assert backend("c").name == "c"
    with pytest.raises(SnnccError) as caught:
        backend("other")
    (found,) = caught.value.diagnostics
    assert found.code == "SNN040"
    assert found.message.startswith("target 'other' ")
    assert BROKEN[reference] in found.message
    assert found.place == reference
    assert found.hint
    # commands that look at all targets name it, and do what they are to do
    (rows,) = [printed(capfd, "targets", "--json")]
    assert [row["name"] for row in rows] == [*BUILT_IN, "other"]
    assert rows[-1]["summary"] == f"broken: {found.message}"
    looks = {look.name: look for look in inspect(mlp(tmp_path)).targets}
    assert looks["c"].fits
    assert looks["other"].findings == (found,)
    assert {image.keyword for image in image_formats()} >= {"ttfs28", "loihi"}
    with pytest.raises(SnnccError, match="SNN042"):
        make_settings(CBackend(), None, {"speed": 3})


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    """JSON that a command prints."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert not caught.value.code
    found: list[dict[str, object]] = json.loads(capfd.readouterr().out)
    return found


def test_older_interfaces_of_the_same_kind_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snncc_backends.registry, "INTERFACE", (1, 4))
    plug_in(monkeypatch, ("other", f"{__name__}:Other"))
    assert backend("other").interface == (1, 0)


def test_the_way_out_of_another_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    hints = {}
    for name in ("Newer", "Older"):
        plug_in(monkeypatch, ("other", f"{__name__}:{name}"))
        with pytest.raises(SnnccError) as caught:
            backend("other")
        hints[name] = caught.value.diagnostics[0].hint
    assert hints["Newer"] == "a newer snncc, or an older version of the package"
    assert hints["Older"].startswith("a newer version of the package")


def test_damaged_entry_points_break_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for package, points in (("bad", "[snncc.backends]\nchip\n"), ("good", GOOD_POINTS)):
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    assert backend("other").summary == "another chip"
    rows = printed(capfd, "targets", "--json")
    assert [row["name"] for row in rows] == [*BUILT_IN, "other", "bad"]
    assert "entry points of package 'bad' cannot be read" in str(rows[-1]["summary"])


GOOD_POINTS = f"[snncc.backends]\nother = {__name__}:Other\n"


class Surprised(Other):
    def check(self, graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
        raise KeyError("cores")


def test_a_plug_in_that_raises_does_not_end_inspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, ("other", f"{__name__}:Surprised"))
    looks = {look.name: look for look in inspect(mlp(tmp_path)).targets}
    assert looks["c"].fits
    assert "cannot look at the network: KeyError: 'cores'" in looks["other"].findings[0].message
