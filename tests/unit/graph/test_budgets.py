"""Every limit is told to users, as it is."""

from __future__ import annotations

import re
from pathlib import Path

from rungraph.graph import budgets

LIMITS = Path(__file__).parents[3] / "docs/limits.md"


def test_the_page_on_limits_tells_each_of_them() -> None:
    """Neither a limit nor its value differs between the module and the page."""
    told = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", LIMITS.read_text(), re.MULTILINE)
    assert told == [(name, f"{value:,}") for name, value in vars(budgets).items() if name.isupper()]
