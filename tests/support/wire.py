"""boto3 clients whose requests go nowhere, at the last step before its HTTP library: what it makes of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_ec2 import EC2Client
    from types_boto3_sts import STSClient


@dataclass(frozen=True)
class Body:
    """A body as botocore's HTTP library hands it over."""

    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content


@dataclass
class Wire:
    """Clients whose requests go nowhere and get these answers."""

    answer: tuple[int, bytes] | Exception

    def __post_init__(self) -> None:
        session = boto3.Session("AKIAEXAMPLE", "very-secret", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1})
        self.ec2: EC2Client = session.client("ec2", config=config)
        self.sts: STSClient = session.client("sts", config=config)
        for client in (self.ec2, self.sts):
            client.meta.events.register("before-send", self._send)  # type: ignore[arg-type]  # it may answer

    def _send(self, **_: object) -> AWSResponse:
        if isinstance(self.answer, Exception):
            raise self.answer
        status, content = self.answer
        return AWSResponse("https://ec2", status, HTTPHeaders(), Body(content))
