"""Facts compared as a tree: lists by their elements, so that one change is told once."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from rungraph.graph.budgets import MOST_ALIGNED
from rungraph.graph.diff.facts import Hidden, is_masked, is_same, path_order
from rungraph.graph.diff.model import Change, FactChange
from rungraph.graph.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rungraph.graph.diff.facts import Facts
    from rungraph.graph.source.positions import Path

ID_KEYS: Final = ("model_id", "provider_id", "identifier", "id", "name")
"""What the elements of a list may be known by."""


class _Leaf(NamedTuple):
    shown: Any
    hidden: Hidden | None


_Tree = dict[str, Any] | list[Any] | _Leaf


def fact_changes(
    old: Facts,
    new: Facts,
    behind: tuple[Mapping[Path, Hidden], Mapping[Path, Hidden]] | None = None,
) -> tuple[FactChange, ...]:
    """Return what differs between two sets of facts, sorted by path.

    A mapping is compared key by key. The elements of a list are those with the same id if all have
    one, wherever they stand, else those that are equal, and what stands between these in the same
    order. An index is that in the new list, of what is removed that in the old one. That elements
    stand in another order is one change of their list, from ids to ids. A list of plain values is
    one value.

    Args:
        old: The facts as they were.
        new: The facts as they are.
        behind: What is behind those of *old*, and of *new*, that do not show all of it, where that
            is known of both.
    """
    before, after = behind or ({}, {})
    found = _changes(_tree_of(old, before), _tree_of(new, after), ())
    return tuple(sorted(found, key=lambda one: (path_order(one.path), one.change != "removed")))


def masked_alike(old: Facts, new: Facts) -> tuple[Path, ...]:
    """Return the paths in *new* of the facts that are the same as far as their masks show."""
    behind = _behind_masks(old, "old"), _behind_masks(new, "new")
    found = fact_changes(old, new, behind) if all(behind) else ()
    return tuple(one.path for one in found if is_same(one.old, one.new))


def _behind_masks(facts: Facts, side: str) -> Mapping[Path, Hidden]:
    """Return facts as if every mask hid a value that only this *side* has."""
    found: dict[Path, Hidden] = {}
    for path, shown in facts.items():
        if any(map(is_masked, path)):
            found[path] = Hidden(shown, side)
        elif is_masked(shown):
            items = cast("Sequence[Any]", shown) if isinstance(shown, list) else None
            hidden = items and [side if is_masked(item) else item for item in items]
            found[path] = Hidden(shown, hidden or side)
    return found


def value_of(facts: Facts) -> dict[str, Any]:
    """Return *facts* as the mapping that they are the leaves of."""
    return cast("dict[str, Any]", _plain(_tree_of(facts, {})))


def _tree_of(facts: Facts, behind: Mapping[Path, Hidden]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path, shown in facts.items():
        branch: Any = root
        for step, following in pairwise(path):
            branch = _at(branch, step, [] if isinstance(following, int) else {})
        _at(branch, path[-1], _Leaf(shown, behind.get(path)))
    return root


def _at(branch: Any, step: str | int, value: Any) -> Any:
    """Return what *branch* has at *step*, which is *value* if there was nothing."""
    if isinstance(branch, dict):
        return branch.setdefault(step, value)
    if step == len(branch):
        branch.append(value)
    return branch[step]


def _plain(tree: _Tree) -> Any:
    if isinstance(tree, _Leaf):
        return tree.shown
    if isinstance(tree, dict):
        return {key: _plain(item) for key, item in tree.items()}
    return [_plain(item) for item in tree]


def _changes(old: _Tree, new: _Tree, path: Path) -> Iterator[FactChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            if key not in old:
                yield from _whole(new[key], (*path, key), Change.ADDED)
            elif key not in new:
                yield from _whole(old[key], (*path, key), Change.REMOVED)
            else:
                yield from _changes(old[key], new[key], (*path, key))
        return
    if isinstance(old, list) or isinstance(new, list):
        old, new = _elements(old), _elements(new)
    if isinstance(old, list) and isinstance(new, list):
        yield from _element_changes(old, new, path)
    elif isinstance(old, _Leaf) and isinstance(new, _Leaf) and is_same(old.shown, new.shown):
        yield from _hidden_changes(old, new, path)
    else:
        yield FactChange(path, Change.CHANGED, _plain(old), _plain(new))


def _whole(tree: _Tree, path: Path, change: Change) -> Iterator[FactChange]:
    """Yield that *tree* was added or removed: a mapping key by key, all else at once."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _whole(item, (*path, key), change)
    else:
        yield _one(path, change, tree)


