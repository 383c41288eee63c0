"""LocalEC2 over the wire: what images know, the filters on it, and the calls that make and change images."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from ami_deprecation import Scan
from ami_deprecation.image import SEVERITIES
from ami_deprecation.testing import LocalEC2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef

NOW = datetime(2027, 1, 1, 12, tzinfo=timezone.utc)
ACCOUNT, OTHER = "123456789012", "210987654321"
SCAN = Scan("critical", NOW - timedelta(days=1), {"critical": NOW - timedelta(days=9), "low": NOW})
DISK = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 40, "VolumeType": "gp2"}}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalEC2]:
    with LocalEC2() as ec2:
        yield ec2


@pytest.fixture
def ec2(server: LocalEC2) -> LocalEC2:
    server.reset()
    server.set_time(NOW)
    return server


@pytest.fixture
def client(ec2: LocalEC2) -> EC2Client:
    return ec2.client()


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def ids(client: EC2Client, *filters: FilterTypeDef, **more: list[str]) -> set[str]:
    images = client.describe_images(Filters=list(filters), ExecutableUsers=more.get("users", []))["Images"]
    return {image["ImageId"] for image in images}


# Fields and filters.


def test_image_shows_all_that_it_was_made_with(ec2: LocalEC2, client: EC2Client) -> None:
    ec2.add_image(
        architecture="arm64",
        platform="windows",
        description="a<b",
        owner_alias="amazon",
        deregistration_protection="enabled-with-cooldown",
        public_ssm_parameter_name="/aws/service/web",
        source_image_id="ami-0123456789abcdef0",
        source_image_region="us-east-1",
        image_allowed=False,
        watermarks=["base", f"{OTHER}:gold"],
        scan=SCAN,
    )
    [image] = client.describe_images(Owners=["amazon"])["Images"]
    expected = {
        "Architecture": "arm64",
        "Platform": "windows",
        "Description": "a<b",
        "ImageOwnerAlias": "amazon",
        "DeregistrationProtection": "enabled-with-cooldown",
        "PublicSsmParameterName": "/aws/service/web",
        "SourceImageId": "ami-0123456789abcdef0",
        "SourceImageRegion": "us-east-1",
        "ImageAllowed": False,
        "ScanResults": {
            "HighestFindingSeverityLabel": "critical",
            "FindingScanDate": NOW - timedelta(days=1),
            "CriticalFixAvailableSince": NOW - timedelta(days=9),
            "LowFixAvailableSince": NOW,
        },
    }
    assert {key: value for key, value in image.items() if key in expected} == expected
    keys = [watermark["WatermarkKey"] for watermark in image["ImageWatermarks"]]
    assert keys == [f"{ACCOUNT}:base", f"{OTHER}:gold"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("block-device-mapping.delete-on-termination", "true"),
        ("block-device-mapping.device-name", "/dev/sdf"),
        ("block-device-mapping.encrypted", "false"),
        ("block-device-mapping.volume-size", "40"),
        ("block-device-mapping.volume-type", "gp2"),
        ("boot-mode", "legacy-bios"),
        ("ena-support", "false"),
        ("image-allowed", "false"),
        ("image-watermark.source-image-id", "ami-*"),
        ("image-watermark.watermark-creation-time", "2027-01-01T12:*"),
        ("image-watermark.watermark-key", f"{ACCOUNT}:ba?e"),
        ("public-ssm-parameter-name", "/aws/service/*"),
        ("ramdisk-id", "ari-1"),
        ("scan-result.critical-fix-available-since", "2026-12-23*"),
        ("scan-result.finding-scan-date", "2026-12-31T12:00:00.000Z"),
        ("scan-result.highest-finding-severity-label", "critical"),
        ("source-image-id", "ami-0123456789abcdef0"),
        ("source-image-region", "us-east-1"),
        ("sriov-net-support", "simple"),
        ("virtualization-type", "paravirtual"),
    ],
)
def test_filter_selects_by_what_image_knows(ec2: LocalEC2, client: EC2Client, name: str, value: str) -> None:
    made = {
        client.register_image(
            Name="registered",
            BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8}}, DISK],  # type: ignore[list-item]
            BootMode="legacy-bios",
            EnaSupport=False,
            RamdiskId="ari-1",
            SriovNetSupport="simple",
            VirtualizationType="paravirtual",
        )["ImageId"],
        ec2.add_image(
            scan=SCAN,
            watermarks=["base"],
            image_allowed=False,
            public_ssm_parameter_name="/aws/service/web",
            source_image_id="ami-0123456789abcdef0",
            source_image_region="us-east-1",
        ),
    }
    matching = ids(client, {"Name": name, "Values": [value]})
    assert matching
    assert matching <= made
    assert ids(client, {"Name": name, "Values": ["another"]}) == set()


def test_every_filter_in_api_reference_is_known(client: EC2Client) -> None:
    shape = client.meta.service_model.operation_model("DescribeImages").input_shape
    assert shape is not None
    text = shape.members["Filters"].documentation
    names = re.findall(r"<code>([a-z.-]+)</code>(?:</p>)? [-–]", text)  # noqa: RUF001  # as it is printed
    documented = {name for name in names if name not in (*SEVERITIES, "tag")}
    assert len(documented) > 40
    for name in documented:
        client.describe_images(Filters=[{"Name": name, "Values": ["x"]}])


def test_filter_without_name_is_refused(client: EC2Client) -> None:
    with pytest.raises(ClientError) as error:
        client.describe_images(Filters=[{"Values": ["x"]}])
    assert code(error) == "InvalidParameterValue"


def test_executable_users_are_those_with_explicit_permission(ec2: LocalEC2, client: EC2Client) -> None:
    ec2.add_image()
    public = ec2.add_image(account=OTHER, public=True, created=NOW)
    shared = ec2.add_image(account=OTHER)
    ec2.share(shared, ACCOUNT)
    given_away = ec2.add_image()
    ec2.share(given_away, OTHER)
    assert ids(client, users=["self"]) == ids(client, users=[ACCOUNT]) == {shared}
    assert ids(client, users=["all"]) == {public}
    assert ids(client, users=[OTHER]) == {given_away}


# Recorded images.


def test_recorded_answer_is_answered_again(ec2: LocalEC2, client: EC2Client, tmp_path: Path) -> None:
    ec2.add_image(scan=SCAN, watermarks=["base"], tags={"Team": "a"}, deprecation_time=NOW, owner_alias="x")
    client.register_image(Name="two", BlockDeviceMappings=[DISK], RootDeviceName="/dev/sdf")  # type: ignore[list-item]
    ec2.make_public(ec2.add_image("public", account=OTHER))
    recorded = client.describe_images()["Images"]
    file = tmp_path / "images.json"
    file.write_text(json.dumps({"Images": recorded}, default=datetime.isoformat))
    ec2.reset()
    assert ec2.load_images(file) == [image["ImageId"] for image in recorded]
    assert client.describe_images()["Images"] == recorded
    ec2.load_images({"Images": recorded}, region="us-east-1", account=OTHER)
    assert len(ec2.images(region="us-east-1", account=OTHER)) == len(recorded)


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"Images": [{"ImageId": "ami-1"}]}'])
def test_file_without_images_is_refused(ec2: LocalEC2, tmp_path: Path, text: str) -> None:
    file = tmp_path / "images.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"images\.json|needs ImageId"):
        ec2.load_images(file)


# Watermarks and deregistration protection.


def test_watermarks_are_attached_copied_and_detached(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    key = client.attach_image_watermark(ImageId=image_id, WatermarkName="approved")["WatermarkKey"]
    assert key == f"{ACCOUNT}:approved"
    copy = client.copy_image(Name="copy", SourceImageId=image_id, SourceRegion="eu-west-1")["ImageId"]
    for _ in range(2):
        assert client.detach_image_watermark(ImageId=image_id, WatermarkKey=key)["Return"]
    assert ec2.image(image_id).watermarks == ()
    [image] = client.describe_images(ImageIds=[copy])["Images"]
    assert [mark["SourceImageId"] for mark in image["ImageWatermarks"]] == [image_id]


def test_watermarks_are_five_at_most_and_for_private_images(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    for number in (*range(5), 0):  # attaching one again counts once
        client.attach_image_watermark(ImageId=image_id, WatermarkName=f"mark-{number}")
    with pytest.raises(ClientError) as sixth:
        client.attach_image_watermark(ImageId=image_id, WatermarkName="mark-5")
    with pytest.raises(ClientError) as colon:
        client.attach_image_watermark(ImageId=ec2.add_image(), WatermarkName="a:b")
    with pytest.raises(ClientError) as public:
        client.attach_image_watermark(ImageId=ec2.add_image(public=True), WatermarkName="base")
    with pytest.raises(ClientError) as theirs:
        ec2.client(account=OTHER).attach_image_watermark(ImageId=image_id, WatermarkName="base")
    assert [code(each) for each in (sixth, colon, public, theirs)] == [
        "ImageWatermarkLimitExceeded",
        "InvalidParameterValue",
        "OperationNotPermitted",
        "AuthFailure",
    ]


def test_protected_image_cannot_be_deregistered(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    client.enable_image_deregistration_protection(ImageId=image_id, WithCooldown=True)
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        client.deregister_image(ImageId=image_id)
    client.disable_image_deregistration_protection(ImageId=image_id)
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        client.deregister_image(ImageId=image_id)
    ec2.advance(timedelta(hours=24))
    client.deregister_image(ImageId=image_id)
    assert ec2.image(image_id).state == "deregistered"


# Who runs what, and where.


def test_instances_tell_their_images_whoever_owns_them(ec2: LocalEC2, client: EC2Client) -> None:
    theirs = ec2.add_image("theirs", account=OTHER, deprecation_time=NOW, watermarks=["base"])
    ec2.share(theirs, ACCOUNT)
    mine = ec2.add_image("mine")
    for image_id in (theirs, theirs, mine):
        client.run_instances(ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    client.deregister_image(ImageId=mine)
    running: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": ["running"]}]
    pages = client.get_paginator("describe_instance_image_metadata").paginate(Filters=running)
    images = [each["ImageMetadata"] for page in pages for each in page["InstanceImageMetadata"]]
    wanted = [image for image in images if image["ImageId"] in (theirs, mine)]
    assert [(image["OwnerId"], image["State"], image.get("DeprecationTime")) for image in wanted] == [
        (OTHER, "available", "2027-01-01T12:00:00.000Z"),
        (OTHER, "available", "2027-01-01T12:00:00.000Z"),
        (ACCOUNT, "deregistered", None),
    ]
    assert [mark["WatermarkKey"] for mark in wanted[0]["ImageWatermarks"]] == [f"{OTHER}:base"]
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        client.describe_instance_image_metadata(InstanceIds=["i-0123456789abcdef0"])


def test_regions_are_those_enabled_for_account(ec2: LocalEC2, client: EC2Client) -> None:
    default = {region["RegionName"] for region in client.describe_regions()["Regions"]}
    assert {"eu-west-1", "us-east-1"} <= default
    assert not [name for name in default if name.startswith(("cn-", "us-gov-"))]
    ec2.set_enabled_regions(["eu-west-1", "me-south-1"])
    assert [
        (region["RegionName"], region["OptInStatus"]) for region in client.describe_regions()["Regions"]
    ] == [
        ("eu-west-1", "opt-in-not-required"),
        ("me-south-1", "opted-in"),
    ]
    assert len(client.describe_regions(AllRegions=True)["Regions"]) > len(default)
    with pytest.raises(ClientError, match="AuthFailure"):
        ec2.client(region="us-east-1").describe_images()
    assert ec2.client(region="us-east-1", account=OTHER).describe_images()["Images"] == []


# Calls that make images.


def test_created_image_has_tags_and_source(ec2: LocalEC2, client: EC2Client) -> None:
    source = ec2.add_image(watermarks=["base"])
    [instance] = client.run_instances(ImageId=source, MinCount=1, MaxCount=1)["Instances"]
    image_id = client.create_image(
        InstanceId=instance["InstanceId"],
        Name="created",
        TagSpecifications=[
            {"ResourceType": "image", "Tags": [{"Key": "Team", "Value": "a"}]},
            {"ResourceType": "snapshot", "Tags": [{"Key": "Team", "Value": "b"}]},
        ],
    )["ImageId"]
    [image] = client.describe_images(ImageIds=[image_id])["Images"]
    assert (image["SourceImageId"], image["SourceImageRegion"]) == (source, "eu-west-1")
    assert image["SourceInstanceId"] == instance["InstanceId"]
    assert image["Tags"] == [{"Key": "Team", "Value": "a"}]
    assert [mark["WatermarkKey"] for mark in image["ImageWatermarks"]] == [f"{ACCOUNT}:base"]
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert client.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"] == [
        {"Key": "Team", "Value": "b"}
    ]


def test_registered_image_keeps_tags_and_root_device(client: EC2Client) -> None:
    image_id = client.register_image(
        Name="registered",
        Architecture="arm64",
        RootDeviceName="/dev/sdf",
        BlockDeviceMappings=[DISK],  # type: ignore[list-item]
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "Team", "Value": "a"}]}],
    )["ImageId"]
    [image] = client.describe_images(ImageIds=[image_id])["Images"]
    assert (image["Architecture"], image["RootDeviceName"]) == ("arm64", "/dev/sdf")
    assert image["Tags"] == [{"Key": "Team", "Value": "a"}]
    assert image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == "snap-1"


def test_created_image_keeps_root_volume_beside_others(ec2: LocalEC2, client: EC2Client) -> None:
    [instance] = client.run_instances(ImageId=ec2.add_image(), MinCount=1, MaxCount=1)["Instances"]
    image_id = client.create_image(
        InstanceId=instance["InstanceId"],
        Name="created",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False, "VolumeSize": 99}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 30}},
            DISK,  # type: ignore[list-item]
        ],
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "Team", "Value": "b"}]}],
    )["ImageId"]
    [image] = client.describe_images(ImageIds=[image_id])["Images"]
    [root, empty, given] = [each["Ebs"] for each in image["BlockDeviceMappings"]]
    assert (root["DeleteOnTermination"], root["VolumeSize"]) == (False, 15), "the volume is the instance's"
    assert (empty["VolumeSize"], empty.get("SnapshotId")) == (30, None)
    assert given["SnapshotId"] == "snap-1"
    snapshots = [root["SnapshotId"], given["SnapshotId"]]
    tagged = client.describe_tags(Filters=[{"Name": "resource-id", "Values": snapshots}])["Tags"]
    assert [each["ResourceId"] for each in tagged] == [root["SnapshotId"]], "the new snapshots"


def test_every_snapshot_of_a_copy_is_new_and_tagged(ec2: LocalEC2, client: EC2Client) -> None:
    source = client.register_image(
        Name="registered",
        RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}},
            DISK,  # type: ignore[list-item]
        ],
    )["ImageId"]
    there = ec2.client(region="us-east-1")
    copy = there.copy_image(
        Name="copy",
        SourceImageId=source,
        SourceRegion="eu-west-1",
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "Team", "Value": "b"}]}],
    )["ImageId"]
    [image] = there.describe_images(ImageIds=[copy])["Images"]
    snapshots = [each["Ebs"]["SnapshotId"] for each in image["BlockDeviceMappings"]]
    shown = there.describe_snapshots(SnapshotIds=snapshots)["Snapshots"]
    assert [each["Tags"] for each in shown] == [[{"Key": "Team", "Value": "b"}]] * 2
    assert "snap-1" not in snapshots


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"TagSpecifications": [{"ResourceType": "snapshot", "Tags": []}]}, "InvalidParameterValue"),
        (
            {"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "aws:x", "Value": ""}]}]},
            "InvalidParameterValue",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": f"k{n}"} for n in range(51)]}]},
            "TagLimitExceeded",
        ),
        ({"Name": "web#1"}, "InvalidAMIName.Malformed"),
        ({"Name": "w" * 129}, "InvalidAMIName.Malformed"),
        ({"Name": "taken"}, "InvalidAMIName.Duplicate"),
    ],
    ids=["snapshot", "reserved", "many", "character", "long", "taken"],
)
def test_registration_that_ec2_refuses(client: EC2Client, more: dict[str, Any], refusal: str) -> None:
    """Source: the parameters Name and TagSpecification of RegisterImage, and EC2's error codes."""
    taken = client.register_image(Name="taken")["ImageId"]
    with pytest.raises(ClientError) as error:
        client.register_image(**{"Name": "free", **more})
    assert code(error) == refusal
    client.deregister_image(ImageId=taken)
    assert client.register_image(Name="taken")["ImageId"] != taken


