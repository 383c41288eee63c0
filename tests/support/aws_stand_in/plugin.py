"""A stand-in for Pulumi's aws plugin, which has to be downloaded: as much of it as the examples here use.

It speaks the engine's own protocol (`pulumirpc.ResourceProvider`) and makes real calls with boto3, so it needs an
EC2: the embedded one, through AWS_ENDPOINT_URL. Where the real plugin's behaviour matters to a deprecation
date, it behaves like terraform-provider-aws `internal/service/ec2/ec2_ami.go`, on which the real one is built: a
refresh of an image reads its `deprecation_time`, an update that does not find it in the program cancels it, and a
delete deregisters the image.
"""

# ruff: noqa: N802  # the protocol's own names

from __future__ import annotations

import json
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import boto3
import grpc
from botocore.config import Config
from botocore.exceptions import ClientError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_ec2 import EC2Client

    Props = dict[str, Any]

UNKNOWN = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's sentinel for a text that a preview does not know
)
USER_AGENT = "aws-plugin-stand-in"


@dataclass(frozen=True)
class Kind:
    """One resource type.

    Attributes:
        create: makes it and returns its id.
        state: its outputs, the inputs that EC2 shows included; None when it is gone.
        delete: takes it away.
        replacing: inputs whose change needs another one.
        updating: inputs that are changed in place.
        named: whether it gets a name of its own when the program gives none.
    """

    create: Callable[[EC2Client, Props], str]
    state: Callable[[EC2Client, str, Props], Props | None]
    delete: Callable[[EC2Client, str], None]
    replacing: tuple[str, ...]
    updating: tuple[str, ...] = ()
    named: bool = False


def copy_image(ec2: EC2Client, props: Props) -> str:
    copied = ec2.copy_image(
        Name=props["name"], SourceImageId=props["sourceAmiId"], SourceRegion=props["sourceAmiRegion"]
    )
    ec2.get_waiter("image_available").wait(ImageIds=[copied["ImageId"]])
    return copied["ImageId"]


def image_state(ec2: EC2Client, image_id: str, known: Props) -> Props | None:
    try:
        images = ec2.describe_images(ImageIds=[image_id], IncludeDeprecated=True)["Images"]
    except ClientError as error:
        if error.response["Error"]["Code"].startswith("InvalidAMIID"):
            return None
        raise
    if not images:
        return None
    state = {key: value for key, value in known.items() if key != "deprecationTime"}
    shown = {
        "name": images[0].get("Name"),
        "ownerId": images[0].get("OwnerId"),
        "deprecationTime": images[0].get("DeprecationTime"),
    }
    return state | {key: value for key, value in shown.items() if value}


def deregister_image(ec2: EC2Client, image_id: str) -> None:
    ec2.deregister_image(ImageId=image_id)


