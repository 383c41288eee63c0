"""Requests and answers as they stand on the wire: the EC2 and STS query protocols.

AWS API Reference: "Making requests to the Amazon EC2 API" and "Query requests for Amazon EC2".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed.wsgi import WSGIEnvironment

XML = "text/xml;charset=UTF-8"
_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_STS = "https://sts.amazonaws.com/doc/2011-06-15/"
_CODE = re.compile(rb"<Code>([^<]*)</Code>")


class EC2Error(Exception):
    """An answer of EC2 that is an error.

    Attributes:
        code: EC2's code, such as `InvalidAMIID.NotFound`.
        message: the text for people.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        """Make the error; nothing is sent yet."""
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Request:
    """One call as its client sent it, without its signature.

    Attributes:
        service: the signing name, such as `ec2` or `sts`; empty when nothing was signed.
        action: the value of `Action`.
        region: the region of the credential scope.
        access_key: the id of the key that signed it, only to find its account.
        params: the query parameters, flat, as `ImageId.1`.
        user_agent: the header.
    """

    service: str
    action: str
    region: str
    access_key: str = field(repr=False)
    params: Mapping[str, str]
    user_agent: str

    def text(self, name: str) -> str | None:
        """Return one parameter, or None when it was not sent."""
        return self.params.get(name)

    def flag(self, *names: str) -> bool:
        """Return True when one of `names` was sent as true (DescribeImages spells it `dryRun`)."""
        return any(self.params.get(name, "").lower() == "true" for name in names)

    def many(self, name: str) -> tuple[str, ...]:
        """Return the values of a list parameter, `name.1`, `name.2` and so on."""
        values: list[str] = []
        while (value := self.params.get(f"{name}.{len(values) + 1}")) is not None:
            values.append(value)
        return tuple(values)

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images that the request names as a parameter."""
        single = self.params.get("ImageId")
        return self.many("ImageId") if single is None else (single,)


@dataclass(frozen=True)
class Reply:
    """What goes back to the client.

    Attributes:
        status: the HTTP status.
        body: the whole body.
        content_type: its header.
        cut: None to send everything; else how many bytes of the body are sent before the connection
            is closed, and -1 for a connection closed without any answer.
    """

    status: int
    body: bytes
    content_type: str = XML
    cut: int | None = None

    @property
    def error_code(self) -> str | None:
        """EC2's code in an error answer; None for a success."""
        if self.status < 400:  # noqa: PLR2004 - HTTP's own boundary
            return None
        found = _CODE.search(self.body)
        return found.group(1).decode() if found else str(self.status)


def parse(environ: WSGIEnvironment, body: bytes) -> Request:
    """Read a request of the query protocol, from its body or its query string."""
    encoded = body.decode("utf-8", "replace") or environ.get("QUERY_STRING", "")
    params = dict(parse_qsl(encoded, keep_blank_values=True))
    scope = re.search(r"Credential=([^,\s]+)", environ.get("HTTP_AUTHORIZATION", ""))
    # access key / date / region / service / "aws4_request"
    parts = (scope.group(1) if scope else params.get("X-Amz-Credential", "")).split("/")
    key, _, region, service = parts[:4] if len(parts) >= 5 else ("", "", "us-east-1", "")  # noqa: PLR2004
    action = params.get("Action", "")
    if not service and action.startswith("AssumeRoleWith"):
        service = "sts"  # the web identity and SAML calls carry no signature
    return Request(service.lower(), action, region, key, params, environ.get("HTTP_USER_AGENT", ""))


def success(action: str, inner: str) -> Reply:
    """Return an EC2 answer with `inner`, ready XML, below the action's response element."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{_EC2}">'
        f"<requestId>{uuid.uuid4()}</requestId>{inner}</{action}Response>"
    )
    return Reply(200, body.encode())


def failure(service: str, error: EC2Error) -> Reply:
    """Return an error in the service's own form: EC2's differs from that of STS."""
    what = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if service == "sts":
        inner = f'<ErrorResponse xmlns="{_STS}"><Error><Type>Sender</Type>{what}</Error>'
        end = f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    else:
        inner = f"<Response><Errors><Error>{what}</Error></Errors>"
        end = f"<RequestID>{uuid.uuid4()}</RequestID></Response>"
    return Reply(error.status, f'<?xml version="1.0" encoding="UTF-8"?>\n{inner}{end}'.encode())
