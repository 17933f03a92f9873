"""What a screen keeps from somebody: axe-core's serious findings, targets too small to touch."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from edge import assets

# Of the kiosk's touch screen, in CSS pixels; axe-core itself asks for 24.
TOUCH = 48
_GRAVE = ("serious", "critical")
_RULES = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) =>
  found.violations.map(({id, impact, nodes}) => ({
    id, impact, nodes: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`)
  })))"""
# A link inside a sentence is as high as its line (WCAG 2.5.8 leaves it out too).
_SMALL = """(least) => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary, [role=button], [role=tab]")]
  .filter((one) => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}))
  .filter((one) => !one.closest("p:not(:has(> a:only-child))") || one.tagName !== "A")
  .map((one) => {
    const label = one.closest("label") ?? one;
    const {width, height} = label.getBoundingClientRect();
    return {
      what: one.outerHTML.slice(0, 120), width: Math.round(width), height: Math.round(height)
    };
  })
  .filter(({width, height}) => width && height && (width < least || height < least))"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend on one screen."""

    screen: str
    rule: str
    where: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.screen}: {self.rule}: {self.where}"


class Examiner:
    """Looks at screens, one after another. ``findings``: of all of them."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.screens = 0
        self._axe = assets.path("tests/axe.min.js").read_text("utf-8")

    def look(self, page: Page, screen: str, touched: bool) -> None:
        """Examine what *page* shows; *touched*: by a finger."""
        self.screens += 1
        page.evaluate(self._axe)
        for found in page.evaluate(_RULES):
            if found["impact"] in _GRAVE:
                for node in found["nodes"]:
                    self.findings.append(Finding(screen, found["id"], " ".join(node.split())))
        if touched:
            for small in page.evaluate(_SMALL, TOUCH):
                size = f"{small['width']}×{small['height']} px: {small['what']}"
                self.findings.append(Finding(screen, "target under 48 px", size))
