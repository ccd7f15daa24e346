"""Providers: the implementations of APIs that come with rungraph, one package a provider type."""
