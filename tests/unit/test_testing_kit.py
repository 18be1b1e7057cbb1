"""The kit itself: an honest backend passes, and each that lies fails with what it lied about."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT

HONEST = '''
"""A chip whose file is the network, and whose machine is the oracle."""

import os
import random
import time
from dataclasses import replace

import numpy as np

from snncc_backends import Backend, OracleRunner, RateSettings, Runner
from snncc_ir import Diagnostic, parse_graph, print_graph, tensor_bytes, unpack
from snncc_ir.ops import Population


class FileRunner(Runner):
    description = "paper"

    def __init__(self, graph):
        self.inner = OracleRunner(graph)

    def run(self, samples, steps=None, record=False, progress=None):
        return self.inner.run(samples, steps, record, progress)


def known_neurons(graph, settings):
    """Neurons are if or hard-if."""
    for node in graph:
        if isinstance(node.op, Population) and node.op.model.name not in Chip.models:
            yield Diagnostic(
                "SNN041", f"the neurons are {node.op.model.name}", str(node.origin), "--neuron if"
            )


class Chip(Backend):
    name = "paper"
    summary = "a network on paper"
    codings = (RateSettings,)
    models = ("if", "readout")
    rules = (known_neurons,)

    def emit(self, graph, preprocessing, settings):
        return {
            "paper/text.sir": print_graph(graph).encode(),
            "paper/tensors.safetensors": tensor_bytes(graph),
        }

    def load(self, folder, graph):
        text = (folder / "paper/text.sir").read_text()
        tensors = unpack((folder / "paper/tensors.safetensors").read_bytes(), "tensors")
        return FileRunner(parse_graph(text, tensors, "text.sir"))
'''

LIES = {
    "flips a spike": (
        """
class Flipping(FileRunner):
    def run(self, samples, steps=None, record=False, progress=None):
        found = super().run(samples, steps, record, progress)
        spikes = {name: train.copy() for name, train in found.spikes.items()}
        if "k" in spikes:
            spikes["k"][2, 3, 4] ^= 1
        return replace(found, spikes=spikes)


class Liar(Chip):
    def load(self, folder, graph):
        return Flipping(super().load(folder, graph).inner._graph)
""",
        "if-dense differs from the oracle: 1 of 3500 spikes of 'k' differ, first at (2, 3, 4)",
    ),
    "counts wrongly": (
        """
class Counting(FileRunner):
    def run(self, samples, steps=None, record=False, progress=None):
        found = super().run(samples, steps, record, progress)
        return replace(found, spike_counts={k: c + 1 for k, c in found.spike_counts.items()})


class Liar(Chip):
    def load(self, folder, graph):
        return Counting(super().load(folder, graph).inner._graph)
""",
        "if-dense differs from the oracle: 5 of 5 spike counts of 'h' differ",
    ),
    "ignores steps": (
        """
class Whole(FileRunner):
    def run(self, samples, steps=None, record=False, progress=None):
        return super().run(samples, None, record, progress)


class Liar(Chip):
    def load(self, folder, graph):
        return Whole(super().load(folder, graph).inner._graph)
""",
        "if-dense, 5 steps on some of the samples differs from the oracle: 10 steps were run",
    ),
    "emits chance": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        return {**super().emit(graph, preprocessing, settings), "paper/id": os.urandom(8)}
""",
        "if-dense: emitting twice gives other bytes in paper/id",
    ),
    "emits the time": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        second = int(time.time()).to_bytes(8, "little")
        return {**super().emit(graph, preprocessing, settings), "paper/when": second}
""",
        "emitting in another process gives other bytes in paper/when",
    ),
    "emits an order of hashes": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        names = " ".join({node.name for node in graph})
        return {**super().emit(graph, preprocessing, settings), "paper/names": names.encode()}
""",
        "emitting in another process gives other bytes in paper/names",
    ),
    "emits its folder": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        here = os.path.join(os.getcwd(), "x").encode()
        return {**super().emit(graph, preprocessing, settings), "paper/where": here}
