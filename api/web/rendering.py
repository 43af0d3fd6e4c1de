"""HTML from templates: the environment with its filters, and the frame that all pages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from ...errors import VoltwinError
from ...ontology.literals import from_microseconds
from ..presentation.wording import bare_value, origin_text, short_time, short_value, source_text, symbol, value_text

_DASH: Final = "–"
_SVG_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class NavigationEntry:
    """A link in the header of every page."""

    label: str
    address: str


@dataclass(frozen=True)
class PageFrame:
    """Renders templates with the navigation of the fleet; errors become pages too."""

    navigation: Callable[[], Sequence[NavigationEntry]]
    templates: Environment

    def with_templates(self, templates: Environment) -> PageFrame:
        """The same frame with the templates of a view: an :func:`environment` of its package."""
        return PageFrame(self.navigation, templates)

    def page(self, template: str, here: str, read: Callable[[], Mapping[str, Any]]) -> Response:
        """The page with the values that ``read`` returns; ``here`` is the address of its entry in the navigation."""
        frame = {"here": here, "navigation": self.navigation()}
        try:
            return HTMLResponse(render(self.templates, template, **frame, **read()))
        except VoltwinError as error:
            title = "Not found" if error.status == 404 else "That did not work"
            text = render(self.templates, "error.html", **frame, title=title, message=str(error))
            return HTMLResponse(text, error.status)


def asset(folder: str, name: str, package: str = __package__) -> str:
    """The text of a file that ships with ``package``, or with the platform's pages."""
    return (files(package) / folder / name).read_text("utf-8")


def static_files() -> StaticFiles:
    """The style sheet and the icon."""
    return StaticFiles(directory=str(files(__package__) / "static"))


def svg(body: bytes) -> Response:
    """A plot as a response; its policy allows its own styles and nothing else."""
    return Response(body, media_type="image/svg+xml", headers={"Content-Security-Policy": _SVG_POLICY})


def environment(package: str = __package__, filters: Mapping[str, Callable[..., Any]] | None = None) -> Environment:
    """Templates of ``package``, then of the platform; they escape values and fail on a missing name."""

    def load(name: str) -> str | None:
        for place in (package, __package__):
            file = files(place) / "templates" / name
            if file.is_file():
                return file.read_text("utf-8")
        return None

    made = Environment(
        loader=FunctionLoader(load), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "digits": digits,
        "moment": short_time,
        "microseconds": lambda time: short_time(from_microseconds(time)),
        "origin": origin_text,
        "source": source_text,
        "symbol": symbol,
        "value": value_text,
        "bare": bare_value,
        "short": short_value,
        **(filters or {}),
    }
    return made


def digits(value: float | None, places: int) -> str:
    """A number with so many decimals; a dash for none."""
    return _DASH if value is None else f"{value:.{places}f}"


def render(made: Environment, name: str, **values: Any) -> str:
    """One template as text."""
    return made.get_template(name).render(**values)
