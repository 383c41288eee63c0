"""LocalEC2: an EC2 in this process, for tests and demonstrations."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

from ami_deprecation.testing import joint
from ami_deprecation.testing.actions import Actions
from ami_deprecation.testing.calls import Call, CallLog
from ami_deprecation.testing.environment import CONFIG, variables
from ami_deprecation.testing.faults import Faults
from ami_deprecation.testing.front import Front
from ami_deprecation.testing.images import REGION, Images
from ami_deprecation.testing.limits import Buckets, Limits
from ami_deprecation.testing.server import Server
from ami_deprecation.testing.world import World

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from types import TracebackType

    from types_boto3_ec2 import EC2Client
    from types_boto3_sts import STSClient
    from typing_extensions import Self

_making_client = threading.Lock()


@functools.cache
def _session() -> boto3.Session:
    # One for all: it reads EC2's model, nearly half a second's work, only once. Making clients from
    # one session is not thread-safe (boto3's guide says so), hence the lock above.
    return boto3.Session()


class LocalEC2(Images):
    """EC2 and STS on a loopback port of this process: moto, and what moto lacks for AMI deprecation.

        with LocalEC2() as ec2:
            image_id = ec2.add_image("web")
            subprocess.run(["pulumi", "up", "--yes"], env=os.environ | ec2.environment())
            assert ec2.image(image_id).deprecation_time is not None

    Any AWS SDK reaches it through the variables of `environment()`. It follows EC2's rules for
    deprecation dates (owner only, none past, ten years, public images two years from creation and not
    cancellable, whole minutes) and for who sees which image. moto keeps its state for the whole
    process, so there is one LocalEC2 a process at a time; entering and leaving it empties moto.

    An access key that nobody made acts in account 123456789012; sts:AssumeRole gives keys of others.

    Attributes:
        account: the default account's id.
        faults: what shall go wrong; see `Faults.add` and `Faults.lag`.
        clock: the time by which dates are judged; see `set_time` and `advance`.
    """

    def __init__(self, *, limits: Limits | bool = False, host: str = "127.0.0.1", port: int = 0) -> None:
        """Prepare a server; nothing listens before `start` or `with`.

        Args:
            limits: True: EC2's token buckets; or buckets of another size. False: none.
            host: the address to listen on.
            port: 0 for a free one.
        """
        super().__init__(World())
        self.faults = Faults()
        self.clock = self._world.clock
        self._log = CallLog()
        self._roles: dict[str, joint.Role] = {}
        self._listen = host, port
        self._server: Server | None = None
        self._config = Path(os.devnull)
        self._state = contextlib.ExitStack()
        chosen = Limits() if limits is True else limits or None
        actions = Actions(self._world, self.faults, self._references)
        self._front = Front(joint.application(), self._world, actions, self.faults, self._log)
        self._front.buckets = Buckets(chosen) if chosen else None

    def start(self) -> Self:
        """Listen, with an empty EC2.

        Raises:
            RuntimeError: another LocalEC2 runs in this process.
            OSError: the port is taken.
        """
        with contextlib.ExitStack() as undo:
            undo.enter_context(joint.fresh_state())
            folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="local-ec2-"))
            self._config = Path(folder, "config")
            self._config.write_text(CONFIG, encoding="utf-8")
            server = Server(self._front, *self._listen)
            server.start()
            self._server = server
            self._state = undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop listening, end hanging calls, empty moto. Twice does no harm."""
        server, self._server = self._server, None
        if server is not None:
            self.faults.clear()
            server.stop()
            self._state.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    # How to reach it.

    @property
    def endpoint_url(self) -> str:
        """The URL to give to an SDK, such as `http://127.0.0.1:34567`."""
        if self._server is None:
            raise RuntimeError("LocalEC2 is not running: use it in a with statement, or call start()")
        host, port = self._server.get_host_and_port()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def environment(self, region: str | None = None, account: str | None = None) -> dict[str, str]:
        """Return the variables that make a child process's SDK talk to this server, and to nothing else.

        Args:
            region: also set as the default region.
            account: act in this account instead of the default one.
        """
        keys = self._keys(account)
        return variables(self.endpoint_url, self._listen[0], keys, str(self._config), region, os.environ)

    @overload
    def client(
        self,
        service: Literal["ec2"] = ...,
        *,
        region: str = ...,
        account: str | None = ...,
        config: Config | None = ...,
    ) -> EC2Client: ...
    @overload
    def client(
        self,
        service: Literal["sts"],
        *,
        region: str = ...,
        account: str | None = ...,
        config: Config | None = ...,
    ) -> STSClient: ...
    def client(
        self,
        service: Literal["ec2", "sts"] = "ec2",
        *,
        region: str = REGION,
        account: str | None = None,
        config: Config | None = None,
    ) -> EC2Client | STSClient:
        """Return a boto3 client of this server, acting in `account`."""
        key, secret, token = self._keys(account)
        direct = Config(proxies={}).merge(config or Config())
        with _making_client:
            return _session().client(
                service,
                region_name=region,
                endpoint_url=self.endpoint_url,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=direct,
            )

    def _keys(self, account: str | None) -> tuple[str, str, str]:
        if account is None or account == self.account:
            return "testing", "testing", "testing"
        with self._world.lock:
            if account not in self._roles:
                self._roles[account] = joint.assume(account)
            role = self._roles[account]
        return role.access_key_id, role.secret_access_key, role.session_token

    # The call log.

    @property
    def calls(self) -> list[Call]:
        """Every EC2 and STS call that was answered, oldest first."""
        return self._log.since()

    def mark(self) -> int:
        """Return a mark for `calls_since`."""
        return self._log.mark()

    def calls_since(self, mark: int, *actions: str) -> list[Call]:
        """Return the calls after `mark`, only those of `actions` when any are named."""
        return [call for call in self._log.since(mark) if not actions or call.action in actions]

    def mutations(self, since: int = 0) -> list[Call]:
        """Return the calls after a mark that change something, refused ones too."""
        return [call for call in self._log.since(since) if call.mutates]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._log.clear()

    def reset(self) -> None:
        """Forget images, calls, faults and lags, go back to the real time; between two examples of a test.

        Instances, launch templates, roles and the endpoint stay, so clients can be kept.
        """
        self.faults.clear()
        self.clock.set(None)
        self._log.clear()
        with self._world.lock:
            self._world.clear()
            self._references.clear()

    # Time and load.

    def set_time(self, when: datetime | None) -> None:
        """Stop the clock by which dates are judged at `when`; None: back to the real time."""
        self.clock.set(when)

    def advance(self, by: timedelta) -> None:
        """Move that clock."""
        self.clock.advance(by)

    def set_limits(self, limits: Limits | None) -> None:
        """Give EC2 fresh, full token buckets, or none."""
        self._front.buckets = Buckets(limits) if limits else None
