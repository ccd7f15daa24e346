from .errors import (
    PairError as PairError,
    ProviderNeededError as ProviderNeededError,
    RegistrationRefusedError as RegistrationRefusedError,
    RegistrationStoreError as RegistrationStoreError,
    UnknownProviderError as UnknownProviderError,
    UnstorableError as UnstorableError,
)
from .routers import Router as Router, create_router as create_router
from .registration import Registration as Registration
from .store import RegistrationStore as RegistrationStore
from .table_of import create_table as create_table
from .tables import RoutingTable as RoutingTable
