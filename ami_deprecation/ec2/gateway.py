"""The gateway to EC2: every call that this package makes, and everything that a process remembers about them."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING, TypeVar

from .. import dates
from ..errors import AmiDeprecationError, RequestRefused, WrongAccount
from ..image import GONE_STATES, newest_first
from . import listing, regions, translate
from .clock import Clock
from .listing import Reference
from .pacing import Breaker, Bucket
from .parse import to_image, to_instance_image
from .reader import Reader
from .sessions import Sessions, proxy_of
from .translate import Call, Failure, Kind, NotAnEC2Response

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        DescribeImageReferencesRequestTypeDef,
        DescribeImageReferencesResultTypeDef,
        DescribeImagesRequestTypeDef,
        DescribeImagesResultTypeDef,
        DescribeInstanceImageMetadataRequestTypeDef,
        DescribeInstanceImageMetadataResultTypeDef,
        DescribeRegionsResultTypeDef,
        DisableImageDeprecationResultTypeDef,
        EnableImageDeprecationResultTypeDef,
        InstanceImageMetadataTypeDef,
    )
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

    from ..image import Image
    from ..settings import Settings
    from .listing import Values
    from .target import Identity, Network, Target

logger = logging.getLogger("ami_deprecation")

_Client = TypeVar("_Client", "EC2Client", "STSClient")
_Response = TypeVar("_Response", bound="Mapping[str, object]")
_Key = TypeVar("_Key", bound="Hashable")
_Value = TypeVar("_Value")

_CHANGES = frozenset({"EnableImageDeprecation", "DisableImageDeprecation"})
#: EC2's code for a DryRun call that would have succeeded.
_WOULD_SUCCEED = "DryRunOperation"
#: All of EC2's but terminated.
_INSTANCE_STATES = ("pending", "running", "shutting-down", "stopping", "stopped")
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 8.0
_PROGRESS_EVERY = 10.0
#: EC2's bucket fills from when a call arrives, ours from when it is sent: the first call, which has to connect,
#: may take longer than the later ones, and so many calls make up for that.
_KEPT_BACK = 2


@dataclass(frozen=True)
class Caller:
    """Who makes the calls, as STS knows it."""

    account: str
    arn: str


class Gateway:
    """The calls to EC2: paced, retried within one budget of time, their errors made ours. Thread-safe.

    A process keeps one. It remembers sessions and clients, token buckets, EC2's clock, the accounts of credentials, what
    was read of images, endpoints that cannot be reached, and Region names.

    Args:
        settings: limits and patience.
        may_prompt: botocore may ask a person for an MFA code. Only the command line on a terminal allows it.
    """

    def __init__(self, settings: Settings, *, may_prompt: bool = False) -> None:
        self.settings = settings
        self._sessions = Sessions(settings.retry_seconds, may_prompt=may_prompt)
        self._clock = Clock()
        self._lock = Lock()
        self._buckets: dict[tuple[Target, str], Bucket] = {}
        self._breakers: dict[tuple[str, str, Network], Breaker[Failure]] = {}
        self._readers: dict[Target, Reader] = {}
        self._callers: dict[Identity, Caller] = {}
        self._partitions: dict[str, str] = {}
        self._default_regions: dict[str | None, str | None] = {}
        self._sent: defaultdict[tuple[Target, str], int] = defaultdict(int)
        self._progress_at: dict[tuple[Target, str], float] = {}
        self._canceled = Event()

    # Time, credentials and Regions.

    def now(self) -> datetime:
        """The time by EC2's clock once a response has told it, else by this machine's."""
        return self._clock.now()

    def pause(self, seconds: float) -> None:
        """Wait so long; every wait of this package is one of these.

        Raises:
            RequestRefused: the run is canceled.
        """
        if self._canceled.wait(seconds):
            raise RequestRefused("the run was canceled while this resource was waiting")

    def cancel(self) -> None:
        """End all waits, now and later."""
        self._canceled.set()

    def caller(self, target: Target) -> Caller:
        """Who the credentials belong to; asked of STS once per identity.

        Raises:
            AmiDeprecationError: one of its subclasses, when STS does not tell.
        """
        return self._caller(target, self._deadline())

    def caller_account(self, target: Target) -> str:
        """The account that the credentials belong to; it raises what ``caller`` does."""
        return self.caller(target).account

    def default_region(self, profile: str | None) -> str | None:
        """The Region of the environment (``AWS_REGION``, ``AWS_DEFAULT_REGION``), else of the profile.

        Raises:
            CredentialsError: the profile does not exist, or the configuration cannot be read.
        """
        return self._once(self._default_regions, profile, regions.read_default)

    def check_region(self, region: str) -> None:
        """Refuse the name of a Region that boto3 does not know, in any partition.

        Raises:
            InvalidInput: with the closest names.
        """
        regions.refuse_unknown(region, self.partitions())

    def partitions(self) -> Mapping[str, str]:
        """Every Region that this boto3 knows, to its partition (``aws``, ``aws-cn``, …)."""
        if not self._partitions:
            self._partitions = regions.load_partitions()
        return self._partitions

    def list_regions(self, target: Target) -> list[str]:
        """The Regions that the account has enabled, by name.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
        """

        def ask(client: EC2Client) -> DescribeRegionsResultTypeDef:
            response = client.describe_regions(AllRegions=False)
            if not response.get("Regions"):
                raise NotAnEC2Response(translate.NOT_EC2)
            return response

        response = self._call(Call("DescribeRegions", target, "the account's Regions"), ask)
        return sorted(region["RegionName"] for region in response["Regions"] if "RegionName" in region)

    # One image.

    def read_image(self, target: Target, image_id: str, max_age: float) -> Image | None:
        """The image as EC2 describes it, deprecated and disabled ones too; None when it is not there.

        Args:
            target: credentials and Region.
            image_id: ``ami-…``.
            max_age: how many seconds old the answer may be; 0 for a fresh one.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.
        """
        return self._reader(target).get(image_id, max_age)

    def enable(self, target: Target, image_id: str, when: datetime) -> None:
        """EnableImageDeprecation: set or move the date.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
        """

        def ask(client: EC2Client) -> EnableImageDeprecationResultTypeDef:
            # As a datetime: botocore would parse a text twice for each call.
            return client.enable_image_deprecation(ImageId=image_id, DeprecateAt=dates.to_minute(when))

        self._change("EnableImageDeprecation", target, image_id, ask)

    def disable(self, target: Target, image_id: str) -> None:
        """DisableImageDeprecation: cancel the date; on an image without one it does nothing.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImageDeprecation.html
        """

        def ask(client: EC2Client) -> DisableImageDeprecationResultTypeDef:
            return client.disable_image_deprecation(ImageId=image_id)

        self._change("DisableImageDeprecation", target, image_id, ask)

    def try_read(self, target: Target) -> None:
        """DescribeImages with DryRun: whether the credentials may call it.

        Raises:
            AmiDeprecationError: one of its subclasses; ``PermissionDenied`` when they may not.
        """

        def ask(client: EC2Client) -> DescribeImagesResultTypeDef:
            return client.describe_images(Owners=["self"], DryRun=True)

        self._dry_run(Call("DescribeImages", target, "the images"), ask)

    def try_enable(self, target: Target, image_id: str, when: datetime) -> None:
        """EnableImageDeprecation with DryRun: it changes nothing, and raises what ``enable`` would for a permission."""

        def ask(client: EC2Client) -> EnableImageDeprecationResultTypeDef:
            return client.enable_image_deprecation(
                ImageId=image_id, DeprecateAt=dates.to_minute(when), DryRun=True
            )

        self._dry_run(translate.call_on("EnableImageDeprecation", target, [image_id]), ask)

    def try_disable(self, target: Target, image_id: str) -> None:
        """DisableImageDeprecation with DryRun: it changes nothing, and raises what ``disable`` would for a permission."""

        def ask(client: EC2Client) -> DisableImageDeprecationResultTypeDef:
            return client.disable_image_deprecation(ImageId=image_id, DryRun=True)

        self._dry_run(translate.call_on("DisableImageDeprecation", target, [image_id]), ask)

    def _dry_run(self, call: Call, ask: Callable[[EC2Client], _Response]) -> None:
        """Make a call with DryRun. EC2 refuses it in any case, and the code says why.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
        """
        try:
            self._call(call, ask)
        except RequestRefused as refused:
            if refused.code != _WOULD_SUCCEED:
                raise

    def endpoint(self, target: Target) -> str:
        """The URL that the calls go to, without a password.

        Raises:
            AmiDeprecationError: one of its subclasses, when the configuration cannot be used.
        """
        try:
            return translate.without_password(self._sessions.ec2(target).meta.endpoint_url)
        except (translate.NoClient, translate.Unreachable) as error:
            failure = translate.classify(error)
        raise self._error(failure, Call("DescribeImages", target, "the images"))

    def clock_ahead(self) -> timedelta:
        """How far EC2's clock is ahead of this machine's; zero up to a minute, and before the first response."""
        return self._clock.ahead

    def _change(
        self, action: str, target: Target, image_id: str, ask: Callable[[EC2Client], _Response]
    ) -> None:
        def ask_and_check(client: EC2Client) -> _Response:
            response = ask(client)
            if "Return" not in response:  # an HTML page parses too, and has no Return
                raise NotAnEC2Response(translate.NOT_EC2)
            if not response["Return"]:
                raise NotAnEC2Response("EC2 returned Return=false")
            return response

        try:
            self._call(translate.call_on(action, target, [image_id]), ask_and_check)
        finally:
            self._reader(target).forget(image_id)

    def _reader(self, target: Target) -> Reader:
        def make(_: Target) -> Reader:
            return Reader(partial(self._describe_ids, target), partial(self._own_images, target))

        return self._once(self._readers, target, make)

    # Many images.

    def list_images(  # noqa: PLR0913  # one parameter for each of DescribeImages'
        self,
        target: Target,
        *,
        owners: Sequence[str] = ("self",),
        executable_users: Sequence[str] = (),
        name: Values | None = None,
        tags: Mapping[str, Values] | None = None,
        filters: Mapping[str, Values] | None = None,
        image_ids: Sequence[str] | None = None,
        include_deprecated: bool = True,
        include_disabled: bool = False,
        on_page: Callable[[int], None] | None = None,
        unusable: list[str] | None = None,
    ) -> list[Image]:
        """All images of a Region that match a query, newest first; of one age, by their ids.

        An account with 20,000 images takes 20 calls. Deregistered images, which EC2 shows for a short while, are left out.

        Args:
            target: credentials and Region.
            owners: ``self``, account ids, ``amazon``, ``aws-marketplace``; empty: every owner whose images are visible.
            executable_users: only images that these may launch: account ids, ``self``, or ``all`` for public ones.
            name: EC2's ``name`` filter, with its wildcards.
            tags: key to value or values; ``*`` for any.
            filters: any other filter of DescribeImages, by name.
            image_ids: only these; those that are not there are left out. An empty list costs no call.
            include_deprecated: other accounts' deprecated images too; one's own are always shown.
            include_disabled: one's own disabled images too.
            on_page: called with the number of images so far, after each call.
            unusable: gets the ids of images without a usable creation date, which are left out; without it a warning
                names them.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
        """
        query: DescribeImagesRequestTypeDef = {
            "IncludeDeprecated": include_deprecated,
            "IncludeDisabled": include_disabled,
        }
        if owners:
            query["Owners"] = list(owners)
        if executable_users:
            query["ExecutableUsers"] = list(executable_users)
        filtered = listing.filters_of(name, tags, filters)
        if filtered:
            query["Filters"] = filtered
        images: dict[str, Image] = {}
        odd: list[str] = [] if unusable is None else unusable
        for page in self._image_pages(target, query, image_ids, odd):
            # A listing that changes meanwhile can show an image twice.
            images.update({image.id: image for image in page if image.state not in GONE_STATES})
            if on_page is not None:
                on_page(len(images))
        if unusable is None and odd:
            logger.warning(
                "%s in %s left out, because EC2 gives no usable creation date", ", ".join(odd), target.region
            )
        return newest_first(images.values())

    def _image_pages(
        self,
        target: Target,
        query: DescribeImagesRequestTypeDef,
        image_ids: Sequence[str] | None,
        unusable: list[str],
    ) -> Iterator[list[Image]]:
        if image_ids is None:
            return self._pages(
                Call("DescribeImages", target, "the images"), partial(self._describe_page, query, unusable)
            )
        return (
            listing.without_absent(batch, partial(self._describe_ids, target, query=query, unusable=unusable))
            for batch in listing.batches(image_ids, listing.MOST_IDS)
        )

    def _own_images(self, target: Target) -> Iterator[list[Image]]:
        return listing.pages(
            partial(
                self._describe_page,
                {"Owners": ["self"]},
                [],  # an image that cannot be read is an error for its own resource only, which asks by id
                Call("DescribeImages", target, "the account's images"),
            )
        )

    def _describe_ids(
        self,
        target: Target,
        image_ids: Sequence[str],
        query: DescribeImagesRequestTypeDef | None = None,
        unusable: list[str] | None = None,
    ) -> list[Image]:
        call = translate.call_on("DescribeImages", target, list(image_ids))
        return self._describe(call, {**(query or {}), "ImageIds": list(image_ids)}, unusable)[0]

    def _describe_page(
        self, query: DescribeImagesRequestTypeDef, unusable: list[str], call: Call, token: str | None
    ) -> tuple[list[Image], str | None]:
        request: DescribeImagesRequestTypeDef = {**query, "MaxResults": listing.PAGE}
        if token:
            request["NextToken"] = token
        return self._describe(call, request, unusable)

    def _describe(
        self, call: Call, request: DescribeImagesRequestTypeDef, unusable: list[str] | None
    ) -> tuple[list[Image], str | None]:
        """One DescribeImages call: the images, whatever their state, and the token of the next page.

        An image without a usable creation date is left out and added to ``unusable``; without such a list it is an error.
        """

        def ask(client: EC2Client) -> DescribeImagesResultTypeDef:
            everything: DescribeImagesRequestTypeDef = {
                "IncludeDeprecated": True,
                "IncludeDisabled": True,
                **request,
            }
            response = client.describe_images(**everything)
            if "Images" not in response:  # an HTML page parses too, and that is not "no images"
                raise NotAnEC2Response(translate.NOT_EC2)
            return response

        response = self._call(call, ask)
        images: list[Image] = []
        for raw in response["Images"]:
            try:
                images.append(to_image(raw, call.target.region))
            except (KeyError, ValueError):  # noqa: PERF203  # each of them
                image_id = raw.get("ImageId", "an image")
                if unusable is None:
                    raise RequestRefused(
                        f"EC2 gives no usable creation date of {image_id} in {call.target.region} "
                        f"({raw.get('CreationDate')!r}): ask AWS Support about the image",
                        action=call.action,
                        image_id=image_id,
                        region=call.target.region,
                    ) from None
                unusable.append(image_id)
        return images, response.get("NextToken") or None

    def image_references(
        self, target: Target, image_ids: Sequence[str], *, on_page: Callable[[int], None] | None = None
    ) -> dict[str, list[Reference]]:
        """Which resources of the caller's account use each of these images, in this Region.

        Instances, launch templates, SSM parameters and Image Builder recipes; not those of other accounts.
        Ten images a call.

        Args:
            target: credentials and Region.
            image_ids: the images; one that is gone has no references.
            on_page: called with the number of images that were looked at so far, after each call.

        Returns:
            Every id that was asked for, to its references (an empty list when nothing uses it).

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html
        """
        users: dict[str, list[Reference]] = {image_id: [] for image_id in image_ids}
        done = 0
        for batch in listing.batches(image_ids, listing.MOST_REFERENCED):
            for image_id, reference in listing.without_absent(batch, partial(self._references_of, target)):
                if reference not in users.setdefault(image_id, []):
                    users[image_id].append(reference)
            done += len(batch)
            if on_page is not None:
                on_page(done)
        return users

    def _references_of(self, target: Target, image_ids: Sequence[str]) -> list[tuple[str, Reference]]:
        call = translate.call_on("DescribeImageReferences", target, list(image_ids))

        def ask_page(call: Call, token: str | None) -> tuple[list[tuple[str, Reference]], str | None]:
            request: DescribeImageReferencesRequestTypeDef = {
                "ImageIds": list(image_ids),
                "IncludeAllResourceTypes": True,
            }
            if token:
                request["NextToken"] = token

            def ask(client: EC2Client) -> DescribeImageReferencesResultTypeDef:
                response = client.describe_image_references(**request)
                if "ImageReferences" not in response:
                    raise NotAnEC2Response(translate.NOT_EC2)
                return response

            response = self._call(call, ask)
            references = [
                (raw.get("ImageId", ""), Reference(raw.get("ResourceType", ""), raw.get("Arn", "")))
                for raw in response["ImageReferences"]
            ]
            return references, response.get("NextToken") or None

        return [pair for page in self._pages(call, ask_page) for pair in page]

    def instance_images(
        self, target: Target, *, on_page: Callable[[int], None] | None = None
    ) -> list[tuple[Image, int]]:
        """The images of the account's instances, whoever owns them, and the number of instances of each.

        Terminated instances do not count.

        Args:
            target: credentials and Region.
            on_page: called with the number of instances so far, after each call.

        Raises:
            AmiDeprecationError: one of its subclasses, when EC2 does not answer or refuses.

        Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceImageMetadata.html
        """

        def ask_page(call: Call, token: str | None) -> tuple[list[InstanceImageMetadataTypeDef], str | None]:
            request: DescribeInstanceImageMetadataRequestTypeDef = {
                "Filters": [{"Name": "instance-state-name", "Values": list(_INSTANCE_STATES)}],
                "MaxResults": listing.PAGE,
            }
            if token:
                request["NextToken"] = token

            def ask(client: EC2Client) -> DescribeInstanceImageMetadataResultTypeDef:
                response = client.describe_instance_image_metadata(**request)
                if "InstanceImageMetadata" not in response:
                    raise NotAnEC2Response(translate.NOT_EC2)
                return response

            response = self._call(call, ask)
            return response["InstanceImageMetadata"], response.get("NextToken") or None

        call = Call("DescribeInstanceImageMetadata", target, "the images of instances")
        counted: Counter[str] = Counter()
        images: dict[str, Image] = {}
        done = 0
        for page in self._pages(call, ask_page):
            for raw in page:
                image = to_instance_image(raw, target.region)
                if image is None:
                    instance_id = raw.get("InstanceId")
                    logger.warning("%s: EC2 does not describe the instance's image", instance_id)
                    continue
                images[image.id] = image
                counted[image.id] += 1
            done += len(page)
            if on_page is not None:
                on_page(done)
        return [(image, counted[image.id]) for image in newest_first(images.values())]

    def _pages(
        self, call: Call, ask: Callable[[Call, str | None], tuple[list[_Value], str | None]]
    ) -> Iterator[list[_Value]]:
        try:
            yield from listing.pages(partial(ask, call))
        except listing.RepeatedToken:
            cause = "EC2 returned a page token a second time, so the list would never end"
            raise self._error(Failure(Kind.SERVER, "", cause), call) from None

    # One call.

    def _call(self, call: Call, ask: Callable[[EC2Client], _Response]) -> _Response:
        """Make one EC2 call.

        Args:
            call: what is called, for messages and pacing.
            ask: makes the call on a client; it raises ``NotAnEC2Response`` for a response that is not EC2's.

        Raises:
            AmiDeprecationError: one of its subclasses, without a chain.
        """
        deadline = self._deadline()
        self._check_account(call.target, deadline)
        return self._retry(call, self._sessions.ec2, ask, deadline)

    def _caller(self, target: Target, deadline: float) -> Caller:
        with self._lock:
            known = self._callers.get(target.identity)
        if known is not None:
            return known

        def ask(client: STSClient) -> GetCallerIdentityResponseTypeDef:
            response = client.get_caller_identity()
            if "Account" not in response or "Arn" not in response:
                raise NotAnEC2Response(translate.NOT_EC2)
            return response

        response = self._retry(Call("GetCallerIdentity", target, "STS"), self._sessions.sts, ask, deadline)
        caller = Caller(response["Account"], response["Arn"])
        with self._lock:
            self._callers[target.identity] = caller
        return caller

    def _check_account(self, target: Target, deadline: float) -> None:
        """Keep to ``allowedAccountIds`` and ``forbiddenAccountIds`` of the aws configuration.

        Raises:
            WrongAccount: the credentials are of an account that they rule out.
        """
        identity = target.identity
        allowed, forbidden = identity.allowed_account_ids, identity.forbidden_account_ids
        if not allowed and not forbidden:
            return
        account = self._caller(target, deadline).account
        if allowed and account not in allowed:
            rule = f"is not among allowedAccountIds ({', '.join(allowed)})"
        elif account in forbidden:
            rule = f"is among forbiddenAccountIds ({', '.join(forbidden)})"
        else:
            return
        raise WrongAccount(
            f"account {account} of {identity.label} {rule} of the aws configuration: use other credentials",
            region=target.region,
            account=account,
        )

    def _deadline(self) -> float:
        return time.monotonic() + self.settings.retry_seconds

    def _retry(
        self,
        call: Call,
        client_of: Callable[[Target], _Client],
        ask: Callable[[_Client], _Response],
        deadline: float,
    ) -> _Response:
        """The one loop that retries: until the call succeeds, fails for good, or runs out of time.

        While the endpoint is known to be down, a call fails early: without a try if the endpoint cannot be reached, because
        a try can take a whole timeout; after one try if it returns errors, because they may concern one image only.
        """
        breaker = self._breaker(call)
        began = time.monotonic()
        tries = 0
        while True:
            before = breaker.cause()
            if before is not None and before.kind in translate.UNREACHABLE:
                raise self._error(_as_before(before), call)
            outcome = self._attempt(call, client_of, ask)
            if not isinstance(outcome, Failure):
                breaker.succeeded()
                return outcome
            if outcome.kind not in translate.DOWN:
                breaker.succeeded()
            elif before is not None:
                raise self._error(_as_before(outcome), call)
            tries += 1
            wait = random.uniform(0.5, 1.0) * min(_FIRST_WAIT * 2**tries, _LONGEST_WAIT)  # noqa: S311  # jitter
            if outcome.kind not in translate.RETRYABLE or time.monotonic() + wait > deadline:
                if outcome.kind in translate.DOWN:
                    breaker.failed(outcome, began)
                raise self._error(outcome, call)
            self.pause(wait)

    def _attempt(
        self, call: Call, client_of: Callable[[Target], _Client], ask: Callable[[_Client], _Response]
    ) -> Failure | _Response:
        bucket = self._bucket(call)
        route = translate.Route()
        try:
            client = client_of(call.target)
            route = translate.Route(client.meta.endpoint_url, proxy_of(client))
            self._pace(call, bucket)
            response = ask(client)
        except AmiDeprecationError as error:  # a profile that is not there
            error.action, error.image_id = call.action, call.image_id
            error.region = call.target.region
            raise
        except Exception as error:  # noqa: BLE001  # botocore's and its HTTP library's errors have no common base
            self._clock.learn(getattr(error, "response", None))
            failure = translate.classify(error, route)
            if failure.kind is Kind.THROTTLED:
                bucket.refused()
            return failure
        self._clock.learn(response)
        bucket.accepted()
        return response

    def _error(self, failure: Failure, call: Call) -> AmiDeprecationError:
        with self._lock:
            caller = self._callers.get(call.target.identity)
        return translate.to_error(failure, call, caller.account if caller else None)

    def _breaker(self, call: Call) -> Breaker[Failure]:
        service = "sts" if call.action in translate.STS_ACTIONS else "ec2"
        return self._once(
            self._breakers, (service, call.target.region, call.target.network), lambda _: Breaker()
        )

    def _bucket(self, call: Call) -> Bucket:
        limits = self.settings

        def make(key: tuple[Target, str]) -> Bucket:
            changing = key[1] in _CHANGES
            burst = limits.changes_burst if changing else limits.reads_burst
            per_second = limits.changes_per_second if changing else limits.reads_per_second
            return Bucket(max(1.0, burst - _KEPT_BACK), per_second)

        return self._once(self._buckets, (call.target, call.action), make)

    def _pace(self, call: Call, bucket: Bucket) -> None:
        wait = bucket.reserve()
        key = (call.target, call.action)
        with self._lock:
            self._sent[key] += 1
            due = wait > 0 and time.monotonic() - self._progress_at.get(key, 0.0) > _PROGRESS_EVERY
            if due:
                self._progress_at[key] = time.monotonic()
            sent = self._sent[key] - 1
        if due:
            logger.info(
                "%d %s calls sent in %s, the next ones wait for EC2's limit of %g a second",
                sent,
                call.action,
                call.target.region,
                bucket.per_second,
            )
        self.pause(wait)

    def _once(self, made: dict[_Key, _Value], key: _Key, make: Callable[[_Key], _Value]) -> _Value:
        """What is made once for a key."""
        with self._lock:
            if key not in made:
                made[key] = make(key)
            return made[key]


def _as_before(failure: Failure) -> Failure:
    return replace(failure, cause=f"{failure.cause}, as before")
