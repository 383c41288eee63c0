"""What is written first: a loop, with boto3's defaults. Arguments: the date, and a file with an image id a line."""

import sys
from pathlib import Path

import boto3

date, ids = sys.argv[1:]
ec2 = boto3.client("ec2")
for image_id in Path(ids).read_text().split():
    ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=date)
