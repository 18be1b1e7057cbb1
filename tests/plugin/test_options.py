"""Options of settings: what they say of themselves, and what they refuse."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from snncc.options import make_settings
from snncc_backends import Option, RateSettings, backend, options_of
from snncc_ir import SnnccError
from tests.unit.test_backends import Other


@dataclass(frozen=True)
class OwnSettings(RateSettings):
    weight_bits: int = 4
    cores: Annotated[int, Option("that the chip has", least=1, most=64)] = 16
    clock: Annotated[float, Option("in MHz", least=0.5)] = 100.0
    mesh: Annotated[str, Option("of cores", choices=("torus", "plane"))] = "torus"
    gated: Annotated[bool, Option("cores without spikes sleep")] = True
    name: str = ""


class WithOptions(Other):
    codings = (OwnSettings,)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("cores", "many", "option 'cores' is 'many', should be a whole number, 1 to 64"),
        ("cores", 2.5, "option 'cores' is '2.5', should be a whole number, 1 to 64"),
        ("cores", True, "option 'cores' is 'True', should be a whole number, 1 to 64"),
        ("cores", None, "option 'cores' is 'None', should be a whole number, 1 to 64"),
        ("cores", 65, "cores is 65, should be 1 to 64"),
        ("clock", "fast", "option 'clock' is 'fast', should be a number, at least 0.5"),
        ("clock", 0.25, "clock is 0.25, should be at least 0.5"),
        ("clock", "nan", "clock is nan, should be at least 0.5"),
        ("start", "inf", "start is inf, should be finite"),
        ("mesh", "ring", "mesh is 'ring', should be torus or plane"),
        ("gated", "perhaps", "option 'gated' is 'perhaps', should be yes or no"),
    ],
)
def test_options_say_what_they_take(option: str, value: object, message: str) -> None:
    with pytest.raises(SnnccError) as caught:
        make_settings(WithOptions(), None, {option: value})
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("SNN042", message)
    assert found.hint


def test_options_are_read() -> None:
    given = {"cores": "8", "clock": "50", "gated": "no", "steps": 4.0, "mesh": "plane"}
    settings = make_settings(WithOptions(), None, given)
    assert settings == OwnSettings(cores=8, clock=50.0, gated=False, steps=4, mesh="plane")
    assert type(settings.as_json()["steps"]) is int


def test_options_are_told() -> None:
    told = {each.name: each for each in options_of(OwnSettings)}
    assert told["cores"].wanted == "a whole number, 1 to 64"
    assert told["cores"].option.help == "that the chip has"
    assert told["mesh"].wanted == "torus or plane"
    assert told["gated"].wanted == "yes or no"
    # of the class above, with another default
    assert told["weight_bits"].option.help == "of integer weights"
    assert told["name"].option.help == ""


@pytest.mark.parametrize("name", ["c", "ttfs28", "loihi"])
def test_every_option_of_ours_has_a_help(name: str) -> None:
    for coding in backend(name).codings:
        assert all(each.option.help for each in options_of(coding))
        coding()  # the defaults are among what is taken
