# ruff: noqa: S101
"""The program under Pulumi's mocks: nothing is created, and what it declares is looked at. Run it with `pytest`.

https://www.pulumi.com/docs/iac/guides/testing/unit/
"""

import runpy
from pathlib import Path

import pulumi

DECLARED: dict[str, dict] = {}


class Mocks(pulumi.runtime.Mocks):
    """Answers each registration as if the resource were there, and writes it down by its type."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        """Give the resource an id; its outputs are its inputs."""
        DECLARED[args.typ] = args.inputs
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict:
        """Answer a data source; this program has none."""
        raise AssertionError(args.token)


pulumi.runtime.set_mocks(Mocks(), project="same-stack")
pulumi.runtime.set_all_config(
    {"same-stack:sourceImageId": "ami-0123456789abcdef0", "same-stack:sourceRegion": "us-east-1"}
)


@pulumi.runtime.test
def test_the_copy_gets_a_date_a_year_after_its_creation() -> pulumi.Output:
    """The date is for the id that the copy will have."""
    program = runpy.run_path(str(Path(__file__).with_name("__main__.py")))

    def check(_: object) -> None:
        assert DECLARED["aws:ec2/amiCopy:AmiCopy"]["sourceAmiId"] == "ami-0123456789abcdef0"
        date = DECLARED["pulumi-python:dynamic/ec2:AmiDeprecation"]
        assert (date["image_id"], date["deprecate_after_days"]) == ("base-id", 365)

    return program["date"].urn.apply(check)
