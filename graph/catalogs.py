"""Which catalog a run config is compiled against: named by the caller, by the config, or found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rungraph.graph.catalog import Catalog
from rungraph.graph.discovery import discover_catalog, load_catalog
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from rungraph.graph.source import Document


def catalog_for(document: Document, wanted: Catalog | str | None = None) -> Catalog:
    """Return the catalog to compile *document* against.

    Args:
        document: A run config; its key ``catalog`` counts when *wanted* is None.
        wanted: A catalog, or the name or path of one.

    Raises:
        CatalogError: If *wanted* names no catalog.
    """
    if isinstance(wanted, Catalog):
        return wanted
    if wanted is None:
        wanted = document.value.get("catalog")
    if not isinstance(wanted, str):
        return discover_catalog()
    if Path(wanted).suffix in (".yaml", ".yml", ".json"):
        return load_catalog(wanted)
    msg = f"no catalog is called '{wanted}'"
    raise CatalogError(msg)
