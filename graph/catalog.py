"""What can be configured: APIs, routed pairs and provider specs. Data; no provider is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSpec:
    """A named set of methods.

    Attributes:
        name: What a run config calls it, such as ``inference``.
        protocol: Where its Protocol is, as ``module:Class``; imported only when a graph is run.
        description: One line for people.
        private_protocol: What a routing table calls on each provider of this API, as
            ``module:Class``; empty when the API is not routed.
        builtin: The provider type that serves the API in every stack without being configured;
            empty for an API whose providers are configured.
    """

    name: str
    protocol: str
    description: str = ""
    private_protocol: str = ""
    builtin: str = ""


@dataclass(frozen=True, slots=True)
class RoutedPair:
    """A router API with the table API that says which provider serves which resource.

    The engine derives the names it calls from *resource* and *resources*: ``list_models``,
    ``register_model``, ``unregister_model``, ``get_model``; in a run config, ``model_id`` and
    ``provider_model_id``.

    Attributes:
        router_api: The API whose calls are routed, such as ``inference``.
        table_api: The API that answers for resources, such as ``models``.
        resource: One resource, in snake case, such as ``model``.
        resources: Several of them; also the key of a run config's resource list.
        routing_key: The parameter of the router API's methods that names the resource.
        resource_type: The resource's pydantic type (or an annotated union), as ``module:name``.
        optional_dependencies: APIs that the router uses when they are there.
    """

    router_api: str
    table_api: str
    resource: str
    routing_key: str
    resource_type: str
    resources: str = ""
    optional_dependencies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.resources:
            object.__setattr__(self, "resources", f"{self.resource}s")


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """An implementation of one API that a run config can name.

    Attributes:
        api: The API that it implements.
        provider_type: The name in a run config, such as ``remote::openai``.
        module: The module with its entry point.
        config_class: Its config's pydantic class, as ``module:Class``; empty when it takes none.
        dependencies: APIs without which it cannot start.
        optional_dependencies: APIs that it uses when they are there.
        packages: The distributions that it imports, as requirement strings.
        extra: The extra of its own distribution that installs *packages*, such as
            ``rungraph[faiss]``; empty when there is none.
        secrets: Config keys whose values are never shown, besides those that look like secrets.
        description: One line for people.
        deprecated: Why it should not be used any more and what to use instead; empty when fine.
        removed: With *deprecated*: the type no longer works, so using it is an error.
        origin: The distribution (or file) whose catalog declares it.
    """

    api: str
    provider_type: str
    module: str
    config_class: str = ""
    dependencies: tuple[str, ...] = ()
    optional_dependencies: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    extra: str = ""
    secrets: tuple[str, ...] = ()
    description: str = ""
    deprecated: str = ""
    removed: bool = False
    origin: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether the provider is an adapter to something that runs elsewhere."""
        return self.provider_type.startswith("remote::")

    @property
    def entry_point(self) -> str:
        """The function of *module* that creates an instance from a config and dependencies."""
        return "get_adapter_impl" if self.is_remote else "get_provider_impl"