def test_image_of_amazon_is_found_by_its_alias(ec2: LocalEC2, client: EC2Client) -> None:
    ec2.add_image("ours")
    theirs = ec2.add_image("al2023", account=OTHER, owner_alias="amazon", public=True)
    [image] = client.describe_images(Owners=["amazon"])["Images"]
    assert (image["ImageId"], image["ImageOwnerAlias"], image["OwnerId"]) == (theirs, "amazon", OTHER)
    assert image["ImageLocation"] == "amazon/al2023"
    assert ids(client, {"Name": "owner-alias", "Values": ["amazon"]}) == {theirs}
    copy = client.copy_image(Name="copy", SourceImageId=theirs, SourceRegion="eu-west-1")["ImageId"]
    [copied] = client.describe_images(ImageIds=[copy])["Images"]
    assert (copied["OwnerId"], copied["Public"], copied["SourceImageId"]) == (ACCOUNT, False, theirs)
    assert "ImageOwnerAlias" not in copied
    with pytest.raises(ClientError, match="AuthFailure"):
        client.enable_image_deprecation(ImageId=theirs, DeprecateAt=NOW + timedelta(days=1))


def test_copy_knows_its_source_and_takes_tags_when_asked(ec2: LocalEC2) -> None:
    source = ec2.add_image(
        account=OTHER, tags={"Team": "a", "aws:x": "y"}, architecture="arm64", deprecation_time=NOW
    )
    ec2.share(source, ACCOUNT)
    there = ec2.client(region="us-east-1")
    plain = there.copy_image(Name="plain", SourceImageId=source, SourceRegion="eu-west-1")["ImageId"]
    tagged = there.copy_image(
        Name="tagged",
        SourceImageId=source,
        SourceRegion="eu-west-1",
        CopyImageTags=True,
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "Copy", "Value": "yes"}]}],
    )["ImageId"]
    images = {image["ImageId"]: image for image in there.describe_images(Owners=["self"])["Images"]}
    assert all(
        (image["SourceImageId"], image["SourceImageRegion"], image["Architecture"])
        == (source, "eu-west-1", "arm64")
        for image in images.values()
    )
    assert "Tags" not in images[plain]
    assert "DeprecationTime" not in images[plain]
    assert images[tagged]["Tags"] == [{"Key": "Team", "Value": "a"}, {"Key": "Copy", "Value": "yes"}]


