"""The best that boto3 has for it: four threads, adaptive retries. Arguments: the date, and a file with an image id a line."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config

date, ids = sys.argv[1:]
ec2 = boto3.client("ec2", config=Config(retries={"mode": "adaptive", "max_attempts": 10}))


def set_date(image_id: str) -> None:
    """One image."""
    ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=date)


with ThreadPoolExecutor(4) as pool:
    list(pool.map(set_date, Path(ids).read_text().split()))
