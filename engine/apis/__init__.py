"""The APIs that rungraph knows: one module an API, with its Protocol, its types and its routes.

No module of this package imports a provider. A Protocol's docstring is its contract.
"""
