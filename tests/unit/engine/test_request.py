"""What callers send for a provider: who gets it, for how long, and who never does."""

from __future__ import annotations

"""PLACEHOLDER"""
