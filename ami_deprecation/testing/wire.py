"""Requests and answers on the wire: the EC2 and STS query protocols.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from _typeshed.wsgi import WSGIEnvironment

XML = "text/xml;charset=UTF-8"
EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_CODE = re.compile(rb"<Code>([^<]*)</Code>")


class EC2Error(Exception):
    """An error that EC2 answers with."""

    #: EC2's code, such as ``InvalidAMIID.NotFound``.
    code: str
    #: The text for people.
    message: str
    #: The HTTP status.
    status: int

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        """Make the error; it is not sent yet."""
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Request:
    """One call as its client sent it, without its signature."""

    #: The signing name, such as ``ec2`` or ``sts``; empty when nothing was signed.
    service: str
    #: The value of ``Action``.
    action: str
    #: The Region of the credential scope.
    region: str
    #: The id of the key that signed it; only used to find its account.
    access_key: str = field(repr=False)
    #: The query parameters, flat: ``ImageId.1``.
    params: Mapping[str, str]
    user_agent: str

    def text(self, name: str) -> str | None:
        """One parameter; None when it was not sent."""
        return self.params.get(name)

    def required(self, name: str) -> str:
        """One parameter.

        Raises:
            EC2Error: it was not sent.
        """
        value = self.params.get(name)
        if not value:
            raise EC2Error("MissingParameter", f"The request must contain the parameter {name}")
        return value

    def flag(self, name: str) -> bool:
        """Whether the parameter was sent as true."""
        return self.params.get(name, "").lower() == "true"

    @property
    def dry_run(self) -> bool:
        """Whether the client only asks for its permissions; the older calls spell it ``dryRun``."""
        return self.flag("DryRun") or self.flag("dryRun")

    def many(self, name: str) -> tuple[str, ...]:
        """The values of a list parameter: ``name.1``, ``name.2`` and so on."""
        values: list[str] = []
        while (value := self.params.get(f"{name}.{len(values) + 1}")) is not None:
            values.append(value)
        return tuple(values)

    def structures(self, name: str) -> list[Request]:
        """A list of structures: for each, a request that has its members as parameters."""
        numbers = {
            int(number)
            for key in self.params
            if key.startswith(f"{name}.") and (number := key[len(name) + 1 :].partition(".")[0]).isdigit()
        }
        return [self._below(f"{name}.{number}.") for number in sorted(numbers)]

    def _below(self, prefix: str) -> Request:
        inner = {key[len(prefix) :]: value for key, value in self.params.items() if key.startswith(prefix)}
        return Request(self.service, self.action, self.region, self.access_key, inner, self.user_agent)

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images that the request names as a parameter."""
        single = self.params.get("ImageId")
        return self.many("ImageId") if single is None else (single,)


@dataclass(frozen=True)
class Reply:
    """What goes back to the client."""

    #: The HTTP status.
    status: int
    #: The whole body.
    body: bytes
    content_type: str = XML
    #: None to send everything; else how many bytes of the body are sent before the connection is
    #: closed, and -1 for a connection that is closed without an answer.
    cut: int | None = None

    @property
    def error_code(self) -> str | None:
        """EC2's code in an error answer; None for a success."""
        if self.status < 400:  # noqa: PLR2004  # HTTP's own boundary
            return None
        code = _CODE.search(self.body)
        return code.group(1).decode() if code else str(self.status)


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


def elements(values: Iterable[tuple[str, str | None]]) -> str:
    """XML elements, one for each name with a value."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values if value)


def item_set(name: str, items: Sequence[str]) -> str:
    """A list as EC2 writes it: ``item`` elements in one with a name; nothing when there are none."""
    return f"<{name}>{''.join(f'<item>{item}</item>' for item in items)}</{name}>" if items else ""


def tag_set(tags: Mapping[str, str]) -> str:
    """The tags of a resource; an empty value is an element too."""
    return item_set(
        "tagSet",
        [f"<key>{escape(key)}</key><value>{escape(value)}</value>" for key, value in tags.items()],
    )


def boolean(value: bool | None) -> str | None:
    """A boolean as EC2 writes it."""
    return None if value is None else str(value).lower()


def success(action: str, inner: str) -> Reply:
    """An EC2 answer with ``inner``, which is XML, in the action's response element."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{EC2_NAMESPACE}">'
        f"<requestId>{uuid.uuid4()}</requestId>{inner}</{action}Response>"
    )
    return Reply(200, body.encode())


def failure(service: str, error: EC2Error) -> Reply:
    """An error in the service's own form: EC2's differs from that of STS."""
    details = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if service == "sts":
        inner = f'<ErrorResponse xmlns="{_STS_NAMESPACE}"><Error><Type>Sender</Type>{details}</Error>'
        end = f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    else:
        inner = f"<Response><Errors><Error>{details}</Error></Errors>"
        end = f"<RequestID>{uuid.uuid4()}</RequestID></Response>"
    return Reply(error.status, f'<?xml version="1.0" encoding="UTF-8"?>\n{inner}{end}'.encode())
