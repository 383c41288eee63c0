"""LocalEC2: an EC2 in this process, for tests and demonstrations."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

from . import certificate, moto_backend, recorded, world
from .actions import Actions
from .calls import Call, CallLog
from .environment import CONFIG, variables
from .faults import Faults
from .references import ImageUse, Registry
from .throttling import Buckets, Limits
from .world import Details, LocalImage, Record, World, aware
from .wsgi import Application, Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta
    from types import TracebackType

    from types_boto3_ec2 import EC2Client
    from types_boto3_sts import STSClient
    from typing_extensions import Self

    from ..image import Scan

REGION = "eu-west-1"
_NOT_RUNNING = "LocalEC2 is not running: use it in a with statement, or call start()"

_making_client = threading.Lock()


@functools.cache
def _session() -> boto3.Session:
    # One for all: it loads EC2's model, nearly half a second's work, only once. Making clients from
    # one session is not thread-safe (boto3's guide says so), hence the lock above.
    return boto3.Session()


class LocalEC2:
    """EC2 and STS on a loopback port of this process: moto, and what moto lacks for AMI deprecation.

        with LocalEC2() as ec2:
            image_id = ec2.add_image("web")
            subprocess.run(["pulumi", "up", "--yes"], env=os.environ | ec2.environment())
            assert ec2.image(image_id).deprecation_time is not None

    Any AWS SDK reaches it through the variables of ``environment()``. It follows EC2's rules for
    deprecation dates (owner only, not in the past, ten years, public images two years from creation and
    not cancellable, whole minutes) and for who sees which image. moto keeps its state for the whole
    process, so a process can run one LocalEC2 at a time; entering and leaving it empties moto.

    An unknown access key acts in account 123456789012; sts:AssumeRole gives keys of other accounts.
    """

    #: The default account's id.
    account: str
    #: Fault injection: see ``Faults.add`` and ``Faults.lag``.
    faults: Faults
    #: The clock that judges dates: see ``set_time`` and ``advance``.
    clock: world.Clock

    def __init__(self, *, limits: Limits | bool = False, host: str = "127.0.0.1", port: int = 0) -> None:
        """Prepare a server; it listens from ``start`` or ``with`` on.

        Args:
            limits: True: EC2's token buckets; or buckets of another size. False: no throttling.
            host: the address to listen on.
            port: 0 for a free one.
        """
        self.account = moto_backend.DEFAULT_ACCOUNT
        self.faults = Faults()
        self._world = World()
        self.clock = self._world.clock
        self._registry = Registry()
        self._log = CallLog()
        self._roles: dict[str, moto_backend.Role] = {}
        self._listen = host, port
        self._server: Server | None = None
        self._closed_port: int | None = None
        self._tls: tuple[str, Path] | None = None
        self._config = Path(os.devnull)
        self._state = contextlib.ExitStack()
        chosen = Limits() if limits is True else limits or None
        actions = Actions(self._world, self.faults, self._registry)
        self._app = Application(moto_backend.application(), self._world, actions, self.faults, self._log)
        self._app.buckets = Buckets(chosen) if chosen else None

    def start(self) -> Self:
        """Listen, with an empty EC2.

        Raises:
            RuntimeError: another LocalEC2 is running in this process.
            OSError: the port is taken.
        """
        with contextlib.ExitStack() as undo:
            undo.enter_context(moto_backend.fresh_state())
            folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="local-ec2-"))
            self._config = Path(folder, "config")
            self._config.write_text(CONFIG, encoding="utf-8")
            server = Server(self._app, *self._listen)
            server.start()
            self._server = server
            self._state = undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop listening, end hanging calls, empty moto. A second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            self.faults.clear()
            server.stop()
            self._state.close()
            self._closed_port = self._tls = None

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
        """The URL for an SDK, such as ``http://127.0.0.1:34567``."""
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._server.url()

    @property
    def refused_url(self) -> str:
        """A URL at which every connection is refused, as long as this server runs."""
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        with self._world.lock:
            if self._closed_port is None:
                # Bound, so that nobody else gets the port, but not listening.
                closed = self._state.enter_context(socket.socket())
                closed.bind(("127.0.0.1", 0))
                self._closed_port = closed.getsockname()[1]
        return f"http://127.0.0.1:{self._closed_port}"

    def serve_tls(self) -> tuple[str, Path]:
        """Serve over TLS too, with a certificate that no machine trusts.

        Returns:
            The URL for an SDK, and the file with the certificate: a client that gets it as
            ``AWS_CA_BUNDLE`` trusts the server, any other fails to connect.
        """
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        with self._world.lock:
            if self._tls is None:
                pem, context = certificate.make(self._config.parent, "127.0.0.1")
                server = Server(self._app, "127.0.0.1", 0, context)
                server.start()
                self._state.callback(server.stop)
                self._tls = server.url(), pem
        return self._tls

    def environment(self, region: str | None = None, account: str | None = None) -> dict[str, str]:
        """The variables that make a child process's SDK talk to this server, and to nothing else.

        Args:
            region: also set as the default Region.
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
        """A boto3 client of this server, which acts in ``account``."""
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
                self._roles[account] = moto_backend.assume(account)
            role = self._roles[account]
        return role.access_key_id, role.secret_access_key, role.session_token

    # Images.

    def add_image(  # noqa: PLR0913  # an image has as many fields
        self,
        name: str = "image",
        *,
        region: str = REGION,
        account: str | None = None,
        created: datetime | None = None,
        image_id: str | None = None,
        public: bool = False,
        state: str = "available",
        tags: Mapping[str, str] | None = None,
        deprecation_time: datetime | None = None,
        last_launched: datetime | None = None,
        architecture: str = "x86_64",
        platform: str | None = None,
        description: str | None = None,
        owner_alias: str | None = None,
        deregistration_protection: str = "disabled",
        public_ssm_parameter_name: str | None = None,
        source_image_id: str | None = None,
        source_image_region: str | None = None,
        image_allowed: bool | None = None,
        watermarks: Iterable[str] = (),
        scan: Scan | None = None,
    ) -> str:
        """Make an image and return its id.

        Args:
            name: its name.
            region: its Region.
            account: its owner; None: the default account.
            created: its CreationDate; None: now.
            image_id: a given id, which may exist in other Regions too; None: a fresh one.
            public: every account may launch it, and it has the date that EC2 gives a public image.
            state: EC2's ImageState.
            tags: key to value.
            deprecation_time: a date it has already, past or future, as if set long ago.
            last_launched: its LastLaunchedTime.
            architecture: such as ``arm64``.
            platform: ``windows`` for a Windows image.
            description: its description.
            owner_alias: ``amazon``, ``aws-marketplace`` or ``aws-backup-vault``.
            deregistration_protection: ``enabled-with-cooldown``, ``enabled-without-cooldown`` or
                ``disabled``.
            public_ssm_parameter_name: the public SSM parameter that resolves to it.
            source_image_id: the image that it was copied or created from.
            source_image_region: that image's Region.
            image_allowed: what the account's Allowed AMIs settings say; None: EC2 does not show it.
            watermarks: their keys, ``account:name``, or names that the owner attached.
            scan: what Amazon Inspector knows of it.

        Raises:
            ValueError: the id is taken in this Region, or a time has no offset.
            KeyError: there is no such Region.
        """
        owner = account or self.account
        details = Details(
            deprecation_time=aware(deprecation_time),
            last_launched_time=aware(last_launched),
            deregistration_protection=deregistration_protection,
            public_ssm_parameter_name=public_ssm_parameter_name,
            source_image_id=source_image_id,
            source_image_region=source_image_region,
            image_allowed=image_allowed,
            scan=scan,
        )
        when = aware(created) or self.clock.now().replace(microsecond=0)
        with self._world.lock:
            record = self._world.add(owner, region, name, created=when, image_id=image_id, details=details)
            image = record.image
            image.state, image.architecture = state, architecture
            image.platform, image.description, image.owner_alias = platform, description, owner_alias
            if owner_alias is not None:
                image.image_location = f"{owner_alias}/{name}"
            self._world.set_tags(record, tags or {})
            self._watermark(record, watermarks)
            if public:
                self._world.make_public(record)
            return image.id

    def add_images(  # noqa: PLR0913  # as add_image
        self,
        count: int,
        name: str = "image",
        *,
        region: str = REGION,
        account: str | None = None,
        created: datetime | None = None,
        public: bool = False,
        tags: Mapping[str, str] | None = None,
        deprecation_time: datetime | None = None,
        scan: Scan | None = None,
    ) -> list[str]:
        """Make ``count`` images, called ``<name>-00000`` and so on, and return their ids.

        They share a snapshot, and 20,000 take a second.
        """
        if count < 1:
            return []
        names = [f"{name}-{number:05}" for number in range(count)]
        first = self.add_image(
            names[0],
            region=region,
            account=account,
            created=created,
            public=public,
            tags=tags,
            deprecation_time=deprecation_time,
            scan=scan,
        )
        with self._record(first, region) as record:
            return [first, *(copy.image.id for copy in self._world.copies(record, names[1:]))]

    def load_images(
        self,
        source: str | Path | Mapping[str, object],
        *,
        region: str = REGION,
        account: str | None = None,
    ) -> list[str]:
        """Make the images of a recorded ``aws ec2 describe-images`` and return their ids.

        Args:
            source: the JSON file, or the answer of boto3's ``describe_images``.
            region: where to make them; the answer does not say where it came from.
            account: their owner; None: the one that was recorded.

        Raises:
            ValueError: it is not such an answer, or an id is taken in this Region.
            OSError: the file cannot be read.
            KeyError: there is no such Region.
        """
        images = recorded.load(source)
        with self._world.lock:
            return [recorded.add(self._world, raw, region, account).image.id for raw in images]

    def image(self, image_id: str, *, region: str = REGION) -> LocalImage:
        """The true state of an image, whoever owns it, also after it was deregistered.

        Raises:
            LookupError: there is no such image.
        """
        with self._world.lock:
            record = self._world.find(region, image_id)
            if record is not None:
                return world.snapshot(record)
            record = self._world.in_recycle_bin(region, image_id)
            if record is not None:
                return world.snapshot(record, world.DEREGISTERED)
        raise LookupError(f"no image {image_id} in {region} of LocalEC2")

    def images(self, *, region: str = REGION, account: str | None = None) -> list[LocalImage]:
        """The true state of all images of an account in a Region."""
        owner = account or self.account
        with self._world.lock:
            mine = [record for record in self._world.visible(region, owner) if record.account == owner]
            return [world.snapshot(record) for record in mine]

    # Changes from outside. None of them is in the call log or bound by EC2's rules.

    def set_deprecation_time(self, image_id: str, when: datetime | None, *, region: str = REGION) -> None:
        """Set the date or, with None, remove it, as somebody else could have done long ago."""
        with self._record(image_id, region) as record:
            record.details.deprecation_time = aware(when)

    def set_scan(self, image_id: str, scan: Scan | None, *, region: str = REGION) -> None:
        """Give an image the results of another Amazon Inspector scan, or none."""
        with self._record(image_id, region) as record:
            record.details.scan = scan

    def set_state(self, image_id: str, state: str, *, region: str = REGION) -> None:
        """Put an image into one of EC2's states.

        ``disabled`` makes it private, as DisableImage does. ``deregistered`` still shows it, with that
        state, as EC2 does for a short while; ``deregister_image`` is the next stage, ``remove_image``
        the last.
        """
        with self._record(image_id, region) as record:
            if state == world.DEREGISTERED:
                self._world.to_recycle_bin(record)
            if state == "disabled":
                record.image.launch_permissions.clear()
            record.image.state = state

    def make_public(self, image_id: str, *, region: str = REGION) -> None:
        """Share an image with everybody; EC2 gives it a date, or moves its date earlier."""
        with self._record(image_id, region) as record:
            self._world.make_public(record)

    def make_private(self, image_id: str, *, region: str = REGION) -> None:
        """Remove all launch permissions; the date stays."""
        with self._record(image_id, region) as record:
            record.image.launch_permissions.clear()

    def share(self, image_id: str, account: str, *, region: str = REGION) -> None:
        """Give one account the launch permission."""
        with self._record(image_id, region) as record:
            record.image.launch_permissions.append({"UserId": account})

    def deregister_image(self, image_id: str, *, region: str = REGION) -> None:
        """Deregister: DescribeImages by the id is empty, changes are InvalidAMIID.Unavailable."""
        with self._record(image_id, region) as record:
            self._world.deregister(record)

    def remove_image(self, image_id: str, *, region: str = REGION) -> None:
        """Let EC2 forget an image: the id is InvalidAMIID.NotFound."""
        with self._world.lock:
            self._world.forget(region, image_id)

    def restore_image(self, image_id: str, *, region: str = REGION) -> None:
        """Take a deregistered image out of the Recycle Bin: same id, private, without a date.

        Raises:
            LookupError: it was not deregistered.
        """
        with self._world.lock:
            if self._world.in_recycle_bin(region, image_id) is None:
                raise LookupError(f"{image_id} is not in the Recycle Bin of {region}")
            self._world.restore(region, image_id)

    def add_reference(
        self, image_id: str, resource_type: str, arn: str, *, region: str = REGION, account: str | None = None
    ) -> None:
        """Let DescribeImageReferences name a resource of ``account``, beside its instances and launch templates.

        Raises:
            ValueError: EC2 has no such resource type; one that it has is ``ssm:Parameter``.
        """
        with self._world.lock:
            self._registry.add(account or self.account, region, ImageUse(image_id, resource_type, arn))

    def set_enabled_regions(self, regions: Iterable[str] | None, *, account: str | None = None) -> None:
        """Choose the Regions that are enabled for an account; None: every Region that needs no opt-in.

        DescribeRegions lists them, and other Regions refuse the account's calls as AuthFailure.
        """
        with self._world.lock:
            if regions is None:
                self._world.enabled_regions.pop(account or self.account, None)
            else:
                self._world.enabled_regions[account or self.account] = frozenset(regions)

    def expire_tokens(self) -> None:
        """Let EC2 refuse every NextToken that it has given, as it does after a while."""
        with self._world.lock:
            self._app.actions.pages.clear()

    @contextlib.contextmanager
    def _record(self, image_id: str, region: str) -> Iterator[Record]:
        with self._world.lock:
            record = self._world.find(region, image_id)
            if record is None:
                raise LookupError(f"no image {image_id} in {region} of LocalEC2")
            yield record

    def _watermark(self, record: Record, names: Iterable[str]) -> None:
        keys = [name if ":" in name else f"{record.account}:{name}" for name in names]
        record.details.watermarks = tuple(self._world.watermark(record, key) for key in keys)

    # The call log.

    @property
    def calls(self) -> list[Call]:
        """Every EC2 and STS call that was answered, oldest first."""
        return self._log.since()

    def mark(self) -> int:
        """A mark for ``calls_since``."""
        return self._log.mark()

    def calls_since(self, mark: int, *actions: str) -> list[Call]:
        """The calls after ``mark``; with ``actions``, only calls of these."""
        return [call for call in self._log.since(mark) if not actions or call.action in actions]

    def mutations(self, since: int = 0) -> list[Call]:
        """The calls after a mark that change something, also those that were refused."""
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
            self._registry.clear()

    # Time and load.

    def set_time(self, when: datetime | None) -> None:
        """Stop the clock that judges dates at ``when``; None: back to the real time."""
        self.clock.set(when)

    def advance(self, by: timedelta) -> None:
        """Move that clock."""
        self.clock.advance(by)

    def set_limits(self, limits: Limits | None) -> None:
        """Give EC2 fresh, full token buckets; None: no throttling."""
        self._app.buckets = Buckets(limits) if limits else None
