"""A file as it was at a revision of git, read through git itself."""

from __future__ import annotations

import posixpath
import subprocess
from typing import Final

from rungraph.graph import RungraphError
from rungraph.graph.suggest import closest
from rungraph.graph.wording import listed

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
    revision, _, path = name.removeprefix("git:").partition(":")
    if not path:
        msg = f"'{name}' names no file at a revision: {_FORM}"
        raise RevisionError(msg)
    if revision.startswith("-"):
        msg = f"'{revision}' is no revision of git: {_FORM}"
        raise RevisionError(msg)
    try:
        found = _git("cat-file", "blob", f"{revision}:{path}")
        if found.returncode == 0:
            return found.stdout
        msg = f"{name}: {_reason(revision, path)}"
    except FileNotFoundError as error:
        msg = f"{name}: there is no program 'git' on the PATH"
        raise RevisionError(msg) from error
    raise RevisionError(msg)


def _reason(revision: str, path: str) -> str:
    """Return why there is no such file, found out by asking for less."""
    if _git("rev-parse", "--git-dir").returncode:
        return "this folder is not in a git repository"
    if revision and _git("rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}").returncode:
        near = closest(revision, ["HEAD", *_lines("for-each-ref", "--format=%(refname:short)")])
        hint = f"did you mean '{near[0]}'?" if near else "'git log --oneline' lists them"
        return f"there is no revision '{revision}'; {hint}"
    if revision:
        where = f"at {revision}"
        files = _lines("ls-tree", "-r", "-z", "--name-only", "--full-tree", revision)
    else:
        where, files = "among what is staged", _lines("ls-files", "-z", "--full-name", ":/")
    prefix = "".join(_lines("rev-parse", "--show-prefix"))
    from_top = path
    if path.startswith(("./", "../")):
        from_top = posixpath.normpath(posixpath.join(prefix, path))
    if inside := sorted(file for file in files if file.startswith(f"{from_top.rstrip('/')}/")):
        return f"'{path}' is a folder {where}; in it there is: {listed(inside, _MOST_NAMED)}"
    what = f"there is no file '{path}' {where}"
    if prefix and f"{prefix}{path}" in files:
        return f"{what}; did you mean './{path}', from the folder that you are in?"
    name = posixpath.basename(from_top)
    same_name = sorted(file for file in files if posixpath.basename(file) == name)
    if similar := same_name or [*closest(from_top, files)]:
        return f"{what}; did you mean '{similar[0]}'?"
    configs = sorted(file for file in files if file.endswith((".yaml", ".yml", ".json")))
    return f"{what}; there is: {listed(configs, _MOST_NAMED)}" if configs else what


def _lines(*arguments: str) -> list[str]:
    """Return what git lists; with ``-z`` names come as they are, whatever characters they have."""
    text = _git(*arguments).stdout.decode(errors="surrogateescape")
    return [line for line in text.split("\0" if "-z" in arguments else "\n") if line]


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *arguments]
    # No shell reads them, and the PATH says which git there is.
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
