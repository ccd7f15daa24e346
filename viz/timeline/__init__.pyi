from .data import json_of as json_of, mermaid_of as mermaid_of
from .figure import draw_schedule as draw_schedule, render_schedule as render_schedule
from .page import html_of as html_of
from .schedule import Schedule as Schedule, Span as Span
from .text import (
    render_blame as render_blame,
    render_chain as render_chain,
    render_schedule_text as render_schedule_text,
)
