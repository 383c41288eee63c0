"""LocalEC2 over the wire: the calls that moto lacks, with EC2's rules."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from ami_deprecation.testing import LocalEC2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_ec2 import EC2Client

NOW = datetime(2027, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
OTHER = "210987654321"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalEC2]:
    with LocalEC2() as ec2:
        yield ec2


@pytest.fixture
def ec2(server: LocalEC2) -> Iterator[LocalEC2]:
    server.set_time(NOW)
    server.clear_calls()
    yield server
    for region in ("eu-west-1", "us-east-1"):
        for account in (None, OTHER):
            for image in server.images(region=region, account=account):
                server.remove_image(image.image_id, region=region)


@pytest.fixture
def client(ec2: LocalEC2) -> EC2Client:
    return ec2.client()


def utc(year: int, month: int, day: int, *clock: int) -> datetime:
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_date_is_set_moved_and_canceled(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image("web", tags={"Team": "a<b&c"})
    for date in ("2030-01-01T00:00:00Z", "2029-06-01T08:30:00Z"):
        assert client.enable_image_deprecation(ImageId=image_id, DeprecateAt=date)["Return"] is True
        [image] = client.describe_images(ImageIds=[image_id])["Images"]
        assert image["DeprecationTime"] == date.replace("Z", ".000Z")
        assert image["Tags"] == [{"Key": "Team", "Value": "a<b&c"}]
    assert client.disable_image_deprecation(ImageId=image_id)["Return"] is True
    assert "DeprecationTime" not in client.describe_images(ImageIds=[image_id])["Images"][0]
    assert client.disable_image_deprecation(ImageId=image_id)["Return"] is True


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2030-01-01T00:00:29.999Z", utc(2030, 1, 1, 0, 0)),
        ("2030-01-01T00:00:30Z", utc(2030, 1, 1, 0, 1)),
        ("2030-01-01T01:59:31+02:00", utc(2030, 1, 1, 0, 0)),
    ],
)
def test_seconds_go_to_nearest_minute(ec2: LocalEC2, client: EC2Client, sent: str, kept: datetime) -> None:
    image_id = ec2.add_image()
    client.enable_image_deprecation(ImageId=image_id, DeprecateAt=sent)
    assert ec2.image(image_id).deprecation_time == kept


@pytest.mark.parametrize("late", [timedelta(), -timedelta(seconds=31), -timedelta(days=400)])
def test_past_date_is_refused(ec2: LocalEC2, client: EC2Client, late: timedelta) -> None:
    image_id = ec2.add_image()
    with pytest.raises(ClientError) as error:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt=NOW + late)
    assert refused(error) == "InvalidParameterValue"
    assert ec2.image(image_id).deprecation_time is None


def test_dates_end_after_ten_years(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    client.enable_image_deprecation(ImageId=image_id, DeprecateAt=utc(2037, 1, 1, 12, 0))
    with pytest.raises(ClientError) as error:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt=utc(2037, 1, 1, 12, 1))
    assert refused(error) == "InvalidParameterValue"


def test_public_image_ends_two_years_after_its_creation(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(public=True, created=utc(2026, 3, 4, 5, 6, 7))
    assert ec2.image(image_id).deprecation_time == utc(2028, 3, 4, 5, 6, 7)
    with pytest.raises(ClientError) as later:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2028-03-05T00:00:00Z")
    client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2027-06-01T00:00:00Z")
    with pytest.raises(ClientError) as back:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2027-07-01T00:00:00Z")
    with pytest.raises(ClientError) as canceled:
        client.disable_image_deprecation(ImageId=image_id)
    assert {refused(later), refused(back), refused(canceled)} == {"OperationNotPermitted"}
    assert ec2.image(image_id).deprecation_time == utc(2027, 6, 1)


def test_going_public_pulls_date_in(ec2: LocalEC2, client: EC2Client) -> None:
    none = ec2.add_image(created=utc(2026, 1, 1))
    far = ec2.add_image(created=utc(2026, 1, 1), deprecation_time=utc(2035, 1, 1))
    near = ec2.add_image(created=utc(2026, 1, 1), deprecation_time=utc(2027, 5, 1))
    for image_id in (none, far, near):
        client.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"Group": "all"}]})
    dates = [ec2.image(i).deprecation_time for i in (none, far, near)]
    assert dates == [utc(2028, 1, 1), utc(2028, 1, 1), utc(2027, 5, 1)]
    client.modify_image_attribute(ImageId=far, LaunchPermission={"Remove": [{"Group": "all"}]})
    client.disable_image_deprecation(ImageId=far)
    assert ec2.image(far).deprecation_time is None


def test_only_owner_may_change_image(ec2: LocalEC2) -> None:
    image_id = ec2.add_image(public=True)
    other = ec2.client(account=OTHER)
    changes: tuple[Callable[[], object], ...] = (
        lambda: other.enable_image_deprecation(ImageId=image_id, DeprecateAt="2027-06-01T00:00:00Z"),
        lambda: other.disable_image_deprecation(ImageId=image_id),
        lambda: other.deregister_image(ImageId=image_id),
        lambda: other.disable_image(ImageId=image_id),
        lambda: other.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"Group": "all"}]}),
    )
    for change in changes:
        with pytest.raises(ClientError) as error:
            change()
        assert refused(error) == "AuthFailure"


def test_role_of_another_account_acts_there(ec2: LocalEC2) -> None:
    image_id = ec2.add_image(account=OTHER)
    role = ec2.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{OTHER}:role/deprecator", RoleSessionName="test"
    )["Credentials"]
    there = boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=ec2.endpoint_url,
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    there.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z")
    assert [(c.action, c.account) for c in ec2.calls] == [
        ("AssumeRole", ec2.account),
        ("EnableImageDeprecation", OTHER),
    ]
    assert ec2.client("sts", account=OTHER).get_caller_identity()["Account"] == OTHER


def test_dry_run_changes_nothing(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    with pytest.raises(ClientError) as error:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z", DryRun=True)
    assert refused(error) == "DryRunOperation"
    with pytest.raises(ClientError) as describing:
        client.describe_images(ImageIds=[image_id], DryRun=True)
    assert refused(describing) == "DryRunOperation"
    assert ec2.image(image_id).deprecation_time is None


@pytest.mark.parametrize(
    ("image_id", "code"),
    [("ami-0123456789abcdef0", "NotFound"), ("ami-XYZ", "Malformed"), ("i-0123456789abcdef0", "Malformed")],
)
def test_wrong_id_is_refused(client: EC2Client, image_id: str, code: str) -> None:
    with pytest.raises(ClientError) as enabling:
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z")
    with pytest.raises(ClientError) as describing:
        client.describe_images(ImageIds=[image_id])
    assert refused(enabling) == refused(describing) == f"InvalidAMIID.{code}"
    if code == "NotFound":
        assert enabling.value.response["Error"]["Message"] == f"Invalid ImageId: {image_id}"


def test_one_unknown_id_fails_whole_describe(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    with pytest.raises(ClientError, match="ami-0123456789abcdef0"):
        client.describe_images(ImageIds=[image_id, "ami-0123456789abcdef0"])


def test_one_id_in_two_regions_is_two_images(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    assert ec2.add_image(region="us-east-1", image_id=image_id) == image_id
    client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z")
    assert ec2.image(image_id).deprecation_time == utc(2030, 1, 1)
    assert ec2.image(image_id, region="us-east-1").deprecation_time is None


def test_images_made_through_moto_have_dates_too(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = client.register_image(Name="registered")["ImageId"]
    client.create_tags(Resources=[image_id], Tags=[{"Key": "Team", "Value": "a"}])
    client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z")
    copy = client.copy_image(SourceImageId=image_id, SourceRegion="eu-west-1", Name="copy")["ImageId"]
    assert ec2.image(image_id).tags == {"Team": "a"}
    assert ec2.image(copy).deprecation_time is None


def test_pending_or_failed_image_cannot_be_changed(ec2: LocalEC2, client: EC2Client) -> None:
    for state in ("pending", "failed"):
        image_id = ec2.add_image(state=state)
        with pytest.raises(ClientError) as error:
            client.enable_image_deprecation(ImageId=image_id, DeprecateAt="2030-01-01T00:00:00Z")
        assert refused(error) == "InvalidAMIID.Unavailable"


def test_deregistered_image_leaves_in_stages_and_loses_its_date(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(deprecation_time=utc(2030, 1, 1))
    ec2.set_state(image_id, "deregistered")
    assert client.describe_images(ImageIds=[image_id])["Images"][0]["State"] == "deregistered"
    ec2.set_state(image_id, "available")
    client.deregister_image(ImageId=image_id)
    assert client.describe_images(ImageIds=[image_id])["Images"] == []
    assert ec2.image(image_id).state == "deregistered"
    with pytest.raises(ClientError) as gone:
        client.disable_image_deprecation(ImageId=image_id)
    assert refused(gone) == "InvalidAMIID.Unavailable"
    client.restore_image_from_recycle_bin(ImageId=image_id)
    assert ec2.image(image_id).deprecation_time is None
    ec2.remove_image(image_id)
    with pytest.raises(ClientError) as unknown:
        client.disable_image_deprecation(ImageId=image_id)
    assert refused(unknown) == "InvalidAMIID.NotFound"


def test_references_cover_instances_templates_and_extras(ec2: LocalEC2, client: EC2Client) -> None:
    image_id, unused = ec2.add_image(), ec2.add_image()
    client.run_instances(ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    client.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image_id})
    ec2.add_reference(image_id, "ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/web")
    answer = client.describe_image_references(ImageIds=[image_id, unused], IncludeAllResourceTypes=True)
    types = [reference["ResourceType"] for reference in answer["ImageReferences"]]
    assert types == ["ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter"]
    assert {reference["ImageId"] for reference in answer["ImageReferences"]} == {image_id}
    stopped = client.describe_image_references(
        ImageIds=[image_id],
        ResourceTypes=[
            {
                "ResourceType": "ec2:Instance",
                "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": ["stopped"]}],
            }
        ],
    )
    assert stopped["ImageReferences"] == []
