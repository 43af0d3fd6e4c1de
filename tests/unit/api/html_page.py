"""HTML of a page as these tests read it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "img", "input", "br", "source", "rect", "circle", "line"}


class Page(HTMLParser):
    """Checks that tags are balanced, and collects addresses and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        for name, value in attrs:
            if name in ("href", "src", "action") and value is not None:
                self.addresses.append(value)
            if name == "srcset" and value is not None:
                self.addresses.append(value.split()[0])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def check_page(response: Any) -> Page:
    """A well-formed page that loads nothing from elsewhere and runs nothing."""
    page = Page(response.text)
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in page.addresses)
    assert "style" not in page.attributes
    assert not any(name.startswith("on") for name in page.attributes)
    assert "<script" not in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    return page
