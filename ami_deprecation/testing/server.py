"""moto's threaded server with kept-alive connections, no log lines, and connections that can be cut."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from ami_deprecation.testing.front import Cut

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from ami_deprecation.testing.wire import Reply


class Server(ThreadedMotoServer):  # type: ignore[misc] # moto is untyped here
    """Serves `app` from a thread of this process until `stop`."""

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        """Prepare; `start` listens. Port 0 means a free one."""
        super().__init__(ip_address=host, port=port, verbose=False)
        self._app = app
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen and serve.

        Raises:
            OSError: the address is taken or not ours.
        """
        family = socket.AF_INET6 if ":" in self._ip_address else socket.AF_INET
        try:
            # Bound here, as werkzeug would print its own lines and exit on an address in use.
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
                fd=listener.fileno(),
            )
        self._server_ready_event.set()
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Stop listening, and end the connections that clients keep alive."""
        super().stop()
        _Handler.end_all(self._app)


class _Handler(MotoRequestHandler):  # type: ignore[misc] # moto is untyped here
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a kept-alive connection waits 40 ms for each answer
    wbufsize = -1

    _open: dict[socket.socket, WSGIApplication] = {}  # noqa: RUF012 - all connections of the process
    _lock = threading.Lock()

    def setup(self) -> None:
        super().setup()
        with self._lock:
            self._open[self.connection] = self.server.app

    def finish(self) -> None:
        with self._lock:
            self._open.pop(self.connection, None)
        with contextlib.suppress(OSError):  # what is left to flush after a cut has nowhere to go
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
        except Cut as cut:
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
        """Date answers by the clock that judges dates, as EC2's own do: a client can learn it from them."""
        now = self.server.app.world.clock.now().timestamp() if timestamp is None else timestamp
        return cast("str", super().date_time_string(now))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay quiet: the call log is the log."""
