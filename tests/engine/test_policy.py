"""Policies on the real engine: what a preview of a fleet says, what an update does, and what time does to it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.engine.harness import Stack
    from tests.engine.running import Result

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
TYPE = "pulumi-python:dynamic/ec2:AmiDeprecation"
EU, US = "eu-west-1", "us-east-1"


def policy(stack: Stack, **arguments: object) -> None:
    """Let the stack's program be one policy."""
    given = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **arguments}
    listed = ", ".join(f"{key}={value!r}" for key, value in given.items())
    stack.program(f"import ami_deprecation\nami_deprecation.AmiDeprecationPolicy('base', {listed})\n")


def fleet(ec2: LocalEC2, *ages: float, region: str = EU) -> list[str]:
    """Images base-0, base-1 and so on, of these ages in days."""
    ec2.set_time(NOW)
    return [
        ec2.add_image(f"base-{number}", region=region, created=NOW - age * DAY)
        for number, age in enumerate(ages)
    ]


def date(ec2: LocalEC2, image_id: str, region: str = EU) -> datetime | None:
    return ec2.image(image_id, region=region).deprecation_time


def steps(preview: dict[str, Any]) -> list[tuple[str, str]]:
    """What a preview says of images: (operation, image's name), without those that stay."""
    found = []
    for step in preview["steps"]:
        state = step.get("newState") or step["oldState"]
        if state["type"] == TYPE and step["op"] != "same":
            found.append((step["op"], state["inputs"]["image_name"]))
    return sorted(found)


def changes(result: Result) -> list[str]:
    return [call.action for call in result.calls if call.mutates]


QUIET = ("preview", "--expect-no-changes")


def test_a_preview_names_each_image_that_is_due_and_an_update_dates_them_once(
    stack: Stack, ec2: LocalEC2
) -> None:
    old, near, ahead, newest = fleet(ec2, 400, 100, 10, 5)
    policy(stack)
    text = stack.preview()
    for number, image_id in ((0, old), (1, near), (2, ahead)):
        assert f"base-base-{number}-{image_id}-{EU} create" in text.output
    assert newest not in text.output
    assert changes(text) == []
    assert changes(stack.up()) == ["EnableImageDeprecation"] * 3
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


def test_the_day_itself_changes_nothing(stack: Stack, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 5)
    policy(stack, grace_days=60)
    ec2.set_deprecation_time(noticed, NOW + 300 * DAY)
    stack.up()
    given = {image_id: date(ec2, image_id) for image_id in (noticed, dated)}
    assert given == {noticed: NOW + 14 * DAY, dated: NOW + 55 * DAY}
    # Before the notice ends, at its end (within the notice of the other date), on that day, and long after.
    for days in (13.999, 14, 55, 1000):
        ec2.set_time(NOW + days * DAY)
        assert stack.run(*QUIET).actions == ["DescribeImages"], days
    assert changes(stack.up()) == []
    assert changes(stack.refresh()) == []
    stack.run(*QUIET)
    assert {image_id: date(ec2, image_id) for image_id in given} == given


def test_two_runs_on_two_days_give_the_same_dates(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 20, 10, 5)
    policy(stack)
    before = stack.preview_json()
    ec2.advance(5 * DAY)
    after = stack.preview_json()
    for each in (before, after):
        given = [step["newState"].get("inputs", {}).get("deprecate_at") for step in each["steps"]]
        assert sorted(filter(None, given)) == ["2027-03-21T12:00:00Z", "2027-03-26T12:00:00Z"]


def test_a_new_image_is_one_line_and_so_is_one_that_comes_back(stack: Stack, ec2: LocalEC2) -> None:
    oldest, second, third = fleet(ec2, 30, 20, 10)
    policy(stack)
    stack.up()
    newest = ec2.add_image("base-3", created=NOW)
    assert steps(stack.preview_json()) == [("create", "base-2")]
    assert changes(stack.up()) == ["EnableImageDeprecation"]
    assert date(ec2, third) == NOW + 30 * DAY
    before = date(ec2, oldest), date(ec2, second)

    ec2.deregister_image(newest)
    assert steps(stack.preview_json()) == [("delete", "base-2")]
    assert changes(stack.up()) == ["DisableImageDeprecation"]
    assert (date(ec2, oldest), date(ec2, second), date(ec2, third)) == (*before, None)

    ec2.set_time(NOW + DAY)
    ec2.deregister_image(oldest)
    assert steps(stack.preview_json()) == [("delete", "base-0")]
    assert changes(stack.up()) == []


