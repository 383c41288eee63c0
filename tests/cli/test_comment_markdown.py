"""The comment that a pull request gets: what stands first, what is folded, and that it can be found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ami_deprecation.cli.comment.markdown import comment, failure, marker
from ami_deprecation.cli.comment.warnings import Limits, warnings_of
from tests.support.cli_digests import note, props, read, step
from tests.support.cli_samples import NOW

SMALL = """\
<!-- ami-deprecation comment: shop/prod -->
### AMI deprecation dates in `shop/prod`

**2 images**: 1 set, 1 moved earlier; 1 unchanged.

**Review these first**

| Image | Region | Date | Notice | Change | Attention |
| --- | --- | --- | --- | --- | --- |
| web-2<br>`ami-00000000000000002` | eu-west-1 | 2027-04-25 12:00 UTC → 2027-01-18 12:00 UTC | 3 days | moved earlier (97 days) | ⚠️ short notice: 3 days |

<details>
<summary>1 more image</summary>

| Image | Region | Date | Notice | Change |
| --- | --- | --- | --- | --- |
| web-1<br>`ami-00000000000000001` | eu-west-1 | none → 2027-03-06 12:00 UTC | 50 days | set |

</details>
"""


def text(*steps: object, diagnostics: object = None, many: int = 20, longest: int = 65_000) -> str:
    shown = read(*steps, diagnostics=diagnostics)
    warnings = warnings_of(shown, NOW, Limits(many=many))
    return comment(shown, warnings, NOW, key=shown.stack, longest=longest)


def line_of(shown: str, image: str) -> list[str]:
    [line] = [line for line in shown.splitlines() if line.startswith(f"| {image}<br>")]
    return [cell.strip() for cell in line.strip("| ").split(" | ")]


def folded(shown: str) -> str:
    return shown.partition("<details>")[2]


def test_whole_comment_of_small_preview() -> None:
    shown = text(
        step("create", new=props("web-1", 1, to=50), name="a"),
        step("update", props("web-2", 2, to=100), props("web-2", 2, to=3), name="b"),
        step("same", props(), props(), name="c"),
    )
    assert shown == SMALL


def test_comment_without_changes_is_one_line() -> None:
    lines = text(step("same", props(), props())).splitlines()
    assert lines == [
        "<!-- ami-deprecation comment: shop/prod -->",
        "No AMI deprecation date changes in `shop/prod`. 1 resource is unchanged.",
    ]


def test_marker_is_one_html_comment_for_each_stack() -> None:
    assert marker("shop/prod") != marker("shop/test")
    for key in ("a-->b", "x", "", "--", "a----b", "a\nb"):
        shown = marker(key)
        assert shown.startswith("<!-- ami-deprecation comment")
        assert shown.count("-->") == 1
        assert "\n" not in shown
        assert "--" not in shown.removeprefix("<!--").removesuffix("-->")


@pytest.mark.parametrize(
    ("made", "warning"),
    [
        (step("create", new=props(to=6.9)), "short notice: 6 days"),
        (step("create", new=props(to=0.2)), "short notice: 4 hours"),
        (step("create", new=props(to=-1)), "the date has passed"),
        (step("create", new=props(deprecate_in_days=0)), "deprecated as soon as this is applied"),
        (step("create", new=props(deprecate_in_days=3)), "short notice: 3 days"),
        (step("update", props(to=90), props(to=-1)), "the date has passed"),
        (step("delete", props(to=-1)), "its date has passed: once canceled, it cannot be set again"),
        (step("delete", props(to=90, original=2, on_destroy="restore")), "short notice: 2 days"),
    ],
)
def test_critical_rows_come_first(made: dict[str, object], warning: str) -> None:
    shown = text(made, step("create", new=props("other", 2, to=400), name="other"))
    assert line_of(shown, "web")[5] == f"⚠️ {warning}"
    assert "other" in folded(shown)
    assert "web<br>" not in folded(shown)


@pytest.mark.parametrize(
    "made",
    [
        step("create", new=props(to=7.1)),
        step("create", new=props(to=-1, original=-1)),
        step("update", props(to=-1), props(to=-1, on_destroy="restore")),
        step("delete", props(to=90)),
    ],
)
def test_unremarkable_rows_are_folded(made: dict[str, object]) -> None:
    shown = text(made)
    assert "⚠️" not in shown
    assert "web<br>" in folded(shown)


def test_notice_can_be_longer() -> None:
    shown = read(step("create", new=props(to=13)))
    assert warnings_of(shown, NOW, Limits()).of_change == ((),)
    assert warnings_of(shown, NOW, Limits(notice=timedelta(days=14))).of_change == (
        ("short notice: 13 days",),
    )


def test_many_changes_warn_and_adoptions_do_not_count() -> None:
    adopted = [step("create", new=props(f"a{n}", n, to=90, original=90), name=f"a{n}") for n in range(1, 9)]
    new = [step("create", new=props(f"n{n}", 50 + n, to=90), name=f"n{n}") for n in range(4)]
    assert "at once" not in text(*adopted, *new, many=4)
    assert "- ⚠️ 4 images change at once, more than 3" in text(*adopted, *new, many=3)


def test_provider_note_is_in_its_row_or_on_top() -> None:
    shown = text(
        step("create", new=props(to=50)),
        diagnostics=[
            note(
                "ami-00000000000000001 (web (linux) 1) in eu-west-1 is public: EC2 will move its date only earlier"
            ),
            note("ami-00000000000000009 (elsewhere) in eu-west-1: something"),
            note("live checks in eu-west-1 were skipped: no credentials"),
        ],
    )
    assert line_of(shown, "web")[5] == "⚠️ is public: EC2 will move its date only earlier"
    assert "- ⚠️ ami-00000000000000009 (elsewhere) in eu-west-1: something\n" in shown
    assert "- ⚠️ live checks in eu-west-1 were skipped: no credentials\n" in shown


def test_failed_preview_is_not_shown_as_no_change() -> None:
    failed = [{"message": "error: it broke", "severity": "error"}]
    shown = text(diagnostics=failed)
    assert "The preview failed, so the changes are unknown." in shown
    assert "- ⚠️ preview failed: it broke" in shown
    assert "No AMI" not in shown
    assert "so changes may be missing." in text(step("create", new=props(to=50)), diagnostics=failed)


@pytest.mark.parametrize(
    ("made", "date", "what"),
    [
        (step("create", new=props(to=50.5)), "none → 2027-03-07", "set"),
        (step("create", new=props(to=50.5, original=50.5)), "2027-03-07", "adopted: nothing changes in EC2"),
        (step("update", props(to=40.5), props(to=50.5)), "2027-02-25 → 2027-03-07", "moved later (10 days)"),
        (step("delete", props(to=50.5)), "2027-03-07 → none", "canceled"),
        (
            step("delete", props(to=50.5, original=60.5, on_destroy="restore")),
            "2027-03-07 → 2027-03-17",
            "restored",
        ),
        (
            step("create", new=props(deprecate_in_days=30)),
            "none → in 30 days (about 2027-02-14 if applied today)",
            "set",
        ),
        (step("create", new=props(deprecate_after_days=400)), "none → 400 days after it is created", "set"),
    ],
)
def test_row_shows_old_date_new_date_and_action(made: dict[str, object], date: str, what: str) -> None:
    cells = line_of(text(made), "web")
    assert (cells[2], cells[4]) == (date, what)


def test_row_names_date_changed_outside() -> None:
    about = "ami-00000000000000001 (web) in eu-west-1 has 2027-01-15T00:00:00Z (changed outside Pulumi): x replaces it"
    shown = text(step("update", props(to=40.5), props(to=50.5)), diagnostics=[note(about)])
    assert line_of(shown, "web")[2] == "2027-01-15 (changed outside Pulumi) → 2027-03-07"


def test_image_of_same_update_is_named_by_resource() -> None:
    new = {
        "image_id": "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "region": "eu-west-1",
        "deprecate_after_days": 3,
    }
    assert "| `copy`<br>created in this update | eu-west-1 |" in text(step("create", new=new, name="copy"))


def test_secret_image_id_is_not_shown_as_new() -> None:
    # What aws.ssm.get_parameter returns is a secret.
    shown = text(step("delete", {**props("golden", to=50), "image_id": "[secret]"}))
    assert "| golden<br>its id is a secret | eu-west-1 |" in shown


def test_names_cannot_break_table_or_call_anybody() -> None:
    shown = text(step("create", new=props("a|b`c`<b>@team", to=50)))
    assert r"| a\|b\`c\`\<b\>@<!-- -->team<br>`ami-00000000000000001` | eu-west-1 |" in shown


def test_comment_stays_within_githubs_limit() -> None:
    steps = [
        step("create", new=props(f"web-{n}", n + 1, to=3 if n % 2 else 90), name=f"w{n}") for n in range(2000)
    ]
    shown = text(*steps)
    assert len(shown) <= 65_000
    assert "**2000 images**: 2000 set." in shown
    assert shown.count("<details>") == shown.count("</details>")
    left_out = 2000 - shown.count("<br>`ami-")
    assert f"{left_out} more do not fit into a comment" in shown
    longest_row = max(len(line) for line in shown.splitlines() if "<br>`ami-" in line)
    assert len(shown) > 65_000 - longest_row - 5, "as many as fit"
    assert "short notice" in shown, "warnings stay longest"


def test_truncated_table_says_how_much_it_shows() -> None:
    steps = [step("create", new=props(f"web-{n}", n + 1, to=90), name=f"w{n}") for n in range(1000)]
    shown = text(*steps)
    rows = shown.count("<br>`ami-")
    assert 0 < rows < 1000
    assert f"<summary>{rows} of 1000 images</summary>" in shown


@pytest.mark.parametrize("longest", [1_000, 65_000])
def test_errors_keep_comment_within_limit(longest: int) -> None:
    failed = [{"message": f"error: web-{n}: {'why ' * n}", "severity": "error"} for n in range(600)]
    shown = text(step("create", new=props(to=50)), diagnostics=failed, longest=longest)
    assert len(shown) <= longest
    assert "so changes may be missing." in shown
    assert "more warnings do not fit into a comment" in shown
    assert "1 more do not fit into a comment" in shown


def test_same_preview_gives_same_comment() -> None:
    steps = [step("create", new=props(f"web-{n}", n + 1, to=90), name=f"w{n}") for n in range(5)]
    assert text(*steps) == text(*reversed(steps))


def test_at_most_20_rows_an_action_are_in_sight() -> None:
    new = [step("create", new=props(f"n{n}", n + 1, to=1 + n / 10), name=f"n{n}") for n in range(30)]
    gone = [step("delete", props(f"g{n}", n + 50, to=-1), name=f"g{n}") for n in range(5)]
    visible, _, rest = text(*new, *gone).partition("<details>")
    assert (visible.count("<br>`ami-"), rest.count("<br>`ami-")) == (25, 10)
    assert visible.index("| n0<br>") < visible.index("| n19<br>")
    assert "⚠️ short notice" in rest
    assert "<summary>10 more images</summary>" in rest


def test_rule_stands_in_the_row() -> None:
    policy = "urn:pulumi:prod::shop::ami-deprecation:index:AmiDeprecationPolicy::base"
    line = (
        "ami-00000000000000001 (web) in eu-west-1: 2027-03-06T00:00:00Z (fix_days): critical since 2027-01-01"
    )
    explained = {"urn": policy, "message": line, "severity": "info"}
    shown = text(step("create", new=props(to=50)), diagnostics=[explained])
    assert line_of(shown, "web")[4] == r"set<br>rule fix\_days: critical since 2027-01-01"


@pytest.mark.parametrize("reason", ["error: no stack named 'prod'", "```` a ```", "x" * 9_000])
def test_failure_without_json_is_a_comment(reason: str) -> None:
    shown = failure("shop/prod", "shop/prod", reason, 5_000)
    assert shown.splitlines()[0] == marker("shop/prod")
    assert "The preview failed, so the changes are unknown." in shown
    assert reason[-100:] in shown
    assert len(shown) <= 5_000
    fences = [line for line in shown.splitlines() if line.startswith("```")]
    assert fences[0] == f"{fences[-1]}text"