""",
        "if-dense: paper/where holds '",
    ),
    "leaves the folder": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        return {**super().emit(graph, preprocessing, settings), "/tmp/else": b""}
""",
        "the file name '/tmp/else' should be relative",
    ),
    "runs the graph": (
        """
class Liar(Chip):
    def load(self, folder, graph):
        super().load(folder, graph)  # so that damage is noticed
        return FileRunner(graph)
""",
        "it runs the graph, which is only to name and shape the results",
    ),
    "needs no files": (
        """
class Liar(Chip):
    def load(self, folder, graph):
        try:
            return super().load(folder, graph)
        except Exception:
            return FileRunner(graph)
""",
        "all files are empty, and the runner still runs",
    ),
    "repairs damage with zeros": (
        """
class Liar(Chip):
    def emit(self, graph, preprocessing, settings):
        files = super().emit(graph, preprocessing, settings)
        gains = np.full(4, 3, np.int8).tobytes()
        return {**files, "paper/gains": gains}

    def load(self, folder, graph):
        found = super().load(folder, graph).inner._graph
        gains = (folder / "paper/gains").read_bytes().ljust(4, b"\\0")
        return Gaining(found, int(gains[3]))


class Gaining(FileRunner):
    def __init__(self, graph, gain):
        super().__init__(graph)
        self.gain = gain

    def run(self, samples, steps=None, record=False, progress=None):
        found = super().run(samples, steps, record, progress)
        totals = {name: total * self.gain // 3 for name, total in found.totals.items()}
        return replace(found, totals=totals)
""",
        "paper/gains is cut off, and the results are others without a word",
    ),
    "crashes on damage": (
        """
class Liar(Chip):
    def load(self, folder, graph):
        if (folder / "paper/tensors.safetensors").stat().st_size < 500:
            raise KeyError("weights")
        return super().load(folder, graph)
""",
        "should be a SnnccError",
    ),
    "takes what it says it cannot": (
        """
class Liar(Chip):
    rules = ()
""",
        "a network of coding rate, neurons signed-if is taken, although the backend's lists",
    ),
    "refuses without a hint": (
        """
def never(graph, settings):
    \"\"\"Never.\"\"\"
    yield Diagnostic("SNN041", "the network is a network", "everywhere")


class Liar(Chip):
    rules = (never,)
""",
        "if-dense is refused without a hint: the network is a network",
    ),
    "refuses everything": (
        """
def never(graph, settings):
    \"\"\"Never.\"\"\"
    yield Diagnostic("SNN041", "the network is a network", "everywhere", "another chip")


class Liar(Chip):
    rules = (never,)
""",
        "no network of coding rate, neurons if is taken",
    ),
    "crashes on a rule": (
        """
def crash(graph, settings):
    \"\"\"Steps are even.\"\"\"
    if 10**9 % settings.steps:
        yield from ()


class Liar(Chip):
    rules = (known_neurons, crash)
    def pipeline(self, settings):
        return "fuse"
""",
        "option steps=0 raises ZeroDivisionError",
    ),
    "has a silent rule": (
        """
def silent(graph, settings):
    yield from ()


class Liar(Chip):
    rules = (known_neurons, silent)
""",
        "the rule silent has no docstring",
    ),
    "sums up nonsense": (
        """
class Liar(Chip):
    def summary_of(self, files):
        return {"cores": float("nan")}
""",
        "the key figure 'cores' is nan, should be a finite number",
    ),
    "foresees nonsense": (
        """
class Liar(Chip):
    def preview(self, graph, settings, thorough=False):
        from snncc_backends import Preview
        return Preview((Diagnostic("SNN041", "too large", "all", "less"),))
""",
        "the preview refuses what is emitted: too large",
    ),
}

ELSEWHERE = ("emits the time", "emits an order of hashes")
"""Lies that only another process shows."""


def plug_in(folder: Path, *liars: str) -> None:
    """Puts a backend `paper` there, as if it were installed, and one for each liar, `paper1` and so
    on; and the kit's own entry point."""
    points = ["[snncc.backends]", "paper = paper_chip:Chip"]
    (folder / "paper_chip.py").write_text(HONEST, encoding="utf-8")
    for i, liar in enumerate(liars, 1):
        source = f"{HONEST}{liar}\n\nLiar.name = 'paper{i}'\n"
        (folder / f"paper_liar{i}.py").write_text(source, encoding="utf-8")
        points.append(f"paper{i} = paper_liar{i}:Liar")
    info = folder / "paper_chip-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-chip\nVersion: 1.0\n")
    if not entry_points(group="pytest11", name="snncc"):
        points += ["[pytest11]", "snncc = snncc_pytest"]
    (info / "entry_points.txt").write_text("\n".join(points) + "\n")


