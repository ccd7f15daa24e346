"""Whose code runs: providers are known by the modules that their types name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rungraph.engine.module_files import importable
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


class CodeOwners:
    """The providers of a graph, by their code.

    Args:
        graph: What runs.
        instances: The providers, as far as they are there.
    """

    def __init__(self, graph: RunGraph, instances: Mapping[Address, object]) -> None:
        self._instances = instances
        self.follow(graph)

    def follow(self, graph: RunGraph) -> None:
        """Know the providers of *graph* from now on."""
        self._modules = _Modules(graph)

    def providers_of(self, frame: FrameType) -> Sequence[Address]:
        """Return the providers whose module, or a module inside that, *frame* runs."""
        module = str(frame.f_globals.get("__name__", ""))
        known = self._modules.providers
        while module and module not in known:
            module = module.rpartition(".")[0]
        return known.get(module, ())

    def holder_of(self, frames: Iterable[FrameType], task: str) -> Address | None:
        """Return the provider whose code *frames* run, or else the node that *task* is of.

        Args:
            frames: Frames, the innermost first.
            task: The name of the task that runs them, or of who has made it.
        """
        names = self._modules.names
        for frame in frames:
            found = self.providers_of(frame)
            if len(found) == 1:
                return found[0]
            own = frame.f_locals.get("self") if found else None
            for address in found:
                if own is not None and self._instances.get(address) is own:
                    return address
            if found and names.get(task) in found:
                return names[task]
        return names.get(task)


class _Modules:
    """What is looked up of a graph; only when somebody asks, which most starts do not."""

    def __init__(self, graph: RunGraph) -> None:
        self._graph = graph

    @cached_property
    def names(self) -> dict[str, Address]:
        return {str(address): address for address in self._graph}

    @cached_property
    def providers(self) -> dict[str, list[Address]]:
        modules: dict[str, list[Address]] = {}
        for node in self._graph.nodes.values():
            if isinstance(node, ProviderNode) and node.spec is not None:
                modules.setdefault(importable(node.spec.module, node), []).append(node.address)
        return modules
