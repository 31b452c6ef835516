"""Write Postern skills in Python.

A skill is a set of tools. A tool is a function of typed arguments and a context; the
type hints of its parameters say what it takes.
"""

from . import log
from .context import Context, Customer, IdentityLevel
from .errors import (
    DataError,
    Failure,
    HostError,
    HostErrorKind,
    Internal,
    InvalidArguments,
    Unavailable,
)
from .outcome import Ask, Done, HandOver, Outcome, Reply, Severity
from .skill import NoArguments, Tools, skill

__all__ = [
    "Ask",
    "Context",
    "Customer",
    "DataError",
    "Done",
    "Failure",
    "HandOver",
    "HostError",
    "HostErrorKind",
    "IdentityLevel",
    "Internal",
    "InvalidArguments",
    "NoArguments",
    "Outcome",
    "Reply",
    "Severity",
    "Tools",
    "Unavailable",
    "log",
    "skill",
]
