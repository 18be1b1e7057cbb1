"""Which targets there are: built-ins in a table, others by the entry-point group."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points

from snncc_backends.protocol import Backend, ImageFormat
from snncc_ir import SnnccError, fail, nearest

GROUP = "snncc.backends"
BUILT_IN = {
    "c": "snncc_c:CBackend",
    "ttfs28": "snncc_ttfs28:Ttfs28Backend",
    "loihi": "snncc_loihi:LoihiBackend",
    "nir": "snncc_nir:NirBackend",
}
"""Target name to `module:class`, in the order in which they are listed."""


def targets() -> dict[str, Callable[[], Backend]]:
    """All targets by name; each loads when it is called, so a broken one breaks nothing else."""
    loaders: dict[str, Callable[[], Backend]] = {
        name: _loader(name, reference) for name, reference in BUILT_IN.items()
    }
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        if point.name in loaders:
            loaders[point.name] = _twice(point.name, point.value)
        else:
            loaders[point.name] = _loader(point.name, point.value)
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


def _loader(name: str, reference: str) -> Callable[[], Backend]:
    def load() -> Backend:
        module, _, attribute = reference.partition(":")
        try:
            made = getattr(import_module(module), attribute)()
        except SnnccError:
            raise
        except Exception as error:  # a plug-in may raise anything; it is named, not hidden
            raise fail(
                "SNN040",
                f"target '{name}' cannot be loaded: {type(error).__name__}: {error}",
                reference,
                "update or uninstall the package that provides it",
            ) from error
        if not isinstance(made, Backend):
            raise fail(
                "SNN040",
                f"target '{name}' is {type(made).__name__}, should be a snncc_backends.Backend",
                reference,
                "update or uninstall the package that provides it",
            )
        return made

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