def test_client_token_makes_one_copy(ec2: LocalEC2, client: EC2Client) -> None:
    source = ec2.add_image()

    def copy(name: str) -> str:
        return client.copy_image(
            Name=name, SourceImageId=source, SourceRegion="eu-west-1", ClientToken="token"
        )["ImageId"]

    assert copy("one") == copy("one")
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        copy("two")
    assert len(ec2.images()) == 2


# DryRun.


def test_every_call_takes_dry_run_and_changes_nothing(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(deprecation_time=NOW + timedelta(days=9))
    before = ec2.images()
    one: dict[str, object] = {"ImageId": image_id}
    calls: dict[str, dict[str, object]] = {
        "attach_image_watermark": {**one, "WatermarkName": "base"},
        "copy_image": {"Name": "copy", "SourceImageId": image_id, "SourceRegion": "eu-west-1"},
        "create_tags": {"Resources": [image_id], "Tags": [{"Key": "Team", "Value": "a"}]},
        "deregister_image": one,
        "describe_image_references": {"ImageIds": [image_id], "IncludeAllResourceTypes": True},
        "describe_images": {},
        "describe_instance_image_metadata": {},
        "describe_instances": {},
        "describe_regions": {},
        "describe_snapshots": {},
        "detach_image_watermark": {**one, "WatermarkKey": "x"},
        "disable_image": one,
        "disable_image_deprecation": one,
        "disable_image_deregistration_protection": one,
        "enable_image": one,
        "enable_image_deprecation": {**one, "DeprecateAt": NOW + timedelta(days=1)},
        "enable_image_deregistration_protection": one,
        "modify_image_attribute": {**one, "LaunchPermission": {"Add": [{"Group": "all"}]}},
        "register_image": {"Name": "registered"},
        "reset_image_attribute": {**one, "Attribute": "launchPermission"},
        "run_instances": {"ImageId": image_id, "MinCount": 1, "MaxCount": 1},
    }
    for name, parameters in calls.items():
        with pytest.raises(ClientError) as error:
            getattr(client, name)(**parameters, DryRun=True)
        assert code(error) == "DryRunOperation", name
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert ec2.images() == before
    assert all(call.dry_run for call in ec2.calls)


def test_dry_run_is_refused_like_the_call_itself(ec2: LocalEC2, client: EC2Client) -> None:
    theirs = ec2.add_image(account=OTHER, public=True, created=NOW)
    ec2.faults.add("DisableImageDeprecation", "denied")
    with pytest.raises(ClientError) as owner:
        client.enable_image_deprecation(ImageId=theirs, DeprecateAt=NOW + timedelta(days=1), DryRun=True)
    with pytest.raises(ClientError) as denied:
        client.disable_image_deprecation(ImageId=theirs, DryRun=True)
    assert [code(owner), code(denied)] == ["AuthFailure", "UnauthorizedOperation"]
