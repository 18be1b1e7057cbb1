"""Which settings are the cheapest that keep the accuracy, and the trials that say so."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import inf

from snncc.build import Progress
from snncc.options import make_settings
from snncc.search.axes import Ladder, Rung, known_options, plan_for
from snncc.search.ladder import lowest
from snncc.search.paired import Paired, samples_needed
from snncc.search.study import Study
from snncc.search.trial import Candidate, Figures, Options, Trial, try_candidate
from snncc_backends import Backend, Settings
from snncc_ir import SnnccError, fail, nearest

Attempt = Callable[[Study, Candidate, Progress], Trial]

AUTO = "auto"
PREFERENCES = ("steps", "operations", "energy", "time")
CONFIDENCE = 90.0


@dataclass(frozen=True)
class Goal:
    """What is to be kept, and what is to be least.

    accuracy: percentage points that may be lost. prefer: `steps` until the result, synaptic
    `operations`, `energy`, or `time` on a processor; nothing: what the target prefers. confidence:
    of the bound on the loss, in per cent; at 50 the bound is the estimate itself.
    """

    accuracy: float
    prefer: str = ""
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 < self.accuracy <= 100:
            raise fail(
                "SNN042",
                f"accuracy is {self.accuracy:g}, should be above 0 and at most 100: percentage "
                "points that may be lost",
                hint="--accuracy 0.5",
            )
        if self.prefer and self.prefer not in PREFERENCES:
            raise fail(
                "SNN042",
                f"prefer is '{self.prefer}', should be {', '.join(PREFERENCES)}",
                hint=nearest(self.prefer, PREFERENCES, "leave --prefer out, for the target's own"),
            )
        if not 50 <= self.confidence < 100:
            raise fail(
                "SNN042",
                f"confidence is {self.confidence:g}, should be at least 50 and below 100 per cent",
                hint=f"--confidence {CONFIDENCE:g}, the default",
            )

    def bound(self, figures: Figures) -> float:
        """The bound on what is lost, in percentage points."""
        return 100 * figures.lost.bound(self.confidence / 100)

    def kept(self, trial: Trial) -> bool:
        """Whether no more is lost than may be."""
        return trial.figures is not None and self.bound(trial.figures) <= self.accuracy


@dataclass(frozen=True)
class Search:
    """What was tried, in order, and the one that is chosen; None when none keeps the accuracy."""

    goal: Goal
    study: Study
    trials: tuple[Trial, ...]
    chosen: Trial | None

    def as_json(self) -> dict[str, object]:
        """For the bundle's report."""
        return {
            "goal": asdict(self.goal),
            "samples": self.study.count,
            "held_out": self.study.held_out,
            "trials": [
                {
                    "settings": dict(trial.candidate.options),
                    "figures": None if trial.figures is None else asdict(trial.figures),
                    "error": trial.error,
                    "chosen": trial is self.chosen,
                }
                for trial in self.trials
            ],
        }

    def settings(self) -> Options:
        """The chosen settings; raises SNN043 when there are none."""
        if self.chosen is not None:
            return self.chosen.candidate.options
        measured = [t for t in self.trials if t.figures is not None]
        if not measured:
            raise fail(
                "SNN043",
                f"none of {len(self.trials)} settings compiles; the last one fails with "
                f"{self.trials[-1].error}",
                str(self.trials[-1].candidate),
                "compile with these settings and without --accuracy, which says all that is wrong",
            )
        best = min(measured, key=lambda t: self.goal.bound(t.figures) if t.figures else 100.0)
        bound = self.goal.bound(best.figures) if best.figures else 100.0
        raise fail(
            "SNN043",
            f"none of {len(self.trials)} settings loses at most {self.goal.accuracy:g} points with "
            f"{self.goal.confidence:g} % confidence on {self.study.count} samples; the best one "
            f"loses at most {bound:.2f}",
            str(best.candidate),
            "a larger --accuracy, more samples, or free what is fixed by other options",
        )


def search(
    chip: Backend,
    study: Study,
    goal: Goal,
    options: Options,
    progress: Progress = lambda what, done, total: None,
    attempt: Attempt = try_candidate,
) -> Search:
    """Looks for the cheapest settings. `options`, the user's, stay as they are.

    The option `coding` may be `auto`: all codings of the target. Raises SNN032 when the samples are
    too few to show what is asked for, SNN042 for options that no coding has.
    """
    needed = samples_needed(goal.accuracy / 100, goal.confidence / 100)
    if study.count < needed:
        most = 100 * Paired(study.count, 0, 0).bound(goal.confidence / 100)
        share = ", held out of the calibration samples," if study.held_out else ""
        raise fail(
            "SNN032",
            f"{study.count} samples to measure on{share} cannot show that only {goal.accuracy:g} "
            f"points are lost, should be at least {needed}",
            hint=f"more samples, --accuracy {most + 0.005:.2f}, or a lower --confidence",
        )
    goal = replace(goal, prefer=goal.prefer or chip.prefers)
    found = _Searching(chip, study, goal, progress, attempt)
    for coding, fixed in codings_for(chip, options):
        found.go_through(coding, fixed)
    return Search(goal, study, tuple(found.trials.values()), found.best)


