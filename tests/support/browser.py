"""Visits to a page in a real Chromium, for the tests of the HTML report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Nothing of Chromium's own may go to the network either; a root user has no sandbox.
FLAGS = (
    *("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-gpu", "--no-first-run"),
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Every visible text with less contrast than 4.5 to 1 to the nearest ground that is painted behind it.
CONTRAST = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    if (["SCRIPT", "STYLE", "title", "desc"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = rgb(element.closest("svg") ? style.fill : style.color);
    const [one, two] = [light(ink), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    seen += 1;
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute("class")}`);
  }
  if (seen < 50) faint.push(`only ${seen} texts were looked at`);
  return faint;
}"""


class Visit:
    """A page that was opened, and what it said and asked for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)

    def names(self) -> list[str]:
        """The images that the table shows, from top to bottom."""
        shown: list[str] = self.page.eval_on_selector_all(
            "tbody tr",
            "rows => rows.filter(r => r.offsetParent).map(r => r.cells[0].firstElementChild.textContent)",
        )
        return shown

    def column(self, heading: str) -> list[str]:
        cells: list[str] = self.page.eval_on_selector_all(
            f'tbody tr:not([hidden]) [data-label="{heading}"]',
            "cells => cells.map(c => c.textContent.trim())",
        )
        return cells

    def sort_by(self, heading: str) -> str | None:
        """Press the column's button; returns the column's state."""
        self.page.get_by_role("button", name=heading, exact=True).click()
        return self.page.get_by_role("columnheader", name=heading).get_attribute("aria-sort")
