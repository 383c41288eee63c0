"""Small servers on this machine that answer everything in one way."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Nothing listens there.
CLOSED = "127.0.0.1:9"


@dataclass
class Server:
    """A running server."""

    host: str
    #: What was asked for: the method and the path, or the host of a CONNECT.
    requests: list[str] = field(default_factory=list)
    #: How many connections came, also those that did not get as far as a request.
    connections: int = 0


@contextlib.contextmanager
def serve(*bodies: str, status: int = 200, certificate: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Answer with these bodies one after the other, the last of them again and again.

    Args:
        bodies: what a POST gets.
        status: with which status.
        certificate: certificate and key, for TLS.
    """
    left = list(bodies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.requests.append(f"{self.command} {self.path}")
            body = (left.pop(0) if len(left) > 1 else left[0]).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_CONNECT(self) -> None:
            server.requests.append(self.path)
            self.send_error(403, "Not through me")

        def log_message(self, *_: object) -> None:
            pass

    class Listener(http.server.ThreadingHTTPServer):
        def verify_request(self, request: object, client_address: object) -> bool:
            del request, client_address
            server.connections += 1
            return True

        def handle_error(self, *_: object) -> None:
            pass

    listener = Listener(("127.0.0.1", 0), Handler)
    server = Server(f"localhost:{listener.server_port}")
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener.socket = context.wrap_socket(
            listener.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private


def page(image_ids: Sequence[str], token: str | None) -> str:
    """A response of DescribeImages."""
    items = "".join(
        f"<item><imageId>{image_id}</imageId><creationDate>2026-01-01T00:00:00.000Z</creationDate></item>"
        for image_id in image_ids
    )
    following = f"<nextToken>{token}</nextToken>" if token else ""
    return f"<DescribeImagesResponse><imagesSet>{items}</imagesSet>{following}</DescribeImagesResponse>"
