"""The HTML report in a real browser: light, dark, on a phone, with the keyboard, without a script, without a network."""

from __future__ import annotations

import dataclasses
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import expect, sync_playwright
from pypdf import PdfReader

from ami_deprecation.cli.report.html import as_html
from ami_deprecation.ec2.listing import Reference
from ami_deprecation.image import Scan
from tests.support.browser import CONTRAST, FLAGS, NAMES, Visit
from tests.support.cli_samples import NOW, ahead, image, report, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from ami_deprecation.cli.report.rows import Row

TEMPLATE = Reference(
    "ec2:LaunchTemplate", "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-0a1b2c3d4e5f60718"
)
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1366, "height": 768}

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


HIGH = Scan("high", NOW, {"high": ahead(-3)})


def scanned(made: Row, scan: Scan) -> Row:
    return dataclasses.replace(made, image=dataclasses.replace(made.image, scan=scan))


def many(number: int) -> list[Row]:
    """Images of 200 families with dates of all kinds."""
    return [
        row(
            image(
                f"family{n % 200}-2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
                number=n,
                age=n % 900,
                due=n % 700 - 100,
            )
        )
        for n in range(number)
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
    expect(count).to_have_text("9 of 9 images")
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
    today = drawing.locator("line.today").first.bounding_box()
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
        ".tile > span",
        """all => all.filter(label => !label.textContent.trim().includes(" "))
            .map(label => label.getBoundingClientRect().height / parseFloat(getComputedStyle(label).lineHeight))""",
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


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
def test_soonest_dates_show_without_scrolling(browser: Browser, file: Path, viewport: dict[str, int]) -> None:
    page = browser.new_page(viewport=viewport)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    shown = page.eval_on_selector_all(
        ".next li", "all => all.map(item => [item.innerText, item.getBoundingClientRect().bottom])"
    )
    page.close()
    assert "2027-01-27" in shown[0][0]
    assert "in 12 days" in shown[0][0]
    assert max(bottom for _, bottom in shown) <= viewport["height"]


def test_line_for_today_covers_no_text(visit: Visit) -> None:
    covered = visit.page.eval_on_selector_all(
        "svg.line",
        """drawings => drawings.flatMap(drawing => {
            const lines = [...drawing.querySelectorAll("line.today")].map(line => line.getBoundingClientRect());
            return [...drawing.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                return text.textContent && lines.some(line =>
                    line.left < box.right && line.right > box.left && line.top < box.bottom - 2 && line.bottom > box.top);
            }).map(text => text.textContent);
        })""",
    )
    assert covered == []


def test_tile_filters_and_address_keeps_it(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("link", name="4 scheduled later").click()
    visit.sort_by("Image")
    shown = visit.names()
    assert len(shown) == 4
    assert page.url.endswith("#state=scheduled&sort=0")
    assert page.locator("[aria-current]").inner_text().split() == ["4", "scheduled", "later"]
    page.reload()
    assert visit.names() == shown
    assert page.locator("#state").input_value() == "scheduled"
    page.get_by_role("link", name="9 images").click()
    assert len(visit.names()) == 9


def test_empty_search_says_so_and_offers_all(visit: Visit) -> None:
    page = visit.page
    page.locator("#search").fill("no such image")
    assert visit.names() == []
    assert page.get_by_text("No image matches this search and these filters.").is_visible()
    assert page.locator("#count").text_content() == "0 of 9 images"
    page.get_by_role("button", name="Show all images").click()
    expect(page.locator("tbody tr")).to_have_count(9)
    assert not page.get_by_text("No image matches").is_visible()


def test_severities_sort_by_rank_and_have_signs(browser: Browser, tmp_path: Path) -> None:
    severities = ("low", "critical", "informational", "high")
    rows = [scanned(row(image(f"{name}-image")), Scan(name, NOW)) for name in severities]
    file = tmp_path / "scans.html"
    file.write_text(as_html(report([*rows, row(image("unknown"))])), encoding="utf-8")
    page = browser.new_page(viewport=LAPTOP)  # type: ignore[arg-type]
    visit = Visit(page, file.as_uri())
    visit.sort_by("Severity")
    assert visit.column("Severity") == ["critical", "high", "low", "informational", "not scanned"]
    signs = page.eval_on_selector_all(
        '[data-label="Severity"] .badge',
        "all => all.map(badge => getComputedStyle(badge, '::before').content[1])",
    )
    page.close()
    assert signs[:3] == ["‼", "!", "o"], "'o' of 'none': only the two worst have a sign"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
def test_axe_finds_no_violation(
    browser: Browser, tmp_path: Path, scheme: str, viewport: dict[str, int]
) -> None:
    file = tmp_path / "scanned.html"
    rows = [scanned(ROWS[0], HIGH), *ROWS[1:]]
    file.write_text(as_html(report(rows, "eu-west-1", "us-east-1", us_east_1="down")), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    results = Axe().run(page)
    page.close()
    assert results.violations_count == 0, results.generate_report()


def test_print_has_every_row_and_column(browser: Browser, tmp_path: Path) -> None:
    file, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    rows = [scanned(each, HIGH) for each in many(120)]
    rows[0] = dataclasses.replace(rows[0], references=(TEMPLATE,))
    made = report(rows, "eu-west-1", "us-east-1")
    file.write_text(as_html(made), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    page.pdf(path=pdf, prefer_css_page_size=True)
    page.close()
    pages = [" ".join(each.extract_text().split()) for each in PdfReader(pdf).pages]
    text = " ".join(pages)
    for each in made.rows:
        assert each.image.id in text
    tables = [each for each in pages if "scheduled ! high" in each]
    assert len(tables) > 2
    for heading in ("Region", "Deprecation", "Days left", "Last launched", "Severity", "Public", "Used by"):
        assert all(heading in each for each in tables), heading
    assert "0a1b2c3d4e5f60718" in text.replace(" ", ""), "what is folded on the screen is open on paper"


def test_page_of_a_large_account_is_quick(browser: Browser, tmp_path: Path) -> None:
    """Main-thread seconds of CPU, which other processes do not change much; a frame at 60 Hz has 16 ms."""
    file = tmp_path / "large.html"
    file.write_text(as_html(report(many(5000))), encoding="utf-8")
    assert file.stat().st_size < 8_000_000
    page = browser.new_page(viewport=LAPTOP)  # type: ignore[arg-type]
    seconds = _cpu(page)
    visited = Visit(page, file.as_uri())
    assert page.locator("article").count() == 200
    loaded = seconds()
    page.locator("#search").fill("family7-")
    assert len(visited.names()) == 25
    filtered = seconds()
    page.locator("#search").fill("")
    page.evaluate(SCROLL)
    scrolled = seconds()
    head = page.locator("thead").bounding_box()
    page.close()
    assert head
    assert 0 <= head["y"] < 1, "the header stays"
    assert loaded < 8
    assert filtered < 1
    assert scrolled / 100 < 0.06


#: A hundred frames, each 400 pixels further down.
SCROLL = """() => new Promise(done => {
  let frames = 0;
  let y = document.querySelector("table").getBoundingClientRect().top + scrollY;
  const step = () => {
    y += 400;
    window.scrollTo({top: y, behavior: "instant"});
    frames += 1;
    if (frames < 100) requestAnimationFrame(step);
    else done(frames);
  };
  requestAnimationFrame(step);
})"""


def _cpu(page: Page) -> Callable[[], float]:
    """Gives the CPU time of the page's main thread since it was last asked."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = 0.0

    def spent() -> float:
        nonlocal before
        metrics = session.send("Performance.getMetrics")["metrics"]
        now = next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")
        before, since = now, now - before
        return since

    return spent
