"""Looks at pages in a headless Chromium, where there is one."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
from numpy.typing import NDArray

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 90


class Picture(TypedDict):
    """label: for those who cannot see it. drawn: elements that leave ink. Its box, in pixels."""

    label: str | None
    drawn: int
    width: float
    height: float


class Look(TypedDict):
    """errors: of scripts and loading. scroll: width of the page. contrast: of text to paper.

    ids: all of them, sorted. headings: their levels. missing: links to nowhere.
    """

    errors: list[str]
    pictures: list[Picture]
    scroll: float
    contrast: float
    ids: list[str]
    headings: list[int]
    missing: list[str]


ERRORS = """<script>
window.found = [];
window.addEventListener('error', event => window.found.push(String(event.message)), true);
</script>"""
LOOK = """<script>
window.addEventListener('load', () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const shine = color => {
    const part = color.match(/[\\d.]+/g).slice(0, 3).map(n => n / 255)
      .map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2] + 0.05;
  };
  const style = getComputedStyle(document.body);
  const shines = [shine(style.color), shine(style.backgroundColor)].sort((a, b) => b - a);
  const pictures = all('svg, canvas').map(svg => {
    const box = svg.getBoundingClientRect();
    const drawn = [...svg.querySelectorAll('path, rect, circle, line, image, use, text')]
      .filter(each => !each.closest('defs, clipPath'))
      .filter(each => each.getBoundingClientRect().width + each.getBoundingClientRect().height > 0);
    const labeled = svg.closest('[aria-label]');
    return {label: labeled && labeled.getAttribute('aria-label'), drawn: drawn.length,
            width: box.width, height: box.height};
  });
  const look = {
    errors: window.found, pictures, scroll: document.documentElement.scrollWidth,
    contrast: shines[0] / shines[1], ids: all('[id]').map(each => each.id).sort(),
    headings: all('h1, h2, h3').map(each => Number(each.tagName[1])),
    missing: all('a[href^="#"]').map(each => each.getAttribute('href').slice(1))
      .filter(name => !document.getElementById(name)),
  };
  parent.postMessage(JSON.stringify({name: window.name, look}), '*');
});
</script>"""
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body><script>
const found = {};
addEventListener('message', event => {
  const {name, look} = JSON.parse(event.data);
  found[name] = look;
  document.getElementById('found').textContent = JSON.stringify(found);
});
</script>%s<pre id="found"></pre></body>"""


class Browser:
    """command: of the browser."""

    def __init__(self, command: str) -> None:
        self._command = command

    def look(self, pages: Sequence[Path], width: int, dark: bool, folder: Path) -> dict[str, Look]:
        """By the name of each page's folder: what it is like, `width` pixels wide."""
        frames = []
        for number, page in enumerate(pages):
            text = page.read_text(encoding="utf-8")
            seen = folder / f"page{number}.html"
            seen.write_text(text.replace("<head>", f"<head>{ERRORS}", 1) + LOOK, encoding="utf-8")
            frames.append(
                f'<iframe name="{page.parent.name}" src="{seen.name}" width="{width}" '
                'height="900" style="border:0"></iframe>'
            )
        harness = folder / "look.html"
        harness.write_text(FRAME % "".join(frames), encoding="utf-8")
        dom = self._run(harness, dark, folder, "--dump-dom", "--virtual-time-budget=10000")
        shown = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
        assert shown is not None, dom[-2000:]
        found: dict[str, Look] = json.loads(unescape(shown.group(1)))
        assert set(found) == {page.parent.name for page in pages}
        return found

    def screenshot(
        self, page: Path, width: int, height: int, dark: bool, folder: Path
    ) -> NDArray[np.uint8]:
        """Gray, flat: 0 black to 255 white."""
        from PIL import Image

        shot = folder / "shot.png"
        self._run(
            page, dark, folder, "--hide-scrollbars", f"--window-size={width},{height}",
            f"--screenshot={shot}",
        )  # fmt: skip
        with Image.open(shot) as image:
            return np.asarray(image.convert("L")).reshape(-1)

    def _run(self, page: Path, dark: bool, folder: Path, *options: str) -> str:
        colors = ["--blink-settings=preferredColorScheme=0"] if dark else []
        done = subprocess.run(
            [
                self._command, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                f"--user-data-dir={folder / 'profile'}", *colors, *options, page.as_uri(),
            ],
            capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


def browser_or_skip() -> Browser:
    """Skips where there is none."""
    command = next(filter(None, map(shutil.which, NAMES)), None)
    if command is None:
        pytest.skip(f"there is no browser ({', '.join(NAMES)}) to look at the page with")
    return Browser(command)
