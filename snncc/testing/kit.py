"""The base class of a backend's tests."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import pytest

from snncc.event_input import check_stream
from snncc.options import make_settings, own_pipeline
from snncc.testing import bundles
from snncc.testing.cases import (
    MODELS,
    Case,
    Options,
    attempt,
    attempts,
    cases_of,
    codings_of,
    first_models,
    fitted,
    models_of,
    settings_for,
)
from snncc.testing.checks import (
    check_files,
    check_findings,
    check_same_files,
    check_summary,
    loaded,
    without_traceback,
    written,
    wrong,
)
from snncc.testing.emitted import emitted_elsewhere, hashes
from snncc.testing.events import taking_events
from snncc.testing.forms import forms
from snncc.testing.models import MODELS as ONNX_MODELS
from snncc.testing.networks import network
from snncc.testing.runs import check_preview, check_results
from snncc_backends import (
    Backend,
    EventWindow,
    Preprocessing,
    backend,
)
from snncc_ir import SnnccError

EVENT_CASES = (("conv", 1, False), ("maxpool", 9, True), ("late-input", 9, False))
"""Networks of the family whose inputs become events: how many at a place, and their sign."""
WRONG = (-1, 0, 10**9, "no-such-thing", "nan")


class BackendTests:
    """Tests of one backend. A subclass names it; pytest does the rest.

    backend: the target's name. options: settings by name, as `snncc.compile` takes them. codings:
    those to test, by name; empty: all that the backend has.
    """

    backend: ClassVar[str] = ""
    options: ClassVar[Mapping[str, object]] = MappingProxyType({})
    codings: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def chosen(cls, config: pytest.Config) -> str:
        """The backend's name."""
        return cls.backend

    @classmethod
    def chosen_options(cls, config: pytest.Config) -> Mapping[str, object]:
        """The settings to test it with."""
        return cls.options

    @pytest.fixture
    def given(self, pytestconfig: pytest.Config) -> Mapping[str, object]:
        """The settings to test it with."""
        return self.chosen_options(pytestconfig)

    @pytest.fixture
    def chip(self, pytestconfig: pytest.Config) -> Backend:
        """The backend; fails the test when it cannot be loaded."""
        return _loaded(self.chosen(pytestconfig))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each network in each coding and neuron model that the backend takes."""
        wanted = {"case", "coding", "pair", "model"} & set(metafunc.fixturenames)
        if not wanted:
            return
        (what,) = wanted
        chip = _loaded(self.chosen(metafunc.config))
        cases = list(cases_of(chip, self.chosen_options(metafunc.config), self.codings))
        pairs = list(dict.fromkeys((case.coding, case.neuron) for case in cases))
        values: dict[str, list[object]] = {
            "case": list(cases),
            "coding": list(dict.fromkeys(case.coding for case in cases)),
            "pair": list(pairs),
            "model": list(ONNX_MODELS),
        }
        names = [
            "-".join(value) if isinstance(value, tuple) else str(value) for value in values[what]
        ]
        metafunc.parametrize(what, values[what], ids=names)

    # what a backend says of itself

    def test_what_it_says_of_itself(
        self, chip: Backend, given: Options, pytestconfig: pytest.Config
    ) -> None:
        """A name, a summary, codings, models, and rules whose docstrings the user is told."""
        if chip.name != self.chosen(pytestconfig):
            wrong(f"the backend is called '{chip.name}', its target {self.chosen(pytestconfig)}")
        if not chip.summary or "\n" in chip.summary:
            wrong(f"the summary is {chip.summary!r}, should be one line")
        if not chip.codings or not chip.models:
            wrong("the backend has no coding or no neuron model")
        for coding in set(codings_of(chip, self.codings)) - first_models(chip, given).keys():
            wrong(f"coding {coding} is taken, but none of its neuron models {MODELS[coding]}")
        for rule in (*chip.rules, *chip.limits):
            if not (rule.__doc__ or "").strip():
                name = getattr(rule, "__name__", repr(rule))
                wrong(f"the rule {name} has no docstring, which is what the user is told")

    def test_settings_lead_to_a_pipeline(self, chip: Backend, given: Options, coding: str) -> None:
        """The defaults and every neuron model are taken by the passes."""
        for neuron in models_of(chip, coding, given):
            settings = settings_for(chip, coding, neuron, given)
            found = without_traceback("the pipeline", own_pipeline, chip, settings)
            if isinstance(found, SnnccError):
                wrong(f"the pipeline of coding {coding}, neurons {neuron}, is refused: {found}")

    # networks

    def test_network(self, chip: Backend, given: Options, case: Case, tmp_path: Path) -> None:
        """Refused by a rule, or emitted, loaded from the files and equal to the oracle."""
        what = str(case)
        for taken in attempts(chip, case, given):
            check_findings(what, taken.findings)
            check_preview(what, chip, taken.graph, taken.settings, refused=bool(taken.findings))
        if taken.findings:
            pytest.skip(f"{what} is refused: {taken.findings[0].message}")
        graph = taken.graph
        check_files(what, taken.files)
        again = chip.emit(graph, Preprocessing(), taken.settings)
        check_same_files(what, "emitting twice", taken.files, again)
        check_summary(what, chip.summary_of(taken.files))
        runner = loaded(what, chip, written(taken.files, tmp_path), graph)
        check_results(what, runner, graph)

    @pytest.mark.parametrize(("name", "most", "signed"), EVENT_CASES)
    def test_events(
        self, chip: Backend, given: Options, name: str, most: int, signed: bool, tmp_path: Path
    ) -> None:
        """A stream of events for an input, equal to the oracle where the backend says that it
        takes such; else refused."""
        if not chip.event_streams:
            window = Preprocessing(events=EventWindow(duration=1))
            settings = chip.defaults(chip.codings[0], given)
            if not isinstance(
                without_traceback("events", check_stream, chip, settings, window), SnnccError
            ):
                wrong("a stream of events is taken, should be refused without event_streams")
            return
        if not first_models(chip, given, ("rate",)):
            wrong("event_streams is set, and no neuron model of the rate code is taken")
        for neuron in models_of(chip, "rate", given):
            graph = taking_events(network(name, neuron), most, signed)
            settings = fitted(settings_for(chip, "rate", neuron, given), graph, given)
            what = f"{neuron}-{name} with events"
            taken = attempt(chip, graph, settings)
            check_findings(what, taken.findings)
            if not taken.findings:
                folder = written(taken.files, tmp_path / neuron)
                check_results(what, loaded(what, chip, folder, graph), graph)
                return
        wrong(f"no network of events is taken: {taken.findings[0].message}")

    def test_takes_a_network(self, chip: Backend, given: Options, pair: tuple[str, str]) -> None:
        """In each coding and neuron model that the backend says it takes."""
        coding, neuron = pair
        for case in cases_of(chip, given, (coding,)):
            if case.neuron == neuron:
                *_, last = attempts(chip, case, given)
                if not last.findings:
                    return
        wrong(f"no network of coding {coding}, neurons {neuron} is taken: {last.findings[0]}")

    def test_same_bytes_in_another_process(
        self, chip: Backend, given: Options, tmp_path: Path
    ) -> None:
        """With another hash seed, in another folder and second: all of the first model of each
        coding, and a network of the others."""
        cases, full = [], first_models(chip, given, self.codings).values()
        for case in cases_of(chip, given, self.codings):
            if case.neuron in full or case.name == "dense":
                cases.append(case)
        here = []
        for case in cases:
            *_, last = attempts(chip, case, given)
            here.append(hashes(last.files))
        elsewhere = emitted_elsewhere(chip.name, cases, given, tmp_path)
        for case, own, other in zip(cases, here, elsewhere, strict=True):
            check_same_files(str(case), "emitting in another process", own, other)

    def test_files_alone_decide(
        self, chip: Backend, given: Options, coding: str, tmp_path: Path
    ) -> None:
        """A runner that is given another network of the same shapes still runs its files."""
        neuron = first_models(chip, given)[coding]
        settings = settings_for(chip, coding, neuron, given)
        for name in ("dense", "conv", "binary-dense"):
            pairs = zip(forms(name, neuron), forms(name, neuron, seed=1), strict=True)
            for graph, other in pairs:
                taken = attempt(chip, graph, fitted(settings, graph, given))
                if not taken.findings:
                    folder = written(taken.files, tmp_path / name)
                    bundles.check_runs_files(f"{neuron}-{name}", chip, folder, graph, other)
                    return
        pytest.skip(f"no small network of coding {coding} is taken")

    # refusals

    def test_refuses_other_models(self, chip: Backend, given: Options) -> None:
        """Networks of codings and neuron models that are not in the backend's lists."""
        own = codings_of(chip, ())
        for coding, neurons in MODELS.items():
            shown = coding if coding in own else (own[0] if own else "")
            if not shown:
                continue
            first = MODELS[shown][0]
            settings = settings_for(chip, shown, first, given)
            taken = chip.models_of(settings) if coding in own else ()
            for neuron in neurons:
                if neuron in taken:
                    continue
                for graph in forms("dense", neuron):
                    what = f"a network of coding {coding}, neurons {neuron}"
                    found = without_traceback(f"{what}: emitting", attempt, chip, graph, settings)
                    if isinstance(found, SnnccError):
                        check_findings(what, found.diagnostics, place=False)
                    elif found.findings:
                        check_findings(what, found.findings, place=False)
                    else:
                        wrong(f"{what} is taken, although the backend's lists do not have them")

    def test_refuses_what_is_not_known(self, chip: Backend) -> None:
        """Codings and options: SNN042."""
        for asked in ({"coding": "no-such-coding"}, {"no_such_option": 1}, {"steps": "many"}):
            found = without_traceback(f"asking for {asked}", make_settings, chip, None, asked)
            codes = [d.code for d in found.diagnostics] if isinstance(found, SnnccError) else []
            if codes != ["SNN042"]:
                wrong(f"asking for {asked} should be refused with SNN042, is {codes or 'taken'}")

    def test_wrong_values_never_crash(self, chip: Backend, given: Options, coding: str) -> None:
        """Of every option: refused, or taken up to the rules; never a traceback."""
        first = first_models(chip, given)[coding]
        defaults = settings_for(chip, coding, first, given)
        graph = network("dense", first)
        for field in fields(defaults):
            for value in WRONG:

                def ask(key: str = field.name, value: object = value) -> None:
                    asked = make_settings(chip, None, {"coding": coding, key: value})
                    own_pipeline(chip, asked)
                    list(chip.check(graph, asked))

                without_traceback(f"option {field.name}={value}", ask)

    # bundles

    def test_bundle(self, chip: Backend, given: Options, model: str, tmp_path: Path) -> None:
        """From an ONNX model to a bundle that holds, in every coding."""
        for coding in codings_of(chip, self.codings):
            neuron = first_models(chip, given)[coding]
            settings = settings_for(chip, coding, neuron, given)
            bundles.check_bundle(chip, model, settings, tmp_path / coding)

    def test_damaged_files(
        self, chip: Backend, given: Options, coding: str, tmp_path: Path
    ) -> None:
        """A file that is cut off is refused, or does not matter; a bundle notices in any case."""
        neuron = first_models(chip, given)[coding]
        settings = settings_for(chip, coding, neuron, given)
        bundles.check_damage(chip, settings, tmp_path)


def _loaded(name: str) -> Backend:
    if not name:
        wrong("no backend is named: backend = NAME in the class, or --backend NAME")
    try:
        return backend(name)
    except SnnccError as error:
        wrong(f"the backend cannot be loaded: {error}")
