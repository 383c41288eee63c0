"""Run moto's own tests of images against LocalEC2: what passes on plain moto passes here, too.

    python tools/moto_tests.py

gets the source archive of the installed moto from the package index, serves a LocalEC2, and runs
`tests/test_ec2/test_amis.py` in moto's server mode. It takes two minutes, so it is no part of `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from ami_deprecation.testing import LocalEC2

_DESCRIBE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html"
_ERRORS = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
_MALFORMED = f"an id that no image can have is InvalidAMIID.Malformed ({_ERRORS})"
#: Tests of moto that EC2's documentation contradicts, and what it says.
DIFFERENT = {
    "test_deregister_image__unknown": _MALFORMED,
    "test_getting_missing_ami": _MALFORMED,
    "test_ami_describe_images_executable_user_public": (
        f"an account id selects only images that are shared with that account ({_DESCRIBE})"
    ),
}


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="moto-tests-"))
    try:
        return _run(folder)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path) -> int:
    release = f"moto=={version('moto')}"
    download = ("download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary", "moto", release)
    subprocess.run([sys.executable, "-m", "pip", *download], cwd=folder, check=True)
    [archive] = folder.glob("moto-*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    [source] = [each for each in folder.glob("moto-*") if each.is_dir()]
    # Beside the archive's own moto, the installed one would not be tested.
    (source / "tests").rename(folder / "tests")
    sys.stdout.writelines(f"left out: {name}: {why}\n" for name, why in DIFFERENT.items())
    sys.stdout.flush()
    tests = "tests/test_ec2/test_amis.py"
    left_out = [f"--deselect={tests}::{name}" for name in DIFFERENT]
    with LocalEC2() as ec2:
        server = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": ec2.endpoint_url}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *left_out, tests],
            cwd=folder,
            env={**os.environ, **ec2.environment("us-east-1"), **server},
            check=False,
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
