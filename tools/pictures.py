"""The pictures of the docs, in docs/images/: real previews, a real comment, a real report.

    .venv/bin/python tools/pictures.py

runs programs on a real Pulumi over the embedded EC2, whose clock stands still, and draws what they print: the
terminal's as SVG, with the colours that the CLI chose, the comment and the report as PNG in a headless Chromium. Run it when
what they show has changed, and look at them: `tools/pictures.json` has a digest of what each shows, and a test
compares it with today's.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from ami_deprecation.testing import LocalEC2
from tests.support.harness import REPOSITORY, Cli, Stack
from tools.demo import engine
from tools.frames import COMMENT_PAGE, FRAME, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

IMAGES = REPOSITORY / "docs" / "images"
#: Picture -> a digest of what it shows.
SHOWN = Path(__file__).with_suffix(".json")
NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
WEB, WORKER, LEGACY = "ami-0123456789abcdef0", "ami-0fedcba9876543210", "ami-0aaaabbbbccccdddd"


@dataclass(frozen=True)
class Studio:
    """What a picture is made with.

    Attributes:
        browser: a headless Chromium; None to find out what would be drawn.
        stack: a stack `images/prod` that a program is written into.
        ec2: its EC2.
        shown: picture -> a digest of what it shows. Digits, ids and the order of lines do not count: days go by, and
            an engine's steps come as they come.
    """

    browser: Browser | None
    stack: Stack
    ec2: LocalEC2
    shown: dict[str, str] = field(default_factory=dict)

    def show(self, name: str, text: str) -> None:
        """Note what a picture shows."""
        lines = sorted(
            {re.sub(r"ami-[0-9a-f]+|\(?[\d.]+s\)|\d+", "0", line).strip() for line in text.splitlines()}
        )
        self.shown[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def terminal(self, name: str, *commands: str) -> None:
        """Run Pulumi commands, and draw them with what they print, in colour."""
        lines = [line for command in commands for line in self._typed(command)]
        self.show(name, "\n".join(line.plain for line in lines))
        if self.browser is None:
            return
        # An error goes on in the next lines, as in any terminal of this width.
        width = min(110, max(line.cell_len for line in lines))
        console = Console(
            record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        for line in lines:
            console.print(line, highlight=False)
        svg = console.export_svg(title="images", theme=TERMINAL, code_format=FRAME, unique_id=name)
        (IMAGES / f"{name}.svg").write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE))

    def _typed(self, command: str) -> Iterator[Text]:
        yield Text(f"$ pulumi {command}", "bold cyan")
        options = ["--yes", "--skip-preview"] if command == "up" else []
        result = self.stack.run(*command.split(), *options, "--color=always", check=False)
        for line in Text.from_ansi(result.output).split():
            if line.plain.strip() and not line.plain.startswith(("@ ", "Duration")):
                line.rstrip()
                yield line

    def comment(self, name: str) -> None:
        """Draw the comment of the program's preview, as it would look in a pull request."""
        preview = self.stack.run("preview", "--json").stdout
        text = self.command("comment", given=preview)
        self.show(name, text)
        if self.browser is None:
            return
        # What is folded in a pull request is open in the picture.
        html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        page = self.browser.new_page(viewport={"width": 1110, "height": 600}, device_scale_factor=1.5)
        page.set_content(COMMENT_PAGE.format(html.replace("<details>", "<details open>")))
        page.locator("article").screenshot(path=IMAGES / f"{name}.png")
        page.close()

    def report(self, name: str, *, width: int, height: int, dark: bool = False) -> None:
        """Draw the HTML report of all images."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "report.html")
            self.command(
                *("report", "--region", "eu-west-1,us-east-1", "--references"),
                *("--format", "html", "--output", str(file)),
            )
            self.show(name, file.read_text())
            if self.browser is None:
                return
            page = self.browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=1.25,
                color_scheme="dark" if dark else "light",
            )
            page.goto(file.as_uri())
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()

    def command(self, *arguments: str, given: str = "") -> str:
        """Run `ami-deprecation`, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "ami_deprecation", *arguments],
            input=given,
            env=self.stack.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def program(self, *lines: str) -> None:
        """Write the program."""
        self.stack.program("from ami_deprecation import AmiDeprecation\n" + "\n".join(lines) + "\n")


def dated(name: str, image_id: str, arguments: str) -> str:
    return f"AmiDeprecation({name!r}, image_id={image_id!r}, {arguments})"


