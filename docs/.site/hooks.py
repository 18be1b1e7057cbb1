"""What the site has that docs/ has not: the changelog, and files that pages link to."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
CHANGELOG = "changelog.md"
_LINK = re.compile(r"\]\((?P<target>(?:\.\./)+[^)#\s]+)(?P<anchor>#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the changelog as a page, and under files/ what is linked to and not in docs/."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    # links of the changelog are seen from the repository's root
    inside = re.sub(r"\]\(docs/", "](", text)
    files.append(File.generated(config, CHANGELOG, content=inside))
    linked = {
        place
        for file in files.documentation_pages()
        if file.src_uri != CHANGELOG
        for match in _LINK.finditer(file.content_string)
        if (place := _outside(match["target"], file.src_uri)) is not None
    }
    for place in sorted(linked):
        files.append(
            File.generated(
                config,
                f"files/{place}.txt",
                content=(ROOT / place).read_bytes(),
                inclusion=InclusionLevel.NOT_IN_NAV,
            )
        )
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files outside of docs/ lead to their copies; what is missing stays, and warns."""

    def rewritten(match: "re.Match[str]") -> str:
        place = _outside(match["target"], page.file.src_uri)
        if place is None:
            return match[0]
        up = posixpath.relpath(f"files/{place}.txt", posixpath.dirname(page.file.src_uri) or ".")
        return f"]({up})"

    return _LINK.sub(rewritten, markdown)


def _outside(target: str, page: str) -> str | None:
    """The path from the root of a file that is not in docs/, of a folder its README; else None."""
    place = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
    if (ROOT / place).is_dir():
        place = f"{place}/README.md"
    if place.startswith(("docs/", "..")) or not (ROOT / place).is_file():
        return None
    return place
