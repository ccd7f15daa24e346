"""Why something is in a graph, why something is not, and how two nodes are related. Pure."""

from rungraph.graph.why.absence import Absence, Cause, why_absent
from rungraph.graph.why.between import Between, why_between
from rungraph.graph.why.chains import Chain, Chains, Hop
from rungraph.graph.why.naming import AmbiguousNameError, node_named
from rungraph.graph.why.presence import Presence, Reason, why_present
from rungraph.graph.why.rendering import (
    absence_to_dict,
    between_to_dict,
    presence_to_dict,
    render_absence,
    render_between,
    render_presence,
)

__all__ = [
    "Absence",
    "AmbiguousNameError",
    "Between",
    "Cause",
    "Chain",
    "Chains",
    "Hop",
    "Presence",
    "Reason",
    "absence_to_dict",
    "between_to_dict",
    "node_named",
    "presence_to_dict",
    "render_absence",
    "render_between",
    "render_presence",
    "why_absent",
    "why_between",
    "why_present",
]