def test_changed_settings_move_dates_in_place_and_revive_none(stack: Stack, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 10)
    policy(stack)
    stack.up()
    ec2.set_time(NOW + 2 * DAY)
    policy(stack, grace_days=60)
    assert steps(stack.preview_json()) == [("update", "base-1")]
    assert changes(stack.up()) == ["EnableImageDeprecation"]
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)

    ec2.set_time(NOW + 100 * DAY)
    for settings in ({"notice_days": 60}, {"grace_days": 10}, {"grace_days": 70, "notice_days": 0}):
        policy(stack, **settings)
        assert changes(stack.up()) == [], settings
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)
    stack.run(*QUIET)


def test_a_date_that_somebody_changes_comes_back_or_with_a_notice_when_its_day_is_past(
    stack: Stack, ec2: LocalEC2
) -> None:
    noticed, first, second, _ = fleet(ec2, 400, 100, 40, 5)
    policy(stack, grace_days=60)
    stack.up()
    given = [date(ec2, image_id) for image_id in (noticed, first, second)]
    assert given == [NOW + 14 * DAY, NOW + 20 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 30 * DAY)
    ec2.set_deprecation_time(noticed, None)
    ec2.set_deprecation_time(first, None)
    ec2.set_deprecation_time(second, NOW + 300 * DAY)
    stack.refresh()
    preview = stack.preview_json()
    assert steps(preview) == [("update", "base-0"), ("update", "base-1"), ("update", "base-2")]
    assert "cannot be put back" not in str(preview)
    assert "2027-03-15T12:00:00Z" not in str([step["newState"] for step in preview["steps"]])
    stack.up()
    given = [date(ec2, image_id) for image_id in (noticed, first, second)]
    assert given == [NOW + 44 * DAY, NOW + 44 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 100 * DAY)
    stack.run(*QUIET)


def test_a_query_that_finds_nothing_is_warned_of(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 20, 10)
    policy(stack, name="bsae-*", regions=[EU, US])
    said = f"no image in {EU}, {US} matches: dates that this policy gave are cancelled"
    assert said in stack.preview().output


def test_a_date_of_somebody_else_is_taken_over_and_the_preview_names_it(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 20, 5)
    ec2.set_deprecation_time(image_id, NOW + 300 * DAY)
    policy(stack)
    said = f"{image_id} (base-0) in {EU} already has the date 2027-12-26T12:00:00Z, which 2027-03-26T12:00:00Z will replace"
    assert said in stack.preview().output
    stack.up()
    assert date(ec2, image_id) == NOW + 25 * DAY


def test_public_images_stay_inside_their_two_years_and_their_date_is_never_moved_later(
    stack: Stack, ec2: LocalEC2
) -> None:
    ec2.set_time(NOW)
    made = NOW - 700 * DAY
    public = ec2.add_image("base-public", created=made, public=True)
    tight = ec2.add_image("base-tight", created=NOW - 300 * DAY, public=True, deprecation_time=NOW + 40 * DAY)
    limit = date(ec2, public)
    assert limit is not None
    policy(stack, keep_newest=None, grace_days=0, deprecate_after_days=2000)
    assert changes(stack.up()) == []
    assert (date(ec2, public), date(ec2, tight)) == (limit, NOW + 40 * DAY)
    ec2.set_time(limit + DAY)
    stack.run(*QUIET)


def test_exclusions_leave_images_out(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 50, 40, 30, 20, 10)
    kept = ec2.add_image("base-kept", created=NOW - 60 * DAY, tags={"Keep": "true"})
    policy(stack, exclude=[ids[0], "*-1", "tag:Keep=true"])
    assert [name for _, name in steps(stack.preview_json())] == ["base-2", "base-3"]
    assert date(ec2, kept) is None


def test_groups_and_regions_are_counted_apart(stack: Stack, ec2: LocalEC2) -> None:
    ec2.set_time(NOW)
    due = set()
    for region in (EU, US):
        for family in ("web", "db"):
            for age in (40, 30, 20):
                name = f"base-{region}-{family}-{age}"
                tags = {"Family": family, "Team": "core"}
                ec2.add_image(name, region=region, created=NOW - age * DAY, tags=tags)
                if age == 40:
                    due.add(name)
    ec2.add_image("base-other", created=NOW - 400 * DAY, tags={"Team": "other", "Family": "web"})
    policy(stack, tags={"Team": "core"}, group_by="tag:Family", keep_newest=2, regions=[EU, US])
    assert {name for _, name in steps(stack.preview_json())} == due


