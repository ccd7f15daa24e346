"""Plan a large run config to JSON, against compiling it; and twice as large a one.

Both sides start from the file, in turn, in one process; the ratio of the medians counts. Time is
the processor's, because both sides only compute.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from compile import config_text
from measuring import medians, rounds_asked, seconds

from rungraph.graph import RunGraph, compile_config
from rungraph.graph.plan import make_plan, plan_to_json

PROVIDERS, LIMIT, GROWTH_LIMIT = 10_000, 3.5, 2.5


def config_with_models(providers: int) -> str:
    """Return a run config of so many inference providers, each of which serves a model."""
    numbers = range(providers)
    models = [f"- {{model_id: m{one}, provider_id: server-{one:06d}}}" for one in numbers]
    return "\n".join([f"{config_text(providers)}models:", *models])


def main() -> int:
    """Measure, print the ratios, and return 0 when they are within their limits."""
    rounds = rounds_asked(__doc__, 7)
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one.yaml"), Path(folder, "two.yaml")
        one.write_text(config_with_models(PROVIDERS))
        two.write_text(config_with_models(2 * PROVIDERS))

        def compiled() -> RunGraph:
            return compile_config(one, environment={})

        def planned(path: Path = one) -> str:
            return plan_to_json(make_plan(compile_config(path, environment={})))

        size = len(planned())
        sides = {"compiled": compiled, "planned": planned, "twice": partial(planned, two)}
        median = medians(rounds, sides, seconds)
    ratio, growth = median["planned"] / median["compiled"], median["twice"] / median["planned"]
    print(
        f"plan of {PROVIDERS:,} providers to {size / 1e6:.0f} MB of JSON: "
        f"{ratio:.2f} x compiling it  <= {LIMIT}"
    )
    print(f"plan of twice as many: {growth:.2f} x  <= {GROWTH_LIMIT}")
    return 0 if ratio <= LIMIT and growth <= GROWTH_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
