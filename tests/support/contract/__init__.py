"""What every instrumented operation promises, as rows: an operation, how it is called, what is answered, what is reported.

A *row* is one call of one SDK method; a *variant* is a way to make that call and to read its result. Every row is made in
every variant that its method has, by a synchronous and an asynchronous client. A *provider* is an SDK with all its rows.
"""

from contract.client import Client
from contract.drive import SYNC, WAYS, Way
from contract.expected import differences, expected
from contract.provider import Provider
from contract.row import Row, given
from contract.variants import VARIANTS, Variant

__all__ = [
    "SYNC",
    "VARIANTS",
    "WAYS",
    "Client",
    "Provider",
    "Row",
    "Variant",
    "Way",
    "differences",
    "expected",
    "given",
]
