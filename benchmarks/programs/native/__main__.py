"""Declares a date through the native provider for every image of images.json, as a generated SDK would."""

import json
from pathlib import Path

import pulumi

OUTPUTS = ("deprecationTime", "imageName", "ownerId", "creationDate", "previousDeprecationTime")
INPUTS = ("deprecateAfterDays", "deprecateInDays", "region", "profile", "roleArn", "onDestroy")
DYNAMIC = pulumi.Alias(type_="pulumi-python:dynamic/ec2:AmiDeprecation")  # the schema's

for image in json.loads(Path(__file__).with_name("images.json").read_text()):
    pulumi.CustomResource(
        "ami-deprecation:index:AmiDeprecation",
        image["name"],
        dict.fromkeys((*INPUTS, *OUTPUTS)) | {"imageId": image["id"], "deprecateAt": image["date"]},
        pulumi.ResourceOptions(aliases=[DYNAMIC]),
    )