def test_more_changes_than_allowed_are_refused_with_their_names_and_nothing_is_done(
    stack: Stack, ec2: LocalEC2
) -> None:
    ids = fleet(ec2, 40, 30, 20, 10)
    policy(stack, max_changes=2)
    refused = stack.up(check=False)
    assert refused.code != 0
    assert changes(refused) == []
    assert (
        "policy 'base': 3 images would get a date or another one, more than max_changes=2: " in refused.output
    )
    assert all(f"{ids[n]} (base-{n}) in {EU}" in refused.output for n in range(3))
    assert "Traceback" not in refused.output
    assert stack.resources() == []

    policy(stack, max_changes=3)
    stack.up()
    ec2.add_image("base-4", created=NOW)
    policy(stack, max_changes=1)  # the three that have their dates do not count
    assert changes(stack.up()) == ["EnableImageDeprecation"]
    ec2.set_time(NOW + 400 * DAY)
    policy(stack, max_changes=0)
    stack.run(*QUIET)


def test_a_region_that_fails_keeps_its_dates_and_stops_no_other(stack: Stack, ec2: LocalEC2) -> None:
    stack.env["AMI_DEPRECATION_RETRY_SECONDS"] = "1"
    european, _ = fleet(ec2, 20, 10)
    american, _ = fleet(ec2, 20, 10, region=US)
    policy(stack, regions=[US, EU])
    stack.up()
    there = date(ec2, american, US)
    assert there is not None

    ec2.add_image("base-2", created=NOW)
    ec2.add_image("base-2", created=NOW, region=US)
    ec2.faults.add("DescribeImages", "unavailable", region=US, times=None)
    sentence = f"policy 'base': {US} cannot be read, and its images keep what they have: DescribeImages on the images in {US}"
    preview = stack.preview(check=False)
    assert f"{EU} create" in preview.output
    assert "delete" not in preview.output
    failed = stack.up(check=False)
    for each in (preview, failed):
        assert each.code != 0
        assert sentence in each.output
        assert "Traceback" not in each.output
    assert changes(failed) == ["EnableImageDeprecation"]
    assert date(ec2, european) is not None
    assert date(ec2, american, US) == there
    assert len(stack.resources(TYPE)) == 3

    ec2.faults.clear()
    assert changes(stack.up()) == ["EnableImageDeprecation"]
    assert date(ec2, american, US) == there


def test_a_listing_that_lags_behind_the_update_changes_nothing(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 400, 20, 10)
    policy(stack)
    ec2.faults.lag(mode="none")
    stack.up()
    given = [date(ec2, image_id) for image_id in ids]
    assert given == [NOW + 14 * DAY, NOW + 20 * DAY, None]
    ec2.advance(timedelta(minutes=1))
    stack.run(*QUIET)
    assert changes(stack.up()) == []
    assert [date(ec2, image_id) for image_id in ids] == given


def test_an_image_in_use_can_be_warned_of(stack: Stack, ec2: LocalEC2) -> None:
    used, free, _ = fleet(ec2, 30, 15, 10)
    ec2.add_reference(used, "ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/base")
    policy(stack, in_use="warn")
    result = stack.up()
    assert (
        f"{used} (base-0) in {EU} will be deprecated at 2027-03-16T12:00:00Z and is still used by "
        "ssm:Parameter arn:aws:ssm:eu-west-1:123456789012:parameter/base"
    ) in result.output
    assert f"{free} (base-1) in {EU} will" not in result.output
    assert date(ec2, used) is not None


def test_an_image_in_use_can_be_skipped_until_it_has_a_date(stack: Stack, ec2: LocalEC2) -> None:
    used, free, _ = fleet(ec2, 30, 20, 10)
    arn = "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-1"
    ec2.add_reference(used, "ec2:LaunchTemplate", arn)
    policy(stack, in_use="skip")
    stack.up()
    assert date(ec2, used) is None
    assert date(ec2, free) == NOW + 20 * DAY
    ec2.add_reference(free, "ec2:LaunchTemplate", arn)  # to skip it now would cancel its date
    stack.run(*QUIET)


def test_a_region_whose_users_cannot_be_read_keeps_its_dates(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 30, 10)
    policy(stack)
    stack.up()
    ec2.faults.add("DescribeImageReferences", "denied", times=None)
    policy(stack, in_use="warn")
    failed = stack.up(check=False)
    assert failed.code != 0
    assert changes(failed) == []
    assert f"{EU} cannot be read" in failed.output
    assert "may not do ec2:DescribeImageReferences" in failed.output
    assert date(ec2, image_id) == NOW + 20 * DAY


def test_the_root_project_takes_policies_from_yaml(root: Stack, ec2: LocalEC2) -> None:
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


def test_a_mistake_in_yaml_is_named_by_its_path(root: Stack) -> None:
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
        f"{start}b.graceDays: it counts from the image that pushes another out of the newest: give keepNewest"
        in output
    )
    assert f"{start}c.keepNewest: True is not a whole number from 0 on" in output
    assert f"{start}c: it is not said which images: give name, tags or filters" in output
    assert "Traceback" not in output
