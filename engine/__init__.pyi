from .errors import (
    AmbiguousResourceError as AmbiguousResourceError,
    ComplianceError as ComplianceError,
    EngineError as EngineError,
    MissingPackageError as MissingPackageError,
    NotRunningError as NotRunningError,
    NotServedError as NotServedError,
    RoutingError as RoutingError,
    StartError as StartError,
    StopError as StopError,
    UnknownResourceError as UnknownResourceError,
)
from .events import Event as Event, EventLog as EventLog, State as State
from .preflight.configs import validated_config as validated_config
from .preflight.imports import check_imports as check_imports
from .provider import ProviderReport as ProviderReport
from .run.compliance import check_compliance as check_compliance
from .run.settings import StackSettings as StackSettings
from .run.stack import Stack as Stack
from .run.timeline import Timeline as Timeline
