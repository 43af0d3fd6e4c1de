"""HTML from templates: the environment with the filters that the pages and the report share."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from ...graphstore.paths.answers import Answer
from ...ontology.literals import from_microseconds
from ..presentation.wording import origin_text, reason_text, short_time, short_value, value_text

_DASH: Final = "–"


def asset(folder: str, name: str) -> str:
    """The text of a file that ships with this package."""
    return (files(__package__) / folder / name).read_text("utf-8")


def environment() -> Environment:
    """Templates escape what they show, and fail on a name they were not given."""
    made = Environment(
        loader=FunctionLoader(lambda name: asset("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "digits": digits,
        "signed": signed,
        "plain": plain,
        "moment": short_time,
        "microseconds": lambda time: short_time(from_microseconds(time)),
        "origin": origin_text,
        "value": value_text,
        "short": short_value,
        "reason": reason_text,
    }
    return made


def digits(value: float | None, places: int) -> str:
    """A number with so many decimals; a dash for none."""
    return _DASH if value is None else f"{value:.{places}f}"


def signed(value: float | None) -> str:
    """A difference with its sign and two decimals; a dash for none."""
    return _DASH if value is None else f"{value:+.2f}".replace("-", "−")


def plain(answer: Answer | None, places: int) -> str:
    """The number of an answer without its unit; a dash for none."""
    return digits(None if answer is None else float(answer), places)


def render(made: Environment, name: str, **values: Any) -> str:
    """One template as text."""
    return made.get_template(name).render(**values)
