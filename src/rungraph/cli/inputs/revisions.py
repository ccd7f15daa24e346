"""A file as it was at a revision of git, read through git itself."""

from __future__ import annotations

import posixpath
import subprocess
from typing import TYPE_CHECKING, Final

from rungraph.graph import RungraphError
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORM: Final = "write git:REV:path, such as git:HEAD~1:run.yaml"
_MOST_NAMED: Final = 5


class RevisionError(RungraphError):
    """Raised when git has no such file at that revision, or there is no git."""


def content_at(name: str) -> bytes:
    """Return the content of the file that ``git:REV:path`` names.

    As git has it, *path* counts from the top of the repository, or from the current folder if it
    begins with ``./`` or ``../``. An empty *REV* is what is staged.

    Raises:
        RevisionError: If git is not there, this is no repository, or it has no such revision or
            file; the text says what there is instead.
    """
    revision, colon, path = name.removeprefix("git:").partition(":")
    if not colon or not path:
        msg = f"'{name}' names no file at a revision: {_FORM}"
        raise RevisionError(msg)
    if revision.startswith("-"):
        msg = f"'{revision}' is no revision of git: {_FORM}"
        raise RevisionError(msg)
    try:
        kind = _git("cat-file", "-t", f"{revision}:{path}")
        if kind.returncode == 0 and kind.stdout.strip() == b"blob":
            return _git("cat-file", "blob", f"{revision}:{path}").stdout
        msg = f"{name}: {_reason(revision, path)}"
        raise RevisionError(msg)
    except FileNotFoundError as error:
        msg = f"{name}: there is no program 'git' on the PATH"
        raise RevisionError(msg) from error


def _reason(revision: str, path: str) -> str:
    """Return why there is no such file, found out by asking for less."""
    if _git("rev-parse", "--git-dir").returncode:
        return "this folder is not in a git repository"
    if revision and _git("rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}").returncode:
        near = closest(revision, ["HEAD", *_lines("for-each-ref", "--format=%(refname:short)")])
        hint = f"did you mean '{near[0]}'?" if near else "'git log --oneline' lists them"
        return f"there is no revision '{revision}'; {hint}"
    where = f"at {revision}" if revision else "among what is staged"
    listing = ("ls-tree", "-r", "--name-only", "--full-tree", revision)
    files = _lines(*(listing if revision else ("ls-files", "--full-name", ":/")))
    prefix = "".join(_lines("rev-parse", "--show-prefix"))
    from_top = _from_top(prefix, path)
    inside = [file for file in files if file.startswith(f"{from_top.rstrip('/')}/")]
    if inside:
        return f"'{path}' is a folder {where}; in it there is: {_listed(inside)}"
    what = f"there is no file '{path}' {where}"
    if prefix and f"{prefix}{path}" in files:
        return f"{what}; did you mean './{path}', from the folder that you are in?"
    if found := _nearest(from_top, files):
        return f"{what}; did you mean '{found}'?"
    configs = [file for file in files if file.endswith((".yaml", ".yml", ".json"))]
    return f"{what}; there is: {_listed(configs)}" if configs else what


def _from_top(prefix: str, path: str) -> str:
    """Return *path* from the top of the repository."""
    is_relative = path.startswith(("./", "../"))
    return posixpath.normpath(posixpath.join(prefix, path)) if is_relative else path


def _nearest(path: str, files: Iterable[str]) -> str:
    """Return the file that *path* may have meant: of the same name, else of a similar path."""
    name = posixpath.basename(path)
    same = sorted(file for file in files if posixpath.basename(file) == name)
    return next(iter(same or closest(path, files)), "")


def _listed(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _lines(*words: str) -> list[str]:
    # With -z names come as they are, whatever characters they have.
    is_listing = words[0] in ("ls-tree", "ls-files")
    options = ("-z",) if is_listing else ()
    text = _git(words[0], *options, *words[1:]).stdout.decode(errors="surrogateescape")
    return [line for line in text.split("\0" if is_listing else "\n") if line]


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *words]
    # The words are no shell's, and which git there is says the PATH.
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
