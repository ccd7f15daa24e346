"""What else than a run config a file can be."""

from __future__ import annotations

from rungraph.graph import compile_config


def test_a_template_in_a_config_map_is_said_to_be_one() -> None:
    """Its place is that in the ConfigMap; nothing is guessed of the rest."""
    text = (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  run.yaml: |\n"
        "    image_name: {{ .Values.name }}\n    providers: {}\n"
    )
    graph = compile_config(text, environment={})
    assert [(one.code, str(one.place)) for one in graph.diagnostics] == [
        ("C017", "<text>:5:17"),
        ("C016", "<text>:4:3"),
    ]
    assert graph.diagnostics[0].message == "this is a template, and not yet a run config"
