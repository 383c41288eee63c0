"""Run moto's own tests of images against LocalEC2: what passes on plain moto passes here, too.

    python tools/moto_tests.py

gets the source archive of the installed moto from the package index, serves a LocalEC2, and runs
`tests/test_ec2/test_amis.py` in moto's server mode: first the tests that need no images, then those that use moto's
own. In server mode, moto skips these, because a test cannot set a variable of the server; here it is set for them. It
takes a minute, so it is no part of `make test`.
"""

from __future__ import annotations

import os
import re
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
_DISABLED = f"a disabled image is not shown without IncludeDisabled ({_DESCRIBE})"
#: Tests of moto that EC2's documentation contradicts, and what it says.
DIFFERENT = {
    "test_ami_disable_invalid_error": _MALFORMED,
    "test_ami_enable_disable": _DISABLED,
    "test_ami_enable_invalid_error": _MALFORMED,
    "test_deregister_image__unknown": _MALFORMED,
    "test_getting_missing_ami": _MALFORMED,
    "test_ami_describe_images_executable_user_public": (
        f"an account id selects only images that are shared with that account ({_DESCRIBE})"
    ),
}

_TESTS = "tests/test_ec2/test_amis.py"
#: How a test skips itself in server mode.
_SKIPS = """    if settings.TEST_SERVER_MODE:
        raise SkipTest("Can't set environment variables in ServerMode")
"""
#: moto reads it each time it sets up a Region: whether there are its own images.
_WITH_IMAGES = "MOTO_EC2_LOAD_DEFAULT_AMIS"


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
    file = folder / _TESTS
    text = file.read_text(encoding="utf-8")
    with_images = set(re.findall(rf"^def (test_\w+)\(.*\):\n{re.escape(_SKIPS)}", text, re.MULTILINE))
    tests = set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    file.write_text(text.replace(_SKIPS, ""), encoding="utf-8")
    with LocalEC2() as ec2:
        server = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": ec2.endpoint_url}
        code = 0
        for loads, chosen in (("false", tests - with_images), ("true", with_images)):
            os.environ[_WITH_IMAGES] = loads  # of this process, which serves; LocalEC2 puts it back
            command = [
                sys.executable,
                "-m",
                "pytest",
                "--quiet",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:warnings",
            ]
            code |= subprocess.run(
                [*command, *sorted(f"{_TESTS}::{name}" for name in chosen - DIFFERENT.keys())],
                cwd=folder,
                env={**os.environ, **ec2.environment("us-east-1"), **server},
                check=False,
            ).returncode
    return code


if __name__ == "__main__":
    raise SystemExit(main())
