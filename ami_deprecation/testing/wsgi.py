"""What listens: a WSGI application over moto's (call log, faults, throttling), and the server around it."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from . import moto_backend, wire
from .calls import Call
from .wire import EC2Error, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .actions import Actions
    from .calls import CallLog
    from .faults import Faults
    from .throttling import Buckets
    from .wire import Request
    from .world import World


class ConnectionCut(Exception):
    """Tells the server to close the connection after part of an answer."""

    def __init__(self, reply: Reply) -> None:
        """Send as much as ``reply.cut`` says."""
        super().__init__("connection cut on purpose")
        self.reply = reply


@dataclass
class Application:
    """The WSGI application that clients talk to. ``buckets`` is None without throttling."""

    moto: WSGIApplication
    world: World
    actions: Actions
    faults: Faults
    log: CallLog
    buckets: Buckets | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionCut: a fault ends the connection here.
        """
        body = cast("bytes", environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        environ["wsgi.input"] = io.BytesIO(body)
        request = wire.parse(environ, body)
        if request.service not in ("ec2", "sts"):
            return self.moto(environ, start_response)
        reply = self._reply(request, environ)
        if reply.cut is not None:
            raise ConnectionCut(reply)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    def _reply(self, request: Request, environ: WSGIEnvironment) -> Reply:
        at = time.time()
        with self.world.lock:
            account = moto_backend.account_of(request.access_key)
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
                dry_run=request.dry_run,
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
        except Exception as error:  # noqa: BLE001  # a bug of ours or moto's is a 500 to the client
            text = f"{type(error).__name__}: {error}"
            return wire.failure(request.service, EC2Error("InternalError", text, 500))

    def _admit(self, account: str, request: Request) -> None:
        if self.buckets and not self.buckets.take(account, request.region, request.action):
            raise EC2Error("RequestLimitExceeded", "Request limit exceeded.", 503)
        try:
            with self.world.lock:
                moto_backend.backend(account, request.region)
                enabled = self.world.is_enabled(account, request.region)
        except KeyError:
            # Such a host does not exist in AWS; this is what a real one answers to a wrong scope.
            text = f"Credential should be scoped to a valid region, not '{request.region}'."
            raise EC2Error("AuthFailure", text, 401) from None
        if not enabled:
            text = "AWS was not able to validate the provided access credentials"
            raise EC2Error("AuthFailure", text, 401)

    def _ask_moto(self, environ: WSGIEnvironment) -> Reply:
        chunks, status, headers = run_wsgi_app(self.moto, environ, buffered=True)
        kind = headers.get("Content-Type", wire.XML)
        return Reply(int(status.split()[0]), b"".join(chunks), kind)


class Server(ThreadedMotoServer):  # type: ignore[misc] # moto is untyped here
    """Serves ``app`` from a thread of this process until ``stop``: moto's server without its log lines.

    It keeps connections alive, and can cut them.
    """

    def __init__(self, app: WSGIApplication, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Prepare; ``start`` listens. Port 0 means a free one."""
        super().__init__(ip_address=host, port=port, verbose=False)
        self._app = app
        self._tls = tls
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen and serve.

        Raises:
            OSError: the address is taken or not one of this machine's.
        """
        family = socket.AF_INET6 if ":" in self._ip_address else socket.AF_INET
        try:
            # Bound here, because werkzeug prints its own lines and exits on an address in use.
            self._listener = socket.create_server((self._ip_address, self._port), family=family, backlog=128)
        except OSError as error:
            why = str(error.strerror).partition(" (")[0]  # Python appends the address
            raise OSError(f"cannot listen on {self._ip_address}:{self._port}: {why}") from None
        super().start()

    def _server_entry(self) -> None:
        with cast("socket.socket", self._listener) as listener:
            # werkzeug takes a duplicate of the descriptor.
            self._server = make_server(
                self._ip_address,
                self._port,
                self._app,
                True,
                request_handler=_Handler,
                ssl_context=self._tls,
                fd=listener.fileno(),
            )
        self._server_ready_event.set()
        self._server.serve_forever(poll_interval=0.05)

    def url(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:34567``."""
        host, port = self.get_host_and_port()
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def stop(self) -> None:
        """Stop listening, and close the connections that clients keep alive."""
        super().stop()
        _Handler.end_all(self._app)


class _Handler(MotoRequestHandler):  # type: ignore[misc] # moto is untyped here
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a kept-alive connection waits 40 ms for each answer
    wbufsize = -1

    _open: dict[socket.socket, WSGIApplication] = {}  # noqa: RUF012  # all connections of the process
    _lock = threading.Lock()

    def setup(self) -> None:
        super().setup()
        with self._lock:
            self._open[self.connection] = self.server.app

    def finish(self) -> None:
        with self._lock:
            self._open.pop(self.connection, None)
        with contextlib.suppress(OSError):  # after a cut, there is nowhere to flush the rest to
            super().finish()

    @classmethod
    def end_all(cls, app: WSGIApplication) -> None:
        with cls._lock:
            mine = [connection for connection, its in cls._open.items() if its is app]
        for connection in mine:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def run_wsgi(self) -> None:
        # werkzeug's own closes each connection and waits 10 ms for bytes that never come; here the
        # body is read to its end first, so that the next request can follow.
        environ: WSGIEnvironment = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except ConnectionCut as cut:
            self._cut(cut.reply)
            return
        body = b"".join(chunks)
        headers["Content-Length"] = str(len(body))
        self._send(status, list(headers.items()), body)

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _cut(self, reply: Reply) -> None:
        self.close_connection = True
        sent = cast("int", reply.cut)
        if sent >= 0:
            headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
            self._send(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers, reply.body[:sent])
        self.connection.shutdown(socket.SHUT_RDWR)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The time of the clock that judges dates: like EC2's own answers, a client can learn it from them."""
        now = self.server.app.world.clock.now().timestamp() if timestamp is None else timestamp
        return cast("str", super().date_time_string(now))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay quiet: the call log is the log."""
