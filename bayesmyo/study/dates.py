"""Calendar dates as a study declares them: a pattern of YYYY, MM or MON, and DD."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from itertools import pairwise

PARTS = {"YYYY": "(?P<year>[0-9]{4})", "MON": "(?P<name>[A-Za-z]{3})", "MM": "(?P<month>[0-9]{1,2})", "DD": "(?P<day>[0-9]{1,2})"}  # fmt: skip
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CLOCK = r"(?:[ T](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?)?"
USUAL = (
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "DD-MON-YYYY",
    "DD MON YYYY",
    "YYYY/MM/DD",
)
PLAUSIBLE_YEARS = range(1900, 2101)


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The regular expression of a pattern; None where it does not name a year, a month and a day once each.

    A day or month has one or two digits, but two where other digits follow or precede it.
    """
    found = re.split("(YYYY|MON|MM|DD)", pattern)
    parts, between = found[1::2], found[::2]
    if sorted(parts) not in (["DD", "MM", "YYYY"], ["DD", "MON", "YYYY"]) or any(c.isalnum() for c in "".join(between)):
        return None
    text = "".join(PARTS.get(part) or re.escape(part) for part in found)
    together = any("MON" not in pair and not sign for pair, sign in zip(pairwise(parts), between[1:-1], strict=True))
    return re.compile((text.replace("{1,2}", "{2}") if together else text) + CLOCK)


def day_number(text: str, pattern: str) -> float | None:
    """Days since a fixed day, with the time of day as a fraction; None where the text is no date of this pattern."""
    expression = compiled(pattern)
    match = expression.fullmatch(text.strip()) if expression else None
    if match is None:
        return None
    found = match.groupdict()
    name = found.get("name")
    if name is not None and name.lower() not in MONTHS:
        return None
    month = MONTHS.index(name.lower()) + 1 if name is not None else int(found["month"])
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        day = date(int(found["year"]), month, int(found["day"])).toordinal()
    except ValueError:
        return None
    return day + (hour * 3600 + minute * 60 + second) / 86400


def has_clock(text: str, pattern: str) -> bool:
    """Whether a date says the time of the day; otherwise it is the whole day."""
    expression = compiled(pattern)
    match = expression.fullmatch(text.strip()) if expression else None
    return match is not None and match["hour"] is not None


def year(days: float) -> int:
    """The year of a day number."""
    return date.fromordinal(int(days)).year


def fitting(texts: Sequence[str], patterns: Iterable[str] = USUAL) -> list[str]:
    """The patterns that every one of these texts fits."""
    return [p for p in patterns if texts and all(day_number(t, p) is not None for t in texts)]


def strftime(pattern: str) -> str:
    """The pattern in the notation of Python's strftime."""
    words = {"YYYY": "%Y", "MON": "%b", "MM": "%m", "DD": "%d"}
    return re.sub("YYYY|MON|MM|DD", lambda found: words[found.group()], pattern)
