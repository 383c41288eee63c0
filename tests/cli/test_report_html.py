"""The HTML report in a real browser: light, dark, on a phone, with the keyboard, without a script, without a network."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from ami_deprecation.cli.report.html import as_html
from ami_deprecation.ec2.listing import Reference
from tests.support.browser import CONTRAST, FLAGS, NAMES, Visit
from tests.support.cli_samples import image, report, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser

TEMPLATE = Reference(
    "ec2:LaunchTemplate", "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-0a1b2c3d4e5f60718"
)
PHONE = {"width": 390, "height": 844}

ROWS = [
    row(image("web-server-2026-12-01", number=1, age=45, launched=3), known=True),
    row(image("web-server-2026-08-05", number=2, age=160, due=12, launched=9), TEMPLATE, TEMPLATE),
    row(image("web-server-2026-02-06", number=3, age=340, due=-20), known=True),
    row(image("web-server-2026-08-05", number=4, age=160, due=40, region="us-east-1"), known=True),
    row(image("payments-api-v2.10.0-arm64", number=5, age=20, due=300.4)),
    row(image("payments-api-v2.9.0-arm64", number=6, age=90, due=110)),
    row(image('<img src=x onerror=alert(1)> & "quotes"', number=7, age=10, due=3600)),
    row(image("a-name-that-goes-on-" * 6, number=8, age=500, public=True)),
    row(image("", number=9, age=2000, state="disabled", due=-60)),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert executable, "these tests need a Chromium: make browser"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(
        as_html(report(ROWS, "eu-west-1", "us-east-1", us_east_1="it did not answer")), encoding="utf-8"
    )
    return path


@pytest.fixture
def visit(browser: Browser, file: Path) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page, file.as_uri())
    page.close()


def test_page_needs_no_network_and_obeys_its_policy(visit: Visit) -> None:
    visit.sort_by("Created")
    visit.page.locator("#search").fill("web")
    assert visit.requests == [visit.url]
    assert visit.complaints == []


def test_page_policy_stops_injected_names(visit: Visit) -> None:
    assert visit.page.locator("img").count() == 0
    shown = visit.names()
    assert '<img src=x onerror=alert(1)> & "quotes"' in shown
    visit.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.smuggled = true";
            document.body.append(script);
            document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/pixel"}));
        }"""
    )
    assert visit.page.evaluate("window.smuggled") is None
    assert sum("Content Security Policy" in complaint for complaint in visit.complaints) == 2


def test_columns_sort_both_ways_by_value(visit: Visit) -> None:
    assert visit.column("Deprecation")[0] == "2026-11-16", "the server's order: the next date first"
    assert visit.sort_by("Days left") == "ascending"
    assert visit.column("Days left") == ["-60", "-20", "12", "40", "110", "300", "3600", "", ""]
    assert visit.sort_by("Days left") == "descending"
    assert visit.column("Days left") == ["3600", "300", "110", "40", "12", "-20", "-60", "", ""]
    visit.sort_by("Image")
    shown = visit.names()
    assert shown.index("payments-api-v2.9.0-arm64") < shown.index("payments-api-v2.10.0-arm64")
    sorted_by = visit.page.eval_on_selector_all("thead th", "heads => heads.map(h => h.ariaSort)")
    assert sorted_by.count("ascending") == 1


def test_words_states_and_regions_filter_together(visit: Visit) -> None:
    count = visit.page.locator("#count")
    assert count.text_content() == "9 of 9 images"
    visit.page.locator("#search").fill("WEB 08-05")
    assert visit.names() == ["web-server-2026-08-05"] * 2
    visit.page.locator("#region").select_option("us-east-1")
    assert count.text_content() == "1 of 9 images"
    visit.page.get_by_role("button", name="Clear").click()
    visit.page.wait_for_function("document.getElementById('count').value.startsWith('9 of')")
    visit.page.locator("#state").select_option("deprecated")
    assert visit.names() == ["web-server-2026-02-06"]
    visit.page.locator("#state").select_option("")
    visit.page.locator("#search").fill("launch-template")
    assert visit.names() == ["web-server-2026-08-05"], "who uses an image is searched too"
    visit.page.locator("#search").fill("ami-00000000000000005")
    assert visit.names() == ["payments-api-v2.10.0-arm64"]


