"""An EC2 for tests and demonstrations, without an AWS account: ``LocalEC2``.

Needs the extra: ``pip install 'ami-deprecation[testing]'``. ``python -m ami_deprecation.testing`` runs
one in the foreground.
"""

try:
    import flask as _flask
    import moto as _moto
except ImportError:
    raise ImportError("ami_deprecation.testing needs moto: pip install 'ami-deprecation[testing]'") from None

from .calls import Call
from .faults import ENCODED_MESSAGE, Fault, FaultKind, Faults, LagMode
from .local import LocalEC2
from .throttling import Limits
from .world import Clock, LocalImage

del _flask, _moto

__all__ = [
    "ENCODED_MESSAGE",
    "Call",
    "Clock",
    "Fault",
    "FaultKind",
    "Faults",
    "LagMode",
    "Limits",
    "LocalEC2",
    "LocalImage",
]