def run_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """pytest in a process and folder of its own; its exit code and what it says."""
    roots = [folder, ROOT, ROOT / "ir", ROOT / "backends", ROOT / "templates"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots)), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


TESTS = """
from snncc.testing import BackendTests


class TestPaper(BackendTests):
    backend = "paper"
"""


def test_an_honest_backend_passes(tmp_path: Path) -> None:
    """With a test file of three lines, all warnings errors."""
    plug_in(tmp_path)
    (tmp_path / "test_paper.py").write_text(TESTS)
    code, said = run_pytest(tmp_path, "-W", "error", "test_paper.py")
    assert code == 0, said
    assert " passed" in said
    assert "skipped" not in said


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the kit says of each lie, of one run of all."""
    folder = tmp_path_factory.mktemp("liars")
    plug_in(folder, *(source for source, _ in LIES.values()))
    classes = [
        f"class TestLiar{i}(BackendTests):\n    backend = 'paper{i}'\n"
        for i in range(1, len(LIES) + 1)
    ]
    text = "from snncc.testing import BackendTests\n\n\n" + "\n\n".join(classes)
    (folder / "test_liars.py").write_text(text)
    # another process for each liar would take long, and only some lie there
    elsewhere = [f"TestLiar{i}" for i, lie in enumerate(LIES, 1) if lie in ELSEWHERE]
    few = f"(not test_network or dense) and (not another_process or {' or '.join(elsewhere)})"
    code, said = run_pytest(folder, "-k", few, "--junit-xml", "found.xml", "test_liars.py")
    assert code == 1, said
    found: dict[str, str] = {}
    for case in ElementTree.parse(folder / "found.xml").iter("testcase"):
        number = int(case.attrib["classname"].rpartition("TestLiar")[2])
        lie = list(LIES)[number - 1]
        messages = [failure.text or "" for failure in case.iter("failure")]
        found[lie] = "\n".join([found.get(lie, ""), *messages])
    return found


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_and_named(lie: str, failures: dict[str, str]) -> None:
    assert LIES[lie][1] in failures[lie]
    assert "Traceback" not in failures[lie]


def test_without_a_test_file(tmp_path: Path) -> None:
    """By the name of an installed backend, with a setting or a wrong one."""
    plug_in(tmp_path)
    kit = ["--pyargs", "snncc.testing", "-k", "test_network and dense or test_bundle"]
    code, said = run_pytest(tmp_path, *kit, "--backend", "paper", "--option", "weight_bits=8")
    assert code == 0, said
    code, said = run_pytest(tmp_path, *kit, "--backend", "paper", "--option", "speed=8")
    assert code != 0
    assert "option 'speed' is not known" in said
    code, said = run_pytest(tmp_path, *kit, "--backend", "nothing")
    assert code != 0
    assert "target 'nothing' is not known" in said
    code, said = run_pytest(tmp_path, *kit)
    assert code != 0
    assert "--backend NAME says what to test" in said


def test_the_plug_in_leaves_other_runs_alone(tmp_path: Path) -> None:
    """No option is added to them, nothing of snncc is imported, and their own `--backend` works."""
    plug_in(tmp_path)
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--backend', default='mine')\n"
    )
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n\ndef test_own(request):\n"
        "    assert request.config.getoption('--backend') == 'yours'\n"
        "    assert request.config.pluginmanager.has_plugin('snncc')\n"
        "    assert not [name for name in sys.modules if name.split('.')[0] == 'snncc']\n"
    )
    code, said = run_pytest(tmp_path, "-W", "error", "--backend", "yours", "test_own.py")
    assert code == 0, said


def test_snncc_needs_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; import snncc, snncc.cli, snncc_backends; "
        "assert not [n for n in sys.modules if n.startswith('snncc.testing')]"
    )
    roots = [ROOT, ROOT / "ir", ROOT / "backends", ROOT / "templates"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
