"""What the SDK's plugin server does and a user should not have to read.

Since pulumi 3.260 the server answers any exception with its whole traceback (pulumi/pulumi#24465), so
that the engine's progress shows "Traceback (most recent call last):" where the reason should stand. For
this package's own errors, which are sentences, the server is given the sentence alone. Other
providers of the same process are shown as before, and a server that is built otherwise is left as it is.

The server hands a provider a part of what the engine asks. The rest is in the request, a variable of the server's own
method: the properties under ``ignore_changes``, where a transformation or ``"*"`` can put a date that no option of the
resource shows, and a resource's URN, which an alias changes without telling the provider.

A program's SDK keeps a stub of the engine and not its address, which is in the stub's channel.
"""

from __future__ import annotations

import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING

from pulumi.runtime.settings import get_engine

from ..errors import AmiDeprecationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


class _Traceback(ModuleType):
    """The standard module, but for one of our errors."""

    def __getattr__(self, name: str) -> object:
        return getattr(traceback, name)

    @staticmethod
    def format_exc(limit: int | None = None, chain: bool = True) -> str:  # its own signature
        error = sys.exc_info()[1]
        if isinstance(error, AmiDeprecationError):
            return "".join(traceback.format_exception_only(type(error), error)).rstrip()
        return traceback.format_exc(limit, chain)


def show_errors_as_sentences() -> None:
    """Let the plugin's server, when this process is one, answer our errors in one line."""
    server = sys.modules["__main__"]
    if hasattr(server, "DynamicResourceProviderServicer") and getattr(server, "traceback", None) is traceback:
        server.traceback = _Traceback("traceback")  # type: ignore[attr-defined]  # a global of the SDK's script


def ignored_properties() -> Sequence[str]:
    """What the engine ignores changes of, in a call of the server to ``diff``."""
    return tuple(getattr(_request(), "ignoreChanges", ()))


def urn() -> str | None:
    """The URN of the resource that the engine asks about, None when the server does not have it where it is expected."""
    urn = getattr(_request(), "urn", None)
    return urn if isinstance(urn, str) and urn else None


def _request() -> object:
    server: FrameType | None = sys._getframe()  # noqa: SLF001  # the only way in
    while server is not None:
        if server.f_globals.get("DynamicResourceProviderServicer") and "request" in server.f_locals:
            return server.f_locals["request"]
        server = server.f_back
    return None


def engine_address() -> str | None:
    """The address of the engine that runs this program, as its plugins have it; None in a test of a program."""
    channel = getattr(getattr(get_engine(), "Log", None), "_channel", None)
    target = channel.target() if channel is not None and hasattr(channel, "target") else None
    return target.decode().rpartition("/")[2] if isinstance(target, bytes) else None