def codings_for(chip: Backend, options: Options) -> list[tuple[type[Settings], Options]]:
    """The codings that are asked for, each with the options that it knows.

    With `auto` an option has to be known to one of them. Raises SNN042.
    """
    asked = options.get("coding", chip.codings[0].coding)
    names = [coding.coding for coding in chip.codings]
    if asked != AUTO and asked not in names:
        raise fail(
            "SNN042",
            f"coding is '{asked}', should be {' or '.join([*names, AUTO])} for target {chip.name}",
            hint="--coding auto, which tries all of them",
        )
    given = {key: value for key, value in options.items() if key != "coding"}
    chosen = [coding for coding in chip.codings if asked in (AUTO, coding.coding)]
    known = [known_options(chip, coding, given) for coding in chosen]
    for key in given:
        if not any(key in names for names in known):
            every = dict.fromkeys(name for names in known for name in sorted(names))
            raise fail(
                "SNN042",
                f"option '{key}' is not known, should be one of {', '.join(every)}",
                f"target {chip.name}",
                nearest(key, every, f"`snncc targets {chip.name}` lists them"),
            )
    return [
        (coding, {key: value for key, value in given.items() if key in names})
        for coding, names in zip(chosen, known, strict=True)
    ]


class _Searching:
    """Trials so far, each settings once, and the best that keeps the accuracy."""

    def __init__(
        self, chip: Backend, study: Study, goal: Goal, progress: Progress, attempt: Attempt
    ) -> None:
        self._chip, self._study, self._goal = chip, study, goal
        self._progress, self._attempt = progress, attempt
        self.trials: dict[str, Trial] = {}
        self.best: Trial | None = None

    def go_through(self, coding: type[Settings], fixed: Options) -> None:
        """All variants of a coding, each with ladder after ladder."""
        plan = plan_for(self._chip, coding, fixed)
        most: object = None
        for variant in plan.variants:
            ladders = plan.ladders
            if self._goal.prefer == "steps" and most is not None:
                # more steps than an earlier variant needs cannot win
                ladders = (_up_to(ladders[0], most), *ladders[1:])
            options = self._descend({"coding": coding.coding, **fixed, **variant}, ladders)
            if options is None:
                continue
            most = options.get("steps")
            trial = self._try(options)
            if self.best is None or self._cost(trial) < self._cost(self.best):
                self.best = trial

    def _descend(self, base: Rung, ladders: tuple[Ladder, ...]) -> Rung | None:
        """Goes down one ladder after the other; what a ladder gives is kept for the next ones."""
        found = self._lowest(base, ladders[0])
        if found is None and len(ladders) > 1:
            # with the dearest rungs of the other ladders it may do
            base = {**base, **{key: v for other in ladders[1:] for key, v in other[-1].items()}}
            found = self._lowest(base, ladders[0])
        if found is None:
            return None
        for ladder in ladders[1:]:
            found = self._lowest(found, ladder) or found
        return found

    def _lowest(self, base: Rung, ladder: Ladder) -> Rung | None:
        index = lowest(
            len(ladder), lambda rung: self._goal.kept(self._try({**base, **ladder[rung]}))
        )
        return None if index is None else {**base, **ladder[index]}

    def _cost(self, trial: Trial) -> tuple[float, float]:
        """What is preferred, then what decides a tie; what is not known costs most."""
        figures = trial.figures
        if figures is None:
            return inf, inf
        costs = {
            "steps": float(figures.latency),
            "operations": inf if figures.operations is None else figures.operations,
            "energy": inf if figures.microjoules is None else figures.microjoules,
            "time": inf if figures.work is None else figures.work,
        }
        return costs[self._goal.prefer], costs["operations"]

    def _try(self, options: Rung) -> Trial:
        candidate = Candidate(self._chip.name, options)
        key = settings_key(self._chip, options)
        if key not in self.trials:
            number = len(self.trials) + 1

            def said(what: str, done: int, total: int) -> None:
                self._progress(f"{number}: {candidate}: {what}", done, total)

            said("compile", 0, 1)
            trial = self._attempt(self._study, candidate, said)
            if self._goal.prefer == "energy" and trial.figures and not trial.figures.microjoules:
                raise fail(
                    "SNN042",
                    f"target {self._chip.name} has no estimate of energy to prefer by",
                    hint="--prefer operations",
                )
            if self._goal.prefer == "time" and trial.figures and trial.figures.work is None:
                raise fail(
                    "SNN042",
                    f"target {self._chip.name} is no processor, whose time could be preferred by",
                    hint="--prefer steps",
                )
            self.trials[key] = trial
        return self.trials[key]


def settings_key(chip: Backend, options: Options) -> str:
    """The same for options that mean the same settings."""
    try:
        return repr(make_settings(chip, None, options))
    except SnnccError:
        return repr(sorted((key, str(value)) for key, value in options.items()))


def _up_to(ladder: Ladder, most: object) -> Ladder:
    """The rungs of at most so many steps."""
    return tuple(
        rung
        for rung in ladder
        if not (isinstance(most, int) and isinstance(steps := rung.get("steps"), int))
        or steps <= most
    )
