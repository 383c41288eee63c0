"""The IAM policy, held against what AWS publishes about each action."""

from __future__ import annotations

import json

import pytest

from ami_deprecation.cli.iam_policy import Needs, policy

#: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2":
#: the resource type that an action takes (None: it can only be allowed on "*"), and its condition keys.
IMAGE_KEYS = {
    "aws:ResourceTag/${TagKey}",
    "ec2:ImageID",
    "ec2:ImageType",
    "ec2:Owner",
    "ec2:Public",
    "ec2:Region",
    "ec2:ResourceTag/${TagKey}",
    "ec2:RootDeviceType",
}
PUBLISHED: dict[str, tuple[str | None, set[str]]] = {
    "ec2:EnableImageDeprecation": ("image", IMAGE_KEYS),
    "ec2:DisableImageDeprecation": ("image", IMAGE_KEYS),
    "ec2:DescribeImages": (None, {"ec2:Region"}),
    "ec2:DescribeImageReferences": (None, {"ec2:Region"}),
    "ec2:DescribeInstanceImageMetadata": (None, {"ec2:Region"}),
    "ec2:DescribeRegions": (None, {"ec2:Region"}),
}
#: IAM User Guide, "AWS global condition context keys": these are in every request.
GLOBAL_KEYS = {"aws:CalledVia", "aws:RequestedRegion"}
#: EC2 User Guide, "Identify your resources referencing specified AMIs": what DescribeImageReferences itself reads.
BEHIND_REFERENCES = {
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeLaunchTemplateVersions",
    "ssm:DescribeParameters",
    "ssm:GetParameters",
    "imagebuilder:ListImageRecipes",
    "imagebuilder:ListContainerRecipes",
    "imagebuilder:GetContainerRecipe",
}
ALL_NEEDS = [
    Needs(),
    Needs(changes=False),
    Needs(regions=("eu-west-1",)),
    Needs(regions=("eu-west-1", "us-east-1"), tags={"Team": ["web", "shop"], "Env": ["prod"]}),
    Needs(references=True, all_regions=True, running=True),
    Needs(changes=False, references=True, regions=("cn-north-1",), partition="aws-cn"),
]


def listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def statements(needs: Needs) -> list[dict[str, object]]:
    document = json.loads(json.dumps(policy(needs)))
    assert document["Version"] == "2012-10-17"
    made: list[dict[str, object]] = document["Statement"]
    return made


def allowed(needs: Needs) -> set[str]:
    return {action for statement in statements(needs) for action in listed(statement["Action"])}


def of(needs: Needs, action: str) -> dict[str, object]:
    [statement] = [each for each in statements(needs) if action in listed(each["Action"])]
    return statement


def keys(statement: dict[str, object]) -> set[str]:
    """The condition keys in their published form."""
    condition = statement.get("Condition", {})
    used = {key for test in condition.values() for key in test}  # type: ignore[attr-defined]
    return {f"{key.partition('/')[0]}/${{TagKey}}" if "Tag/" in key else key for key in used}


@pytest.mark.parametrize("needs", ALL_NEEDS)
def test_actions_use_supported_resource_types_and_keys(needs: Needs) -> None:
    for statement in statements(needs):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            if action in BEHIND_REFERENCES:
                assert "aws:CalledVia" in keys(statement), "only through DescribeImageReferences"
                continue
            resource_type, published = PUBLISHED[action]
            assert keys(statement) <= published | GLOBAL_KEYS
            for resource in listed(statement["Resource"]):
                if resource_type is None:
                    assert resource == "*"
                else:
                    partition, service, _, account, name = resource.removeprefix("arn:").split(":", 4)
                    assert (partition, service, account, name) == (needs.partition, "ec2", "", "image/*")


@pytest.mark.parametrize("needs", ALL_NEEDS)
def test_statements_have_ids_that_iam_takes_and_that_differ(needs: Needs) -> None:
    ids = [str(statement["Sid"]) for statement in statements(needs)]
    assert len(set(ids)) == len(ids)
    assert all(each.isalnum() for each in ids)


def test_policy_allows_only_used_actions() -> None:
    reads, changes = {"ec2:DescribeImages"}, {"ec2:EnableImageDeprecation", "ec2:DisableImageDeprecation"}
    assert allowed(Needs(changes=False)) == reads
    assert allowed(Needs()) == reads | changes
    assert allowed(Needs(changes=False, all_regions=True)) == reads | {"ec2:DescribeRegions"}
    referenced = allowed(Needs(changes=False, references=True))
    assert referenced == reads | BEHIND_REFERENCES | {"ec2:DescribeImageReferences"}


def test_regions_limit_images_and_reads() -> None:
    needs = Needs(regions=("eu-west-1", "us-east-1"), references=True)
    assert of(needs, "ec2:EnableImageDeprecation")["Resource"] == [
        "arn:aws:ec2:eu-west-1::image/*",
        "arn:aws:ec2:us-east-1::image/*",
    ]
    only = {"StringEquals": {"ec2:Region": ["eu-west-1", "us-east-1"]}}
    assert of(needs, "ec2:DescribeImages")["Condition"] == only
    assert of(needs, "ec2:DescribeImageReferences")["Condition"] == only


def test_tags_limit_changes_and_not_reads() -> None:
    needs = Needs(tags={"Team": ["web", "shop"], "Env": ["prod"]})
    assert of(needs, "ec2:DisableImageDeprecation")["Condition"] == {
        "StringEquals": {"aws:ResourceTag/Team": ["web", "shop"], "aws:ResourceTag/Env": "prod"}
    }
    assert "Condition" not in of(needs, "ec2:DescribeImages")