def _one(path: Path, change: Change, tree: _Tree) -> FactChange:
    value = _plain(tree)
    return FactChange(path, change, *((None, value) if change is Change.ADDED else (value, None)))


def _elements(tree: _Tree) -> _Tree:
    """Return a leaf that is a list as its elements."""
    if not isinstance(tree, _Leaf) or not isinstance(tree.shown, list):
        return tree
    shown: list[Any] = tree.shown
    hidden = tree.hidden
    if hidden is None or not (
        isinstance(hidden.written, list)
        and isinstance(hidden.resolved, list)
        and len(hidden.written) == len(hidden.resolved) == len(shown)
    ):
        return [_Leaf(item, None) for item in shown]
    behind = zip(shown, hidden.written, hidden.resolved, strict=True)
    return [_Leaf(item, Hidden(written, resolved)) for item, written, resolved in behind]


def _element_changes(old: list[Any], new: list[Any], path: Path) -> Iterator[FactChange]:
    if key := _id_key(old, new):
        yield from _changes_by_id(old, new, key, path)
        return
    names, others = ([_text(item) for item in side] for side in (old, new))
    for _, start, end, first, last in _blocks(names, others):
        # What stands in the same place between equal elements has changed.
        paired = min(end - start, last - first)
        for offset in range(paired):
            yield from _changes(old[start + offset], new[first + offset], (*path, first + offset))
        for index in range(start + paired, end):
            yield _one((*path, index), Change.REMOVED, old[index])
        for index in range(first + paired, last):
            yield _one((*path, index), Change.ADDED, new[index])


def _changes_by_id(
    old: list[dict[str, _Leaf]], new: list[dict[str, _Leaf]], key: str, path: Path
) -> Iterator[FactChange]:
    was, now = ({repr(item[key].shown): item for item in side} for side in (old, new))
    for index, (name, item) in enumerate(was.items()):
        if name not in now:
            yield _one((*path, index), Change.REMOVED, item)
    for index, (name, item) in enumerate(now.items()):
        if name in was:
            yield from _changes(was[name], item, (*path, index))
        else:
            yield _one((*path, index), Change.ADDED, item)
    before = [item[key].shown for name, item in was.items() if name in now]
    after = [item[key].shown for name, item in now.items() if name in was]
    if not is_same(before, after):
        yield FactChange(path, Change.REORDERED, before, after)


def _blocks(old: list[str], new: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Return where two lists are equal and where not, as `difflib.SequenceMatcher` does.

    What takes too long to align is one block that is not equal, between equal ends.
    """
    both, counts = min(len(old), len(new)), Counter(new)
    if sum(counts[one] for one in old) * both <= MOST_ALIGNED:
        return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    head = next((i for i in range(both) if old[i] != new[i]), both)
    tail = next((i for i in range(both - head) if old[-1 - i] != new[-1 - i]), both - head)
    end, last = len(old) - tail, len(new) - tail
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, end, head, last),
        ("equal", end, len(old), last, len(new)),
    ]


def _id_key(old: list[Any], new: list[Any]) -> str:
    """Return the key of what all elements of both lists are known by; empty if there is none."""
    for key in ID_KEYS:
        if all(isinstance(item, dict) and isinstance(item.get(key), _Leaf) for item in old + new):
            ids = [[repr(item[key].shown) for item in side] for side in (old, new)]
            if all(len(set(side)) == len(side) for side in ids):
                return key
    return ""


def _text(tree: _Tree) -> str:
    """Return what equal elements have in common: all that is known of them, secrets as well."""
    if isinstance(tree, _Leaf):
        hidden = tree.hidden
        return repr(tree.shown if hidden is None else hidden.written)
    if isinstance(tree, dict):
        return f"{{{','.join(f'{key!r}:{_text(tree[key])}' for key in sorted(tree))}}}"
    return f"[{','.join(map(_text, tree))}]"


def _hidden_changes(old: _Leaf, new: _Leaf, path: Path) -> Iterator[FactChange]:
    """Yield what differs behind a fact that is shown alike on both sides."""
    was, now, shown = old.hidden, new.hidden, new.shown
    if was is None or now is None:
        return  # Nobody knows what is behind it: there is nothing to compare.
    if not is_same(was.written, now.written):
        yield FactChange(path, Change.CHANGED, shown, shown, is_secret=True)
    elif not _is_same_text(was.resolved, now.resolved):
        yield FactChange(path, Change.CHANGED, shown, shown, variables=variables_in(shown))


def _is_same_text(old: Any, new: Any) -> bool:
    """Whether the environment gives the same: quotes make "80" of what else is 80, or True."""
    before, after = str(old), str(new)
    if isinstance(old, bool) != isinstance(new, bool):
        before, after = before.lower(), after.lower()
    return before == after
