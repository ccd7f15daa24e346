from .make import make_plan as make_plan
from .markdown import plan_to_markdown as plan_to_markdown
from .model import Plan as Plan
from .plan_json import (
    PlanError as PlanError,
    is_plan as is_plan,
    load_plan as load_plan,
    plan_to_json as plan_to_json,
)
from .text import render_plan as render_plan