def test_keyboard_reaches_everything(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"search", "state", "region", "Image", "Days left", "2 resources"} <= reached
    page.get_by_role("button", name="State", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("columnheader", name="State").get_attribute("aria-sort") == "ascending"


def test_page_without_scripts_is_plain_table(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("tbody tr").count() == len(ROWS)
    assert not page.locator("#filters").is_visible()
    assert page.locator("thead button").count() == 0
    assert page.get_by_role("columnheader", name="Deprecation").is_visible()
    context.close()


def test_timeline_of_family_is_readable_by_screen_readers(visit: Visit) -> None:
    page = visit.page
    assert page.locator("article h3").evaluate_all("all => all.map(h => h.firstChild.textContent)") == [
        "web-server",
        "payments-api-arm64",
        '<img src=x onerror=alert(1)> & "quotes"',
        "(no name)",
        "a-name-that-goes-on-" * 5 + "a-name-that-goes-on",
    ], "those with the next date first"
    drawing = page.get_by_role("img", name="Timeline of web-server")
    described = drawing.get_attribute("aria-labelledby")
    assert described
    text = [page.locator(f"#{each}").text_content() for each in described.split()]
    assert text[1] == ("4 images: 1 deprecated, 2 scheduled, 1 without a date. The next date is 2027-01-27.")
    today = drawing.locator("line.today").bounding_box()
    bars = {
        str(bar.locator("xpath=..").locator("title").text_content()): bar.bounding_box()
        for bar in drawing.locator("rect.bar").all()
    }
    assert today
    assert len(bars) == 4
    for title, box in bars.items():
        assert box
        ends_after_today = box["x"] + box["width"] > today["x"] + 1
        assert ends_after_today is ("scheduled for" in title), title


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE])
def test_text_contrast_is_sufficient(
    browser: Browser, file: Path, scheme: str, viewport: dict[str, int]
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    faint = page.evaluate(CONTRAST)
    page.close()
    assert faint == [], "WCAG 2.1, 1.4.3: at least 4.5 to 1"


def test_dark_page_is_dark(browser: Browser, file: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(file.as_uri())
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    light, dark = ([int(part) for part in re.findall(r"\d+", ground)] for ground in grounds)
    assert min(light) > 200
    assert max(dark) < 60


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280, 1920])
def test_page_never_scrolls_sideways(browser: Browser, file: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_phone_rows_are_sortable_cards_with_labels(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    visited = Visit(page, file.as_uri())
    card = page.locator("tbody tr").first.bounding_box()
    assert card
    assert card["width"] <= PHONE["width"]
    label = page.locator('td[data-label="Created"]').first
    assert label.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Created"'
    page.locator("#sort").select_option(label="created")
    assert visited.names()[0] == "(no name)"
    small = page.eval_on_selector_all(
        "svg.line text",
        "texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)",
    )
    assert min(small) >= 11, "the drawing's letters are not shrunk"
    page.locator("#search").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('thead')") is None, "it is not seen there"
    page.close()


def test_phone_tile_dots_are_next_to_their_labels(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    heights = page.eval_on_selector_all(
        ".tile dt",
        """all => all.filter(dt => !dt.textContent.trim().includes(" "))
            .map(dt => dt.getBoundingClientRect().height / parseFloat(getComputedStyle(dt).lineHeight))""",
    )
    page.close()
    assert len(heights) >= 2
    assert max(heights) < 1.5, "a single word is one line"


def test_phone_timeline_labels_do_not_overlap_dates(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    pairs = page.eval_on_selector_all(
        "svg.line",
        """drawings => drawings.flatMap(d => {
            const box = (text) => text.getBoundingClientRect();
            const dates = [...d.querySelectorAll("text.when")];
            return [...d.querySelectorAll("text.label")].map((l, i) => box(dates[i]).left - box(l).right);
        })""",
    )
    page.close()
    assert min(pairs) > 0


def test_phone_timeline_today_does_not_overlap_months(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "near.html"
    # The first of January, which has a label, is two weeks before today: a thirteenth of the line.
    file.write_text(as_html(report([row(image("web-1", age=90, due=30))])), encoding="utf-8")
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    gaps = page.eval_on_selector(
        "svg.line",
        """drawing => {
            const boxes = [...drawing.querySelectorAll("text.axis, text.today")]
                .filter(text => text.textContent).map(text => text.getBoundingClientRect())
                .sort((one, two) => one.left - two.left);
            return boxes.slice(1).map((box, i) => box.left - boxes[i].right);
        }""",
    )
    page.close()
    assert len(gaps) >= 3
    assert min(gaps) > 0


def test_page_of_a_large_account_opens(browser: Browser, tmp_path: Path) -> None:
    many: Sequence[object] = [
        row(
            image(
                f"family{n % 200}-2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
                number=n,
                age=n % 900,
                due=n % 700 - 100,
            )
        )
        for n in range(5000)
    ]
    file = tmp_path / "large.html"
    file.write_text(as_html(report(many)), encoding="utf-8")  # type: ignore[arg-type]
    assert file.stat().st_size < 8_000_000
    page = browser.new_page()
    visited = Visit(page, file.as_uri())
    page.locator("#search").fill("family7-")
    assert len(visited.names()) == 25
    assert page.locator("article").count() == 200
    page.close()
