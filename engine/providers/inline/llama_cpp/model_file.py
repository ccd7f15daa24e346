"""Which file a config's ``model`` means: a path, or the name of weights that were pulled."""

from __future__ import annotations

from pathlib import Path

from rungraph.engine.errors import EngineError
from rungraph.engine.weights import CATALOG
from rungraph.graph.suggest import did_you_mean

_MAGIC = b"GGUF"


class ModelFileError(EngineError):
    """Raised when there is no such model file."""


def find_model(model: str) -> tuple[Path, str]:
    """Return the file that *model* means, and the name that it is served under by default.

    Args:
        model: A path (with a ``/`` or the ending ``.gguf``), or the name of weights.

    Raises:
        ModelFileError: If there is no such file, it is no GGUF file, or the weights were not
            pulled yet.
    """
    if "/" not in model and not model.endswith(".gguf"):
        return _pulled(model), model
    path = Path(model).expanduser()
    if path.is_file():
        _check(path)
        return path.absolute(), path.stem
    lines = [f"there is no model file {str(path)!r}"]
    if path.parent.is_dir():
        beside = sorted(each.name for each in path.parent.glob("*.gguf"))
        if question := did_you_mean(path.name, beside):
            lines.append(f"help: {question}")
    raise ModelFileError("\n".join(lines))


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError as error:
        msg = f"cannot read the model file {str(path)!r}: {error.strerror}"
        raise ModelFileError(msg) from error
    if begins != _MAGIC:
        msg = f"{str(path)!r} is no GGUF file: it begins with {begins!r}"
        raise ModelFileError(msg)


def _pulled(name: str) -> Path:
    weights = CATALOG.get(name)
    if weights is None:
        lines = [
            f"no weights are called {name!r}",
            f"known: {', '.join(map(repr, CATALOG))}; or give the path of a GGUF file",
        ]
        if question := did_you_mean(name, CATALOG):
            lines.append(f"help: {question}")
        raise ModelFileError("\n".join(lines))
    if not weights.is_present():
        msg = f"the weights {name!r} are not pulled\nhelp: rungraph models pull {name}"
        raise ModelFileError(msg)
    return weights.path()
