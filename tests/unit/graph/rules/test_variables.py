"""What a release makes of the values of variables decides whether it starts."""

from __future__ import annotations

import pytest
from tests.unit.graph.rules.sections import config_with, errors_of

from rungraph.graph import compile_config
from rungraph.graph.diagnostics import errors_in


@pytest.mark.parametrize(
    ("written", "value", "is_fine"),
    [
        ("'${env.X}'", "12345", False),
        ("${env.X}", "0012", False),
        ("${env.X}", "nan", False),
        ("${env.X}", "True", False),
        ("a${env.X}", "12345", True),
        ("${env.X}", "12-45", True),
    ],
)
def test_a_release_makes_a_number_of_all_that_reads_as_one(
    written: str, value: str, *, is_fine: bool
) -> None:
    """In quotes, too, and of a password: the text that belongs there is refused."""
    keys = f"type: sql_postgres, host: h, db: d, user: u, password: {written}".split(", ")
    backend = "".join(f"      {key}\n" for key in keys)
    text = config_with().replace("  backends:\n", f"  backends:\n    pg:\n{backend}")
    graph = compile_config(text, catalog="llama-stack@0.7.3", environment={"X": value})
    found = errors_in(graph.diagnostics)
    start = "'storage.backends.pg.password' must be text, not "
    assert [one.message.startswith(start) for one in found] == ([] if is_fine else [True])
    assert [len(one.help) for one in found] == ([] if is_fine else [1])
    assert value not in str(found)


def test_ids_are_refused_where_a_release_makes_numbers_of_them() -> None:
    """A release that looks at the older spelling, too, leaves them text."""
    entry = {"provider_id": "${env.X}", "provider_type": "remote::ollama", "config": {}}
    text = config_with(providers={"inference": [entry]})
    for release, count in (("0.2.12", 0), ("0.2.20", 1)):
        graph = compile_config(text, catalog=f"llama-stack@{release}", environment={"X": "7"})
        wrong = [one.message for one in graph.diagnostics if "provider_id" in one.message]
        assert len(wrong) == count


def test_what_comes_out_empty_is_as_if_nothing_was_there() -> None:
    """The name, a list, a config; and a variable without a default must be set anywhere."""
    empty = "${env.X:=}"
    entry = {"provider_id": "o", "provider_type": "remote::ollama", "config": empty}
    for sections, message in (
        ({"image_name": empty}, "'image_name' comes out empty: llama-stack 0.4.7 does not start"),
        ({"apis": empty}, "'apis' must be a list, not nothing"),
        (
            {"providers": {"inference": [entry]}},
            "'providers.inference[0].config' must be a mapping, not nothing",
        ),
        ({"registered_resources": "${env.X}"}, "the environment variable 'X' is not set"),
    ):
        assert message in errors_of(config_with(**sections), "llama-stack@0.4.7")