def terminals(studio: Studio) -> None:
    """Two dates in a pull request, then merged; and one that EC2 would refuse."""
    ec2 = studio.ec2
    ec2.add_image("web-2026-11-02", image_id=WEB, created=NOW - 21 * DAY)
    ec2.add_image(
        "worker-2026-10-12", image_id=WORKER, created=NOW - 42 * DAY, deprecation_time=NOW + 700 * DAY
    )
    studio.program(dated("web", WEB, "deprecate_at='2027-06-01'"))
    studio.stack.up()
    web = dated("web", WEB, "deprecate_at='2027-09-01'")
    studio.program(web, dated("worker", WORKER, "deprecate_after_days=365"))
    studio.terminal("preview", "preview --diff")
    studio.terminal("up", "up")
    ec2.set_deprecation_time(WEB, NOW + 900 * DAY)
    studio.terminal("drift", "preview --refresh --diff")
    ec2.set_deprecation_time(WEB, datetime(2027, 9, 1, tzinfo=timezone.utc))
    ec2.add_image("legacy-2024-12-01", image_id=LEGACY, created=NOW - 722 * DAY, public=True)
    studio.program(web, dated("legacy", LEGACY, "deprecate_at='2027-06-01'"))
    studio.terminal("refused", "preview")


def pull_request(studio: Studio) -> None:
    """A comment with something of each kind."""
    ec2 = studio.ec2
    ec2.set_time(None)  # a comment counts its days from the real today
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)

    def at(days: int) -> str:
        return f"deprecate_at='{today + days * DAY:%Y-%m-%d}'"

    ages = {"api": (112, 35), "batch": (145, 70), "db": (357, 7)}
    ids = {
        f"{name}-{position}": ec2.add_image(
            f"{name}-{today - age * DAY:%Y-%m-%d}",
            image_id=f"ami-0{age:03d}a1b2c3d4e5f67"[:21],
            created=today - age * DAY,
        )
        for name, each in ages.items()
        for position, age in zip(("old", "new"), each, strict=True)
    }
    studio.program(
        dated("api", ids["api-old"], at(98)),
        dated("batch", ids["batch-old"], at(98)),
        dated("batch-new", ids["batch-new"], at(159)),
        dated("db", ids["db-old"], at(39)),
    )
    studio.stack.up()
    ec2.set_deprecation_time(ids["db-new"], today + 282 * DAY)
    studio.program(
        dated("api", ids["api-old"], at(190)),
        dated("api-new", ids["api-new"], at(282)),
        dated("batch", ids["batch-old"], at(70)),
        dated("batch-new", ids["batch-new"], at(159)),
        dated("db-new", ids["db-new"], at(4)),
    )
    studio.comment("comment")


def fleet(studio: Studio) -> None:
    """Some families of images in two Regions."""
    ec2 = studio.ec2
    ec2.reset()
    ec2.set_time(NOW)
    for region, families in (
        ("eu-west-1", {"web": 21, "worker": 35, "base-ubuntu-arm64": 49}),
        ("us-east-1", {"web": 21, "reporting": 63}),
    ):
        for name, days in families.items():
            for number in range(5):
                created = NOW - (4 + number * days) * DAY
                newest, used = number in {0, 1}, number in {0, 3}
                image_id = ec2.add_image(
                    f"{name}-{created:%Y-%m-%d}",
                    region=region,
                    created=created,
                    deprecation_time=None if newest else created + (4 * days - len(name)) * DAY,
                    last_launched=NOW - (number * days // 2 + 1) * DAY if newest or used else None,
                )
                if used:
                    template = (
                        f"arn:aws:ec2:{region}:{ec2.account}:launch-template/lt-0{number}a1b2c3d4e5f6071"
                    )
                    ec2.add_reference(image_id, "ec2:LaunchTemplate", template, region=region)
    studio.report("report", width=1180, height=820)
    studio.report("report-dark", width=1180, height=820, dark=True)
    studio.report("report-phone", width=390, height=760, dark=True)


def chromium() -> str:
    """The browser that `make setup` found or got."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        path = shutil.which(name)
        if path:
            return path
    raise SystemExit("No Chromium on PATH: run make browser.")


def all_shown(cli: Cli, ec2: LocalEC2, folder: Path, browser: Browser | None = None) -> dict[str, str]:
    """Picture -> a digest of what it shows today. With a browser, they are drawn as well."""
    source = folder / "images"
    source.mkdir()
    (source / "Pulumi.yaml").write_text(
        f"name: images\nruntime: {{name: python, options: {{virtualenv: {sys.prefix}}}}}\n"
    )
    ec2.set_time(NOW)
    shown: dict[str, str] = {}
    for number, draw in enumerate((terminals, pull_request, fleet)):
        stack = Stack.create(cli, folder / str(number), ec2, source, name="prod")
        draw(Studio(browser, stack, ec2, shown))
    return shown


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEC2() as ec2,
        sync_playwright() as playwright,
    ):
        cli = Cli(engine(), Path(folder, "pulumi-home"))
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        SHOWN.write_text(json.dumps(all_shown(cli, ec2, Path(folder), browser), indent=2) + "\n")
        browser.close()


if __name__ == "__main__":
    main()
