"""Policies on the real engine: what a preview of a fleet says, and what an update does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.fleets import DAY, EU, NOW, QUIET, US, date, fleet, policy

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def test_preview_names_due_images_and_up_dates_them_once(stack: Stack, ec2: LocalEC2) -> None:
    old, near, ahead, newest = fleet(ec2, 400, 100, 10, 5)
    policy(stack)
    text = stack.preview()
    for number, image_id in ((0, old), (1, near), (2, ahead)):
        assert f"base-base-{number}-{image_id}-{EU} create" in text.output
    assert newest not in text.output
    assert (
        f"deprecated in 14 days (about {NOW + 14 * DAY:%Y-%m-%d} if applied today): {old} (base-0) in {EU}"
        in text.output
    )
    assert text.mutations == []
    assert stack.up().mutations == ["EnableImageDeprecation"] * 3
    assert date(ec2, old) == NOW + 14 * DAY  # its day was long ago: a notice
    assert date(ec2, near) == NOW + 20 * DAY  # base-2 pushed it out ten days ago
    assert date(ec2, ahead) == NOW + 25 * DAY
    assert date(ec2, newest) is None
    components = stack.resources("ami-deprecation:index:AmiDeprecationPolicy")
    assert [entry["imageName"] for entry in components[0]["outputs"]["deprecations"]] == [
        "base-2",
        "base-1",
        "base-0",
    ]
    assert stack.run(*QUIET).actions == ["DescribeImages"]


def test_replaced_foreign_date_is_named_in_preview(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 20, 5)
    ec2.set_deprecation_time(image_id, NOW + 300 * DAY)
    policy(stack)
    warning = f"{image_id} (base-0) in {EU} already has the date 2027-12-26T12:00:00Z, which 2027-03-26T12:00:00Z will replace"
    assert warning in stack.preview().output
    stack.up()
    assert date(ec2, image_id) == NOW + 25 * DAY


def test_image_in_use_can_be_a_warning(stack: Stack, ec2: LocalEC2) -> None:
    used, free, _ = fleet(ec2, 30, 15, 10)
    ec2.add_reference(used, "ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/base")
    policy(stack, in_use="warn")
    result = stack.preview()
    assert (
        f"{used} (base-0) in {EU} will be deprecated at 2027-03-16T12:00:00Z and is still used by "
        "ssm:Parameter arn:aws:ssm:eu-west-1:123456789012:parameter/base"
    ) in result.output
    assert f"{used} (base-0) in {EU}" in result.output
    assert f"{free} (base-1) in {EU} will" not in result.output


def test_root_project_takes_policies_from_yaml(root: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 400, 50, 10)
    base = {"name": "base-*", "keepNewest": 1, "graceDays": 30, "groupBy": "name:^([a-z]+)", "noticeDays": 7}
    other = {"name": "nothing-*", "deprecateAfterDays": 365, "regions": [US], "maxChanges": 0}
    root.config({"aws:region": EU, "ami-deprecation:policies": {"base": base, "other": other}})
    root.up()
    dates = {each["imageId"]: each["deprecationTime"] for each in root.outputs()["policies"]["base"]}
    assert dates == {ids[0]: "2027-03-08T12:00:00Z", ids[1]: "2027-03-21T12:00:00Z"}
    assert root.outputs()["policies"]["other"] == []

    root.env["AMI_DEPRECATION_RETRY_SECONDS"] = "1"
    ec2.faults.add("DescribeImages", "internal", region=EU, times=None)
    failed = root.up(check=False)
    assert f"policy 'base': {EU} cannot be read" in failed.output
    assert "policy 'other'" not in failed.output
    assert date(ec2, ids[1]) == NOW + 20 * DAY


def test_yaml_error_is_reported_by_its_path(root: Stack) -> None:
    wrong = {
        "a": {"name": "base-*", "keepNewst": 1},
        "b": {"name": "base-*", "graceDays": 5, "deprecateAfterDays": 365},
        "c": {"keepNewest": True},
    }
    root.config({"aws:region": EU, "ami-deprecation:policies": wrong})
    output = root.preview(check=False).output
    start = "ami-deprecation:policies."
    assert f"{start}a.keepNewst: there is no such key: did you mean keepNewest?" in output
    assert (
        f"{start}b.graceDays: it counts from the image that pushes another out of the newest: set keepNewest"
        in output
    )
    assert f"{start}c.keepNewest: True is not a whole number from 0 on" in output
    assert f"{start}c: no images selected: set name, tags or filters" in output
    assert "Traceback" not in output
