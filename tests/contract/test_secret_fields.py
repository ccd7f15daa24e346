"""What a config class holds as a secret, its provider's spec or its key says is one."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest
from pydantic import BaseModel

from rungraph.engine.catalog import CATALOG
from rungraph.graph.catalog.specs import ProviderSpec
from rungraph.graph.secrets.keys import is_secret_key

SPECS = [spec for spec in CATALOG.providers.values() if spec.config_class]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.provider_type)
def test_every_secret_field_is_masked(spec: ProviderSpec) -> None:
    """A graph is made without the config class, so the catalog has to know."""
    config_class: type[BaseModel] = resolve_name(spec.config_class)
    secret = {
        name
        for name, field in config_class.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {name for name in secret if not is_secret_key(name)} <= {*spec.secrets}


def test_there_is_one_that_only_its_spec_tells() -> None:
    """Headers are secret where an exporter sends them, and nowhere else."""
    assert any("headers" in spec.secrets for spec in SPECS)
