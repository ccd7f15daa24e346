from .absence import Absence as Absence, Cause as Cause, why_absent as why_absent
from .between import Between as Between, why_between as why_between
from .chains import Chain as Chain, Chains as Chains, Hop as Hop
from .naming import AmbiguousNameError as AmbiguousNameError, node_named as node_named
from .presence import Presence as Presence, Reason as Reason, why_present as why_present
from .rendering import (
    absence_to_dict as absence_to_dict,
    between_to_dict as between_to_dict,
    presence_to_dict as presence_to_dict,
    render_absence as render_absence,
    render_between as render_between,
    render_presence as render_presence,
)
