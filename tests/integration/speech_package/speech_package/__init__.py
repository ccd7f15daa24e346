"""A package that adds an API, its table API and a provider type to rungraph."""
