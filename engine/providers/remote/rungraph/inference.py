"""The inference API by another stack."""

from rungraph.engine.providers.remote.rungraph.provider import RemoteInference, entry_point

get_adapter_impl = entry_point(
    "rungraph.engine.apis.inference:Inference",
    "rungraph.engine.apis.models:Models",
    "rungraph.engine.apis.models:ModelsPrivate",
    kind=RemoteInference,
)
