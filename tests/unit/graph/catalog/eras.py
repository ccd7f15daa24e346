"""One small Llama Stack run config of each era, as its releases could have been given it."""

from __future__ import annotations

from pathlib import Path

ERAS = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("eras/*.yaml"))}
"""The configs by the release that they are read as."""
OCTOBER_2024, DECEMBER_2024 = ERAS["0.0.52"], ERAS["0.0.63"]
SEPTEMBER_2025 = ERAS["0.2.24"]
