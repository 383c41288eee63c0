"""A HashiCorp Vault for the stacks of tests, with just what Pulumi asks it: its transit engine, which here hides nothing.

With a passphrase each command of the CLI would spend a quarter of a second on deriving a key, which is most of a
preview's processor time.

Source: https://www.pulumi.com/docs/iac/concepts/secrets/#hashicorp-vault-transit-secrets-engine
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What `pulumi stack init --secrets-provider` is told.
PROVIDER = "hashivault://tests"
_PREFIX = "vault:v1:"


class _Transit(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:  # the library's name
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/encrypt/" in self.path:
            data = {"ciphertext": _PREFIX + given["plaintext"]}
        else:
            data = {"plaintext": given["ciphertext"].removeprefix(_PREFIX)}
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serve() -> Iterator[str]:
    """Run it; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Transit) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
