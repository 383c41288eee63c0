"""How commands begin and end: help, versions, exit codes, one sentence for every error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

import ami_deprecation
from ami_deprecation.cli.app import run

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("report", "plan", "comment", "adopt", "iam-policy", "doctor")
PREVIEW = json.dumps({"steps": [], "changeSummary": {}})


def command(*arguments: str, code: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, without AWS settings; `code` runs first in it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    start = f"{code}\nimport sys, runpy\nsys.argv[0] = 'ami-deprecation'\nrunpy.run_module('ami_deprecation', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        env=kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull} | more,
        input=PREVIEW,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("missing", ["click", "rich", "jinja2"])
def test_missing_extra_names_what_to_install(missing: str) -> None:
    hide = (
        "import importlib.util as u\nreal = u.find_spec\n"
        f"u.find_spec = lambda name, *more: None if name == {missing!r} else real(name, *more)"
    )
    result = command("report", code=hide)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == "The command line needs a few more packages: pip install 'ami-deprecation[cli]'\n"


def test_console_script_is_same_program() -> None:
    [script] = entry_points(group="console_scripts", name="ami-deprecation")
    assert script.value == "ami_deprecation.__main__:main"
    result = command("--version")
    assert (result.returncode, result.stdout) == (0, f"ami-deprecation {ami_deprecation.__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_and_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"  ami-deprecation {name}" in shown
    assert "Examples:" in shown
    assert "Exit codes: 0 done; 1 something failed; 2 invalid options or input; 3" in shown
    longest = max(shown.splitlines(), key=len)
    assert len(longest) <= 110, longest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing command"),
        (["repot"], "No such command 'repot'"),
        (["report", "--nope"], "No such option"),
        (["report", "--fail-within", "soon"], "'soon' is not a duration: write 14d, 2w or 36h"),
        (["report", "--tag", "Team"], "'Team' is not a tag: write Key=Value"),
        (["report", "-r", "eu-west-9"], "'eu-west-9' is not a Region"),
        (["report", "-r", "eu-west-1", "--all-regions"], "--region and --all-regions are both set"),
        (
            ["report", "-r", "eu-west-1", "--role-arn", "reader"],
            "'reader' is not the ARN of a role, like arn:",
        ),
        (["comment", "/no/such/file.json"], "/no/such/file.json: No such file or directory"),
        (["iam-policy", "--read-only", "--tag", "a=b"], "--tag limits the calls that change a date"),
        (["iam-policy", "-r", "eu-west-1,cn-north-1"], "a policy covers one partition"),
        (["iam-policy", "-r", "eu-west-1", "--partition", "aws-cn"], "a policy covers one partition"),
        (["iam-policy", "--partition", "azure"], "'azure' is not a partition"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ami-deprecation: ")
    assert err.count("\n") == 1
    assert sentence in err


def test_missing_region_is_one_sentence() -> None:
    result = command("report")
    assert result.returncode == 2
    assert result.stderr == (
        "ami-deprecation: no Region is set: use --region eu-west-1 or --all-regions, or set AWS_REGION\n"
    )


def test_missing_credentials_name_region_and_exit_1() -> None:
    result = command("report", "-r", "eu-west-1", AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    assert result.returncode == 1
    assert result.stdout == "Nothing could be read.\n"
    assert result.stderr.startswith("ami-deprecation: eu-west-1: not in the report: ")
    assert "there are no AWS credentials" in result.stderr
    assert "Traceback" not in result.stderr


def test_unexpected_error_is_one_line_unless_debugging() -> None:
    broken = "import ami_deprecation.cli.comment.preview as p\np.read = lambda *_: 1 / 0"
    result = command("comment", code=broken)
    assert result.returncode == 1
    assert result.stderr == (
        "ami-deprecation: this is a bug, please report it (ZeroDivisionError: division by zero); "
        "set AMI_DEPRECATION_DEBUG=1 for the traceback\n"
    )
    assert "Traceback" in command("comment", code=broken, AMI_DEPRECATION_DEBUG="1").stderr


def test_file_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", "-o", "/no/such/folder/policy.json"]) == 1
    assert capsys.readouterr().err == (
        "ami-deprecation: /no/such/folder/policy.json: No such file or directory\n"
    )


def test_output_goes_to_file_and_nothing_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "policy.json"
    assert run(["iam-policy", "--read-only", "-r", "cn-north-1", "-o", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(file.read_text())["Statement"][0]["Action"] == "ec2:DescribeImages"


def test_adopt_does_not_overwrite_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("encryptionsalt: v1:abc\n")
    assert run(["adopt", "-r", "eu-west-1", "--format", "yaml", "-o", str(file)]) == 2
    assert "exists: name another file, or use --force" in capsys.readouterr().err
    assert file.read_text() == "encryptionsalt: v1:abc\n"


def test_help_names_default_regions(capsys: pytest.CaptureFixture[str]) -> None:
    for name, default in (
        ("report", "the Region that your AWS settings name"),
        ("iam-policy", "every Region"),
    ):
        run([name, "--help"])
        assert f"Default: {default}." in " ".join(capsys.readouterr().out.split())


def test_partition_follows_from_regions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", "--regions", "us-gov-west-1"]) == 0
    resources = [each["Resource"] for each in json.loads(capsys.readouterr().out)["Statement"]]
    assert resources == ["*", "arn:aws-us-gov:ec2:us-gov-west-1::image/*"]


def test_shell_completes_commands_and_options() -> None:
    for typed, completed in (("rep", "report"), ("report --fail-u", "--fail-unpatched")):
        words = f"ami-deprecation {typed}"
        result = command(
            _AMI_DEPRECATION_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
        )
        assert result.stdout == f"plain,{completed}\n"


def test_closed_pipe_causes_no_error() -> None:
    arguments = [sys.executable, "-m", "ami_deprecation", "iam-policy", "--references"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) in (0, 1)


def test_input_without_preview_still_gives_a_comment(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "preview.json").write_text("")
    (tmp_path / "preview.log").write_text("error: \x1b[31mincorrect passphrase\x1b[0m\n")
    arguments = ("comment", "preview.json", "--stderr", "preview.log", "-o", "comment.md")
    result = command(*arguments, code=f"import os; os.chdir({str(tmp_path)!r})", PULUMI_STACK="acme/prod")
    assert result.returncode == 2
    assert "the input is empty" in result.stderr
    shown = (tmp_path / "comment.md").read_text()
    assert shown.startswith("<!-- ami-deprecation comment: shop/prod -->\n")
    assert "error: incorrect passphrase" in shown


def test_previews_of_two_stacks_give_a_comment_that_names_both(tmp_path: Path) -> None:
    one, two = (
        json.dumps({"steps": [{"op": "same", "urn": f"urn:pulumi:prod::{each}::pulumi:pulumi:Stack::s"}]})
        for each in ("shop", "bank")
    )
    (tmp_path / "preview.json").write_text(f"{one}\n{two}\n")
    (tmp_path / "preview.log").write_text("warning: something else\n")
    arguments = ("comment", "preview.json", "--stderr", "preview.log")
    result = command(*arguments, code=f"import os; os.chdir({str(tmp_path)!r})")
    assert result.returncode == 2
    assert "the input has previews of 2 stacks, shop/prod and bank/prod" in result.stdout
    assert "shop/prod and bank/prod" in result.stderr


def test_fail_on_unchecked_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skipped = "live checks in eu-west-1 were skipped: no credentials"
    file = tmp_path / "preview.json"
    file.write_text(
        json.dumps({"diagnostics": [{"message": f"ami-deprecation: {skipped}", "severity": "info"}]})
    )
    assert run(["comment", str(file)]) == 0
    assert f"- ⚠️ {skipped}" in capsys.readouterr().out
    assert run(["comment", str(file), "--fail-on", "unchecked"]) == 3
    assert skipped in capsys.readouterr().err
    # With AMI_DEPRECATION_STRICT it is an error of the preview.
    refused = "ami-1 in eu-west-1 could not be checked: no credentials"
    file.write_text(json.dumps({"diagnostics": [{"message": f"error: {refused}", "severity": "error"}]}))
    assert run(["comment", str(file)]) == 0
    assert run(["comment", str(file), "--fail-on", "unchecked"]) == 3
    assert refused in capsys.readouterr().err
