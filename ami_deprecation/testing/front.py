"""The front of the server, a WSGI layer round moto's: call log, faults, buckets, then the answer."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from werkzeug.test import run_wsgi_app

from ami_deprecation.testing import joint, wire
from ami_deprecation.testing.calls import Call
from ami_deprecation.testing.wire import EC2Error, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ami_deprecation.testing.actions import Actions
    from ami_deprecation.testing.calls import CallLog
    from ami_deprecation.testing.faults import Faults
    from ami_deprecation.testing.limits import Buckets
    from ami_deprecation.testing.wire import Request
    from ami_deprecation.testing.world import World


class Cut(Exception):
    """Tells the server to close the connection after `sent`, the bytes of a half answer."""

    def __init__(self, reply: Reply) -> None:
        """Send what `reply.cut` says, and no more."""
        super().__init__("connection cut on purpose")
        self.reply = reply


@dataclass
class Front:
    """The WSGI application that clients talk to. `buckets` is None without limits."""

    moto: WSGIApplication
    world: World
    actions: Actions
    faults: Faults
    log: CallLog
    buckets: Buckets | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            Cut: a fault ends the connection here.
        """
        body = cast("bytes", environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        environ["wsgi.input"] = io.BytesIO(body)
        request = wire.parse(environ, body)
        if request.service not in ("ec2", "sts"):
            return self.moto(environ, start_response)
        reply = self._reply(request, environ)
        if reply.cut is not None:
            raise Cut(reply)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    def _reply(self, request: Request, environ: WSGIEnvironment) -> Reply:
        at = time.time()
        with self.world.lock:
            account = joint.account_of(request.access_key)
        fault = self.faults.take(request)
        reply: Reply | None = None
        if fault is None or fault.after_effect:
            reply = self._carry_out(account, request, environ)
        sent = cast("Reply", reply) if fault is None else fault.play(request, reply)
        self.log.append(
            Call(
                action=request.action,
                region=request.region,
                account=account,
                image_ids=request.image_ids,
                error_code=None if sent.cut is not None else sent.error_code,
                user_agent=request.user_agent,
                at=at,
                fault=None if fault is None else fault.kind,
            )
        )
        if fault is not None and fault.kind == "hang":
            self.faults.hang(fault.seconds)
        return sent

    def _carry_out(self, account: str, request: Request, environ: WSGIEnvironment) -> Reply:
        try:
            if request.service == "ec2":
                self._admit(account, request)
                with self.world.lock:
                    return self.actions.answer(account, request, lambda: self._ask_moto(environ))
            with self.world.lock:
                return self._ask_moto(environ)
        except EC2Error as error:
            return wire.failure(request.service, error)
        except NotImplementedError:
            text = f"The action {request.action} is not valid for this web service (moto lacks it)."
            return wire.failure(request.service, EC2Error("InvalidAction", text))
        except Exception as error:  # noqa: BLE001 - a fault of moto's is a 500 to the client, as EC2's own would be
            text = f"{type(error).__name__}: {error}"
            return wire.failure(request.service, EC2Error("InternalError", text, 500))

    def _admit(self, account: str, request: Request) -> None:
        if self.buckets and not self.buckets.take(account, request.region, request.action):
            raise EC2Error("RequestLimitExceeded", "Request limit exceeded.", 503)
        try:
            with self.world.lock:
                joint.backend(account, request.region)
        except KeyError:
            # Such a host does not exist in AWS; this is what a real one says to a wrong scope.
            text = f"Credential should be scoped to a valid region, not '{request.region}'."
            raise EC2Error("AuthFailure", text, 401) from None

    def _ask_moto(self, environ: WSGIEnvironment) -> Reply:
        chunks, status, headers = run_wsgi_app(self.moto, environ, buffered=True)
        kind = headers.get("Content-Type", wire.XML)
        return Reply(int(status.split()[0]), b"".join(chunks), kind)
