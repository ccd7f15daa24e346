"""Queries: which nodes of a graph a text such as ``+router:safety & type:remote::*`` selects."""

from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.parser import parse
from rungraph.graph.query.printer import to_text
from rungraph.graph.query.select import query
from rungraph.graph.query.selection import Selection

__all__ = ["QueryError", "Selection", "parse", "query", "to_text"]
