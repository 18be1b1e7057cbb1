"""Which targets there are: built-ins in a table, others by the entry-point group."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions, entry_points

from snncc_backends.image_format import ImageFormat
from snncc_backends.options import options_of
from snncc_backends.protocol import INTERFACE, Backend
from snncc_backends.settings import Settings
from snncc_ir import SnnccError, fail, nearest
from snncc_ir.ops import MODELS

GROUP = "snncc.backends"
BUILT_IN = {
    "c": "snncc_c:CBackend",
    "ttfs28": "snncc_ttfs28:Ttfs28Backend",
    "loihi": "snncc_loihi:LoihiBackend",
    "nir": "snncc_nir:NirBackend",
}
"""Target name to `module:class`, in the order in which they are listed."""


def targets() -> dict[str, Callable[[], Backend]]:
    """All targets by name; each loads when it is called, so a broken one breaks nothing else.

    A package whose entry points cannot be read stands there under its own name.
    """
    loaders: dict[str, Callable[[], Backend]] = {
        name: _loader(name, reference) for name, reference in BUILT_IN.items()
    }
    points, unreadable = _points()
    for point in sorted(points, key=lambda p: (p.name, p.value)):
        if point.name in loaders:
            loaders[point.name] = _twice(point.name, point.value)
        else:
            loaders[point.name] = _loader(point.name, point.value)
    for package, reason in unreadable.items():
        loaders.setdefault(package, _unreadable(package, reason))
    return loaders


def backend(name: str) -> Backend:
    """The backend of a target; raises SNN040 when it is not known or cannot be loaded."""
    known = targets()
    if name not in known:
        raise fail(
            "SNN040",
            f"target '{name}' is not known, should be one of {', '.join(known)}",
            hint=nearest(
                name,
                known,
                "`snncc targets` lists them; a plug-in has to be installed beside snncc",
            ),
        )
    return known[name]()


def image_formats() -> list[ImageFormat]:
    """The image formats of all targets that have one and can be loaded."""
    found = []
    for load in targets().values():
        try:
            image = load().image
        except SnnccError:  # a broken plug-in says so when it is asked for
            continue
        if image is not None:
            found.append(image)
    return found


def _points() -> tuple[list[EntryPoint], dict[str, str]]:
    """Entry points of the group, and why those of some packages cannot be read."""
    try:
        return list(entry_points(group=GROUP)), {}
    except Exception:  # one damaged package is enough; the others are read one by one
        points: list[EntryPoint] = []
        unreadable: dict[str, str] = {}
        for package in distributions():
            try:
                points += package.entry_points.select(group=GROUP)
            except Exception as error:
                unreadable[str(package.metadata["Name"])] = f"{type(error).__name__}: {error}"
        return points, unreadable


def _loader(name: str, reference: str) -> Callable[[], Backend]:
    def load() -> Backend:
        try:
            factory: Callable[[], object] = EntryPoint(name, reference, GROUP).load()
            # a class of another interface may lack methods, which says less than its version
            _check_interface(name, factory, reference)
            made = factory()
        except SnnccError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may raise anything; it is named
            raise _broken(
                f"target '{name}' cannot be loaded: {type(error).__name__}: {error}", reference
            ) from error
        if not isinstance(made, Backend):
            raise _broken(
                f"target '{name}' is {type(made).__name__}, should be a snncc_backends.Backend",
                reference,
            )
        _check_interface(name, made, reference)
        found = next(_faults(name, made), "")
        if found:
            raise _broken(f"target '{name}' is broken: {found}", reference)
        return made

    return load


def _check_interface(name: str, chip: object, reference: str) -> None:
    """Raises SNN040 where `chip` was written for an interface that this one cannot stand in for."""
    asked = getattr(chip, "interface", INTERFACE)
    ours = ".".join(map(str, INTERFACE))
    match asked:
        case (int(major), int(minor)):
            theirs = f"{major}.{minor}"
        case _:
            raise _broken(
                f"target '{name}' states interface {asked!r}, should be two numbers such as "
                f"{INTERFACE}",
                reference,
            )
    if major == INTERFACE[0] and minor <= INTERFACE[1]:
        return
    newer = (major, minor) > INTERFACE
    raise fail(
        "SNN040",
        f"target '{name}' was written for interface {theirs} of backends, should be for "
        f"{INTERFACE[0]}.0 to {ours}, which this snncc has",
        reference,
        "a newer snncc, or an older version of the package"
        if newer
        else "a newer version of the package that provides it, or an older snncc",
    )


def _faults(name: str, chip: Backend) -> Iterator[str]:
    """What a backend does not say of itself, or says wrongly."""
    for what in ("name", "summary", "codings", "models"):
        if not getattr(chip, what, None):
            yield f"its class has no `{what}`"
    if chip.name != name:
        yield f"its class is named '{chip.name}', should be '{name}', as its entry point is"
    for coding in chip.codings:
        if not (isinstance(coding, type) and issubclass(coding, Settings)):
            yield f"codings has {coding!r}, should have classes of settings"
        try:
            options_of(coding)
        except Exception as error:
            yield str(error)
    unknown = [str(model) for model in chip.models if model not in MODELS]
    if unknown:
        yield f"models has {', '.join(unknown)}, should have some of {', '.join(MODELS)}"


def _broken(message: str, place: str) -> SnnccError:
    return fail("SNN040", message, place, "update or uninstall the package that provides it")


def _unreadable(package: str, reason: str) -> Callable[[], Backend]:
    def load() -> Backend:
        raise fail(
            "SNN040",
            f"the entry points of package '{package}' cannot be read: {reason}",
            package,
            "install the package again, or uninstall it",
        )

    return load


def _twice(name: str, reference: str) -> Callable[[], Backend]:
    def load() -> Backend:
        raise fail(
            "SNN040",
            f"target '{name}' is provided twice",
            reference,
            "uninstall one of the two packages, or rename its entry point",
        )

    return load
