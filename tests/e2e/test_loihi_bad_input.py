"""What a user gets wrong with target loihi: a code and what was found; nothing half-written."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from snncc_loihi.backend import CHIP, CORES, MAP
from snncc_loihi.checker import LIMITS
from snncc_loihi.chip import BUILT_IN, parse_chip
from tests.e2e.models import mlp, residual, samples
from tests.e2e.test_bad_input import files
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]

Table = dict[str, dict[str, dict[str, object]]]


def described(name: str = "loihi2", /, **values: object) -> Table:
    """A built-in chip with other values: `limits__delay=3`."""
    import snncc_loihi.chip

    path = Path(snncc_loihi.chip.__file__).parent / "chips" / f"{name}.json"
    table: Table = json.loads(path.read_text(encoding="utf-8"))
    for key, value in values.items():
        part, _, entry = key.partition("__")
        if entry:
            table[part][entry]["value"] = value
        else:
            table[part] = value  # type: ignore[assignment]
    return table


def written(path: Path, table: object) -> Path:
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


CONTRADICTIONS: dict[str, tuple[Table, str]] = {
    "cores": (described(mesh__cores=127), "has 127 cores, should be width · height"),
    "no limit on synapses": (described(limits__core_bytes=0), "has no limit on synapses"),
    "compartments": (
        described(limits__compartment_bytes=100),
        "has 8192 compartments of 100 bytes in 196608 bytes, should have room for them",
    ),
    "reach": (
        described("loihi1", limits__axon_base=0, numbers__index_bits=[6]),
        "reaches compartment 63 with axon_base and index_bits, should be at least 1023",
    ),
    "delays": (described(limits__delay=64), "has delays of 64 in 6 bits, should fit them"),
    "weights": (described(numbers__weight_bits=[9]), "has weights of 9 bits, should be at most 8"),
    "potentials": (
        described(numbers__potential_bits=25), "has potentials of 25 bits, should be at most 24",
    ),
    "coupled": (
        described("loihi1", features__joins=False), "has a coupled soft reset without joins",
    ),
    "held": (described(features__payload=1), "has held currents without graded spikes"),
    "costs": (described(default_costs="none"), "has default_costs 'none', should be one of"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_chip_that_contradicts_itself(case: str, cli: Cli, tmp_path: Path) -> None:
    table, message = CONTRADICTIONS[case]
    refused(cli, tmp_path, written(tmp_path / "chip.json", table), "SNN042", message)


def refused(
    cli: Cli, folder: Path, chip: object, code: str, message: str, *options: str,
    make: Callable[[Path], Path] = mlp, shape: tuple[int, ...] = (4,),
) -> str:  # fmt: skip
    """What compiling for a chip prints, which fails and leaves nothing."""
    model, data, out = make(folder), samples(folder / "data.npz", shape), folder / "out"
    before = files(folder)
    shown = cli(
        model, "--calib", data, "--target", "loihi", "--set", f"chip={chip}", "--set",
        "calibrate=off", *options, "-o", out, code=2,
    )  # fmt: skip
    assert f"error {code}: " in shown.err
    assert message in " ".join(shown.err.split())
    assert not out.exists()
    assert files(folder) == before
    return shown.err


def without(part: str, entry: str) -> Table:
    table = described()
    del table[part][entry]
    return table


def unknown_limit() -> Table:
    table = described()
    table["limits"]["neurons"] = {"value": 1, "source": "assumption"}
    return table


FILES: dict[str, tuple[bytes | object, str]] = {
    "empty": (b"", "the chip description is no JSON"),
    "no JSON": (b"{cores: 4}", "the chip description is no JSON"),
    "bytes": (b"\xff\xfe\x00", "the chip description is no JSON"),
    "a list": ([], "is wrong at the whole: [] is not of type 'object'"),
    "deep": (b"[" * 100_000, "the chip description is no JSON"),
    "zero cores": (described(mesh__cores=0), "is wrong at mesh.cores.value: 0 is less than"),
    "negative": (described(limits__formats=-1), "is wrong at limits.formats.value"),
    "a text": (described(limits__delay="two"), "is wrong at limits.delay.value: 'two' is not of"),
    "a half": (described(limits__delay=0.5), "is wrong at limits.delay.value: 0.5 is not of"),
    "not a number": (
        json.dumps(described()).replace("196608", "NaN").encode(), "is wrong at limits.core_bytes",
    ),
    "huge": (described(mesh__width=1 << 80), "is wrong at mesh.width.value"),
    "a truth": (described(features__runs=1), "is wrong at features.runs.value: 1 is not of type"),
    "a true number": (described(limits__delay=True), "is wrong at limits.delay.value: True is"),
    "no widths": (described(numbers__weight_bits=[]), "is wrong at numbers.weight_bits.value"),
    "reset": (described(features__soft_reset="soft"), "is wrong at features.soft_reset.value"),
    "missing": (without("limits", "delay"), "is wrong at limits: 'delay' is a required property"),
    "unknown": (described(voltage=3), "is wrong at the whole: Additional properties are not"),
    "unknown limit": (unknown_limit(), "is wrong at limits: Additional properties are not"),
    "no costs": (described(costs={}), "is wrong at costs"),
    "name": (described(name="../x"), "is wrong at name: '../x' does not match"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_chip_that_cannot_be_read(case: str, cli: Cli, tmp_path: Path) -> None:
    content, message = FILES[case]
    path = tmp_path / "chip.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    shown = refused(cli, tmp_path, path, "SNN042", message)
    assert str(path.name) in shown


@pytest.mark.parametrize("name", ["none.json", "loihi3", "", "."])
def test_a_chip_that_there_is_not(name: str, cli: Cli, tmp_path: Path) -> None:
    shown = refused(cli, tmp_path, name, "SNN042", "the chip description cannot be read")
    assert " or ".join(BUILT_IN) in shown


def tiny(**values: object) -> Table:
    """A chip of two cores, each with room for 8 compartments; or with other values."""
    small: dict[str, object] = {
        "name": "tiny", "mesh__cores": 2, "mesh__cores_per_tile": 1, "mesh__width": 2,
        "mesh__height": 1, "mesh__most_chips": 1, "limits__compartments": 8,
    }  # fmt: skip
    return described("loihi1", **{**small, **values})


TOO_LARGE: dict[str, tuple[Table, str]] = {
    "more cores than there are": (tiny(), "cores, should be at most 2, those of 1 chips"),
    "input axons": (tiny(limits__input_axons=2), "input axons of a core, should be at most 2"),
    "synapse words": (tiny(limits__synapse_words=1), "synapse words of a core"),
    "profiles": (
        tiny(limits__profiles=1, mesh__most_chips=8),
        "takes 2 profiles, should be at most 1",
    ),
    "compartments": (tiny(limits__compartments=1), "compartments"),
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_network_that_does_not_fit(case: str, cli: Cli, tmp_path: Path) -> None:
    table, message = TOO_LARGE[case]
    refused(cli, tmp_path, written(tmp_path / "tiny.json", table), "SNN041", message)


OPTIONS: dict[str, tuple[str, list[str], str, str]] = {
    "neuron": (
        "loihi1", ["--neuron", "signed-if"], "SNN041", "are signed-if, should be",
    ),
    "graded": ("loihi1", ["--neuron", "graded"], "SNN041", "are graded, should be"),
    "most": ("loihi2", ["--set", "most=128"], "SNN042", "most is 128, should be 1 to"),
    "coding": (
        "loihi2", ["--coding", "ttfs"], "SNN042", "coding is 'ttfs', should be rate for target",
    ),
    "weights": ("loihi2", ["--weight-bits", "16"], "SNN041", "should be at most 127"),
    "costs": ("loihi2", ["--set", "costs=mine"], "SNN042", "costs is 'mine', should be"),
    "seed": ("loihi2", ["--set", "seed=x"], "SNN042", "option 'seed' is 'x', should be a whole"),
    "option": ("loihi2", ["--set", "cores=4"], "SNN042", "option 'cores' is not known"),
    "steps": ("loihi2", ["--steps", "0"], "SNN042", "steps is 0, should be 1 to"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options(case: str, cli: Cli, tmp_path: Path) -> None:
    chip, options, code, message = OPTIONS[case]
    refused(cli, tmp_path, chip, code, message, *options)


def test_a_max_pool_without_joins(cli: Cli, tmp_path: Path) -> None:
    table = described("loihi1", features__joins=False, features__soft_reset="none")
    chip = written(tmp_path / "chip.json", table)
    options = ["--neuron", "hard-if"]
    refused(cli, tmp_path, chip, "SNN041", "is a max pool", *options,
            make=residual, shape=(2, 6, 6))  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import snncc

    folder = tmp_path_factory.mktemp("loihi")
    model, data = mlp(folder), samples(folder / "data.npz", (4,))
    made = snncc.compile(
        model, calibration=data, target="loihi", output=folder / "bundle",
        settings={"chip": "loihi2", "calibrate": "off", "steps": 4},
    )  # fmt: skip
    return made.folder


def opened(bundle: Path, folder: Path) -> Path:
    """A copy of the bundle, to be changed."""
    return Path(shutil.copytree(bundle, folder / "bundle"))


def change(bundle: Path, name: str, content: bytes) -> None:
    """A file says something else, and the manifest agrees."""
    (bundle / name).write_bytes(content)
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"][name] = sha256(content).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("name", [MAP, CORES, CHIP])
def test_a_file_that_was_changed(name: str, bundle: Path, cli: Cli, tmp_path: Path) -> None:
    changed = opened(bundle, tmp_path)
    content = (changed / name).read_bytes()
    (changed / name).write_bytes(content[:-1] + b"?")
    data = samples(tmp_path / "data.npz", (4,))
    shown = cli("run", changed, "--data", data, code=2)
    assert f"SNN051: {name} is not what the manifest says" in shown.err
    (changed / name).unlink()
    assert "error SNN051: " in cli("run", changed, "--data", data, code=2).err


MAPS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda content: b"", "header at byte 0: the magic is another"),
    "text": (lambda content: b"loihi 1", "the magic is another"),
    "short": (lambda content: content[:40], "header at byte 40: the file ends"),
    "truncated": (lambda content: content[:-8], "bytes, should have"),
    "longer": (lambda content: content + bytes(8), "bytes, should have"),
    "version": (lambda content: content[:8] + b"\2" + content[9:], "the version is 2"),
    "another chip": (
        lambda content: content[:32] + bytes(32) + content[64:],
        "the map was made for another chip than 'loihi2'",
    ),
    "steps": (
        lambda content: content[:24] + b"\7\0\0\0" + content[28:],
        "the map has 7 time steps, should have those of the network",
    ),
    "place": (
        # the only core, far beyond the last place of the largest system
        lambda content: content[:64] + (1 << 30).to_bytes(8, "little") + content[72:],
        "limit places: core at place 1073741824: the place is 1073741824",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPS)
def test_a_map_that_is_damaged(case: str, bundle: Path, cli: Cli, tmp_path: Path) -> None:
    make, message = MAPS[case]
    changed = opened(bundle, tmp_path)
    change(changed, MAP, make((changed / MAP).read_bytes()))
    data = samples(tmp_path / "data.npz", (4,))
    model = bundle.parent / "mlp.onnx"
    for command in (
        ["run", changed, "--data", data],
        ["verify", changed, "--model", model, "--data", data],
    ):
        shown = cli(*command, code=2)
        assert "error SNN060: " in shown.err
        assert message in " ".join(shown.err.split())
        assert "compile the network anew" in shown.err


def test_a_map_beyond_its_chip(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    """Map and chip agree with each other, and yet a limit is broken."""
    changed = opened(bundle, tmp_path)
    table = json.loads((changed / CHIP).read_bytes())
    table["limits"]["input_axons"]["value"] = 1
    chip = parse_chip(json.dumps(table).encode(), "chip")
    change(changed, CHIP, chip.content)
    content = (changed / MAP).read_bytes()
    change(changed, MAP, content[:32] + chip.digest + content[64:])
    shown = cli("run", changed, "--data", samples(tmp_path / "data.npz", (4,)), code=2)
    assert "error SNN060: limit input_axons: core at place" in shown.err
    assert "should be at most 1" in shown.err


BESIDE: dict[str, tuple[str, bytes, str, str]] = {
    "no chip": (CHIP, b"", "SNN042", "the chip description is no JSON"),
    "half a chip": (CHIP, b"{}", "SNN042", "the chip description is wrong at"),
    "another chip": (
        CHIP, parse_chip(json.dumps(described("loihi1")).encode(), "x").content, "SNN060",
        "the map was made for another chip than 'loihi1'",
    ),
    "no cores": (CORES, b"", "SNN060", "should have populations with a name each"),
    "deep cores": (CORES, b"[" * 100_000, "SNN060", "should have populations with a name each"),
    "a list": (CORES, b"[]", "SNN060", "should have populations with a name each"),
    "no names": (CORES, b'{"populations": [{}], "unit": 1}', "SNN060", "with a name each"),
    "a number": (CORES, b'{"populations": [{"name": 3}], "unit": 1}', "SNN060", "a name each"),
    "other names": (
        CORES, b'{"populations": [{"name": "x"}], "unit": 1}', "SNN060", "should be",
    ),
    "no unit": (CORES, b'{"populations": [{"name": "x"}], "unit": 0}', "SNN060", "a unit of 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BESIDE)
def test_files_beside_the_map(case: str, bundle: Path, cli: Cli, tmp_path: Path) -> None:
    name, content, code, message = BESIDE[case]
    changed = opened(bundle, tmp_path)
    change(changed, name, content)
    shown = cli("run", changed, "--data", samples(tmp_path / "data.npz", (4,)), code=2)
    assert f"error {code}: " in shown.err
    assert message in " ".join(shown.err.split())


def test_the_limits_are_listed(cli: Cli) -> None:
    shown = cli("targets", "loihi").out
    for limit in LIMITS:
        assert f"limit: {limit.__doc__}" in " ".join(shown.split())
    figures = json.loads(cli("targets", "loihi", "--json").out)
    assert figures["limits"] == [limit.__doc__ for limit in LIMITS]
    assert json.loads(cli("targets", "c", "--json").out)["limits"] == []
