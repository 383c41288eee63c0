"""The report as text: for scripts, for spreadsheets, for Markdown, for terminals of any width."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from ami_deprecation.cli.report.formats import as_csv, as_json, as_markdown, as_table
from ami_deprecation.ec2.listing import Reference
from tests.support.cli_samples import image, report, row

PARAMETER = Reference("ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/golden")
SOME = [
    row(image("web-2026-11", number=1), known=True),
    row(image("web-2026-08", number=2, due=10, public=True), PARAMETER),
    row(image("web-2026-05", number=3, due=-20, launched=5), known=True),
    row(image("off", number=4, due=-20, state="disabled"), known=True),
]
KEYS = "name,image_id,region,owner_id,created,deprecation_time,days_left,state,last_launched,public,used_by,highest_severity,oldest_fix_severity,oldest_fix_since,instances"


def test_json_has_documented_keys() -> None:
    document = json.loads(as_json(report(SOME, "eu-west-1", "us-east-1", us_east_1="no answer")))
    assert list(document) == ["generated_at", "regions", "failed", "images"]
    assert document["generated_at"] == "2027-01-15T12:00:00Z"
    assert document["failed"] == {"us-east-1": "no answer"}
    assert ",".join(document["images"][0]) == KEYS
    assert {each["name"]: each["state"] for each in document["images"]} == {
        "web-2026-11": "none",
        "web-2026-08": "scheduled",
        "web-2026-05": "deprecated",
        "off": "disabled",
    }


def test_csv_has_same_keys_and_reads_back() -> None:
    text = as_csv(report(SOME))
    assert text.splitlines()[0] == KEYS
    by_name = {line["name"]: line for line in csv.DictReader(io.StringIO(text))}
    assert by_name["web-2026-08"]["used_by"] == PARAMETER.arn
    assert by_name["web-2026-08"]["public"] == "true"
    assert by_name["web-2026-05"]["days_left"] == "-20"
    assert by_name["web-2026-11"]["deprecation_time"] == ""


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_csv_escapes_formulas(name: str) -> None:
    [line] = csv.DictReader(io.StringIO(as_csv(report([row(image(name))]))))
    assert line["name"] == f"'{name}"


def test_markdown_escapes_names() -> None:
    text = as_markdown(report([row(image("a|b <script> `x` *y* @someone [z](u)", due=3))]))
    [line] = [line for line in text.splitlines() if "ami-0" in line]
    assert line.startswith(
        r"| a\|b \<script\> \`x\` \*y\* @<!-- -->someone \[z\](u) | `ami-00000000000000001` | eu-west-1 | "
    )
    assert line.replace(r"\|", "").count("|") == 10


def test_markdown_names_regions_that_failed() -> None:
    text = as_markdown(report(SOME, "eu-west-1", "us-east-1", us_east_1="no_answer"))
    assert "- **us-east-1**: no\\_answer\n" in text
    assert "### AMI deprecation: 4 images: 1 deprecated, 1 scheduled, 1 without a date, 1 disabled\n" in text


def test_wide_terminal_has_one_colored_line_for_each_image() -> None:
    text = as_table(report(SOME), is_terminal=True, width=160)
    [line] = [line for line in text.splitlines() if "web-2026-08" in line]
    assert "ami-00000000000000002" in line
    assert "2027-01-25" in line
    assert "parameter/golden" in line
    assert "\x1b[33mscheduled" in line
    assert "\x1b[31mdeprecated" in text


@pytest.mark.parametrize("width", [48, 60, 80, 100])
def test_narrow_terminal_shows_everything_in_its_width(width: int) -> None:
    long = row(image("a-very-long-name-of-an-image-" * 3 + "2026-01-15", due=400))
    made = report([*SOME, long], "eu-west-1", "us-east-1")
    lines = [strip(line) for line in as_table(made, is_terminal=True, width=width).splitlines()]
    assert max(len(line) for line in lines[:-1]) <= width
    words = " ".join(lines).split()
    for each in made.rows:
        assert each.image.id in words
        assert each.state.value in words
    assert "2028-02-19" in words


def test_narrow_terminal_shows_time_left() -> None:
    rows = [row(image(f"web-{n}", number=n, due=due)) for n, due in enumerate((40.5, 1.5, 0.2, -0.01, -3.5))]
    lines = [strip(line) for line in as_table(report(rows), is_terminal=True, width=70).splitlines()]
    distances = {line.partition("ami-")[2][17:].strip() for line in lines if line.startswith("ami-")}
    assert distances == {"in 40 days", "in 1 day", "in 4 hours", "less than an hour ago", "3 days ago"}


def test_output_without_terminal_has_no_color() -> None:
    assert "\x1b" not in as_table(report(SOME), is_terminal=False, width=80)


def strip(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_lines_are_not_cut_without_terminal() -> None:
    name = "n" * 128
    assert name in as_table(report([row(image(name))]), is_terminal=False, width=20)


def test_empty_report_says_so() -> None:
    assert (
        as_table(report([], "eu-west-1"), is_terminal=False, width=80)
        == "No images: the account owns none in eu-west-1.\n"
    )
    nothing = report([], "eu-west-1", eu_west_1="no answer")
    assert as_table(nothing, is_terminal=False, width=80) == "Nothing could be read.\n"
