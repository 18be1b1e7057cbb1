"""The backend class of the `ttfs28` target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snncc_backends import (
    Backend,
    Execution,
    Preprocessing,
    Preview,
    Runner,
    Section,
    Settings,
)
from snncc_ir import Graph, fail
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.format import Ttfs28Format
from snncc_ttfs28.image import image_bytes
from snncc_ttfs28.preview import look_at
from snncc_ttfs28.rules import RULES
from snncc_ttfs28.runner import ImageRunner
from snncc_ttfs28.sections import sections
from snncc_ttfs28.settings import Ttfs28Settings, settings_for

IMAGE = Ttfs28Format.path
MACHINE = "ttfs28/machine.json"


class Ttfs28Backend(Backend):
    """A time-to-first-spike accelerator: its image, and the emulator that runs it."""

    name = "ttfs28"
    summary = "time-to-first-spike accelerator in 28 nm: image and emulator"
    codings = (Ttfs28Settings,)
    models = ("ttfs", "readout")
    rules = RULES
    image = Ttfs28Format()

    def defaults(self, coding: type[Settings], options: Mapping[str, object]) -> Settings:
        return settings_for(options)

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        if not isinstance(settings, Ttfs28Settings):
            raise fail(
                "SNN042",
                f"the settings are {type(settings).__name__}, should be Ttfs28Settings",
                hint="snncc_ttfs28.Ttfs28Settings(…), or the options as keywords",
            )
        machine = settings.description
        return {
            IMAGE: image_bytes(make_image(graph, machine)),
            MACHINE: machine.content,
        }

    def sections(
        self, folder: Path, graph: Graph, execution: Execution | None
    ) -> Sequence[Section]:
        return sections(folder, execution)

    def load(self, folder: Path, graph: Graph) -> Runner:
        return ImageRunner(folder / IMAGE, graph)

    def preview(self, graph: Graph, settings: Settings, thorough: bool = False) -> Preview:
        findings = tuple(self.check(graph, settings))
        if findings or not isinstance(settings, Ttfs28Settings):
            return Preview(findings)
        return look_at(graph, settings.description)
