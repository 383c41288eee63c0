"""An EC2 for tests and demonstrations, without an AWS account: `LocalEC2`.

Needs the extra: `pip install 'ami-deprecation[testing]'`. `python -m ami_deprecation.testing` runs one
in the foreground.
"""

try:
    import flask as _flask
    import moto as _moto
except ImportError:
    raise ImportError("ami_deprecation.testing needs moto: pip install 'ami-deprecation[testing]'") from None

from ami_deprecation.testing.calls import Call
from ami_deprecation.testing.clock import Clock
from ami_deprecation.testing.faults import ENCODED_MESSAGE, Fault, FaultKind, Faults
from ami_deprecation.testing.lag import LagMode
from ami_deprecation.testing.limits import Limits
from ami_deprecation.testing.local import LocalEC2
from ami_deprecation.testing.world import LocalImage

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
