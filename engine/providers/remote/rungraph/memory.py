"""The memory API by another stack."""

from rungraph.engine.providers.remote.rungraph.provider import entry_point

get_adapter_impl = entry_point(
    "rungraph.engine.apis.memory:Memory",
    "rungraph.engine.apis.memory_banks:MemoryBanks",
    "rungraph.engine.apis.memory_banks:MemoryBanksPrivate",
)