def run_instance(ec2: EC2Client, props: Props) -> str:
    made = ec2.run_instances(ImageId=props["ami"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    return made["Instances"][0]["InstanceId"]


def terminate_instance(ec2: EC2Client, instance_id: str) -> None:
    ec2.terminate_instances(InstanceIds=[instance_id])


def create_launch_template(ec2: EC2Client, props: Props) -> str:
    made = ec2.create_launch_template(
        LaunchTemplateName=props["name"], LaunchTemplateData={"ImageId": props["imageId"]}
    )
    return made["LaunchTemplate"]["LaunchTemplateId"]


def delete_launch_template(ec2: EC2Client, template_id: str) -> None:
    ec2.delete_launch_template(LaunchTemplateId=template_id)


def as_known(_: EC2Client, __: str, known: Props) -> Props:
    return dict(known)


KINDS = {
    "aws:ec2/amiCopy:AmiCopy": Kind(
        copy_image,
        image_state,
        deregister_image,
        replacing=("sourceAmiId", "sourceAmiRegion", "name", "region"),
        updating=("deprecationTime",),
        named=True,
    ),
    "aws:ec2/instance:Instance": Kind(run_instance, as_known, terminate_instance, replacing=("ami",)),
    "aws:ec2/launchTemplate:LaunchTemplate": Kind(
        create_launch_template, as_known, delete_launch_template, replacing=("name",), named=True
    ),
}


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """One provider: the default one, or an explicit `aws.Provider`."""

    def __init__(self) -> None:
        self._config: Props = {}
        #: Made at the first call: an engine configures a provider also where no resource changes.
        self._session: boto3.Session | None = None
        self._lock = threading.Lock()  # boto3: making clients from one session is not thread-safe

    # The provider itself.

    def GetPluginInfo(self, _: object, __: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def CheckConfig(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        replaces = (
            ["region"] if plain(request.olds).get("region") != plain(request.news).get("region") else []
        )
        return provider_pb2.DiffResponse(replaces=replaces)

    def Configure(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        self._config = plain(request.args)
        self._session = None
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, _: object, __: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    # Its resources.

    def Check(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        olds, news = plain(request.olds), plain(request.news)
        if kind_of(request.urn).named and "name" not in news:
            name = request.urn.rpartition("::")[2]
            news["name"] = olds.get("name") or f"{name}-{secrets.token_hex(4)[:7]}"
        if "region" not in news and "region" in self._config:
            news["region"] = self._config["region"]
        return provider_pb2.CheckResponse(inputs=struct(news))

    def Diff(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        kind = kind_of(request.urn)
        changed = changes(kind, plain(request.olds), plain(request.news), list(request.ignoreChanges))
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if changed else answer.DIFF_NONE,
            replaces=[key for key in changed if key in kind.replacing],
            diffs=changed,
        )

    def Create(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        props, kind = plain(request.properties), kind_of(request.urn)
        if request.preview:
            return provider_pb2.CreateResponse(properties=struct(props))
        ec2 = self._ec2(props)
        made = kind.create(ec2, props)
        return provider_pb2.CreateResponse(id=made, properties=struct(kind.state(ec2, made, props) or props))

    def Read(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        known, inputs = plain(request.properties), plain(request.inputs)
        state = kind_of(request.urn).state(self._ec2(known), request.id, known)
        if state is None:
            return provider_pb2.ReadResponse()
        live = {key: state[key] for key in inputs if key in state}
        return provider_pb2.ReadResponse(id=request.id, properties=struct(state), inputs=struct(live))

    def Update(self, request: Any, _: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        olds, news, kind = plain(request.olds), plain(request.news), kind_of(request.urn)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=struct(olds | news))
        ec2 = self._ec2(news)
        if "deprecationTime" in changes(kind, olds, news, list(request.ignoreChanges)):
            if news.get("deprecationTime"):
                ec2.enable_image_deprecation(ImageId=request.id, DeprecateAt=news["deprecationTime"])
            else:
                ec2.disable_image_deprecation(ImageId=request.id)
        state = kind.state(ec2, request.id, olds | news) or news
        return provider_pb2.UpdateResponse(properties=struct(state))

    def Delete(self, request: Any, _: grpc.ServicerContext) -> empty_pb2.Empty:
        kind_of(request.urn).delete(self._ec2(plain(request.properties)), request.id)
        return empty_pb2.Empty()

    def _ec2(self, props: Props) -> EC2Client:
        region = props.get("region") or self._config.get("region")
        with self._lock:
            if self._session is None:
                self._session = session_of(self._config)
            return self._session.client("ec2", region_name=region, config=Config(user_agent_extra=USER_AGENT))


def session_of(config: Props) -> boto3.Session:
    session = boto3.Session(region_name=config.get("region"))
    for role in json.loads(config.get("assumeRoles") or "[]"):
        keys = session.client("sts").assume_role(
            RoleArn=role.get("roleArn") or role["role_arn"], RoleSessionName="stand-in"
        )["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            region_name=config.get("region"),
        )
    return session


def kind_of(urn: str) -> Kind:
    """`urn:pulumi:<stack>::<project>::<type>::<name>`, the type behind those of its parents."""
    return KINDS[urn.split("::")[2].rpartition("$")[2]]


def changes(kind: Kind, state: Props, wanted: Props, ignored: list[str]) -> list[str]:
    """The inputs in which what is there differs from what the program asks for."""
    return [
        key
        for key in (*kind.replacing, *kind.updating)
        if key not in ignored and (wanted.get(key) == UNKNOWN or state.get(key) != wanted.get(key))
    ]


def plain(message: struct_pb2.Struct) -> Props:
    """A message's properties, without those that are null."""
    return {key: value for key, value in json_format.MessageToDict(message).items() if value is not None}


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(values)
    return message


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  # the engine reads it there
    sys.stdin.buffer.read()  # the engine holds the other end


if __name__ == "__main__":
    main()
