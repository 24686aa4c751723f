"""Calendar dates as a study declares them: a pattern of YYYY or YY, MM or MON, and DD."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from itertools import pairwise

PARTS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<short>[0-9]{2})",
    "MON": r"(?P<name>[^\W\d_]{3,10}\.?)",
    "MM": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{1,2})",
}
SPLIT = "(YYYY|YY|MON|MM|DD)"
# by month, in English, German, French, Spanish, Italian, Portuguese, Dutch and the Scandinavian languages, without
# accents; each may be cut short to three letters or more, where that says which month it is
NAMES = (
    "january januar januari janvier enero gennaio janeiro", "february februar februari fevrier febrero febbraio fevereiro",
    "march marz maerz mars marzo marco maart mrt mrz", "april avril abril aprile", "may mai mayo maggio maio mei maj",
    "june juni juin junio giugno junho", "july juli juillet julio luglio julho", "august aout agosto augustus augusti",
    "september septembre septiembre settembre setembro", "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro", "december dezember decembre diciembre dicembre dezembro desember",
)  # fmt: skip
CENTURY = 69  # years of two digits are 1969 to 2068, as POSIX has them
CLOCK = (
    r"(?:[ T](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"[ ]?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
USUAL = [
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "DD-MON-YYYY",
    "DD MON YYYY",
    "YYYY/MM/DD",
]
SHORT = ("DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD-MM-YY", "DD-MON-YY", "DD MON YY", "YY-MM-DD", "YY/MM/DD")
WHOLE = [{year, month, "DD"} for year in ("YYYY", "YY") for month in ("MM", "MON")]
PLAUSIBLE_YEARS = range(1900, 2101)


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The regular expression of a pattern; None where it does not name a year, a month and a day once each.

    YYYY or YY, MM or MON (a name of the month), and DD; a clock may follow, and an offset from UTC (Z, +02:00).

    A day or month has one or two digits, but two where other digits follow or precede it.
    """
    split = re.split(SPLIT, pattern)
    parts, between = split[1::2], split[::2]
    if len(parts) != 3 or {*parts} not in WHOLE or any(c.isalnum() for c in "".join(between)):
        return None
    text = "".join(PARTS.get(part) or re.escape(part) for part in split)
    together = any("MON" not in pair and not sign for pair, sign in zip(pairwise(parts), between[1:-1], strict=True))
    return re.compile((text.replace("{1,2}", "{2}") if together else text) + CLOCK)


def month_named(name: str) -> int | None:
    """The month of a name, cut short or not, in any of the languages that are known; None where it is none of them, or
    of several."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    folded = "".join(c for c in parts if not unicodedata.combining(c)).rstrip(".")
    months = [n for n, names in enumerate(NAMES, 1) if any(known.startswith(folded) for known in names.split())]
    return months[0] if len(months) == 1 and len(folded) >= 3 else None


def _matched(text: str, pattern: str) -> re.Match[str] | None:
    expression = compiled(pattern)
    return expression.fullmatch(text.strip()) if expression else None


def day_number(text: str, pattern: str) -> float | None:
    """When a date is.

    Parameters
    ----------
    pattern
        As a study declares it, "DD.MM.YYYY".

    Returns
    -------
    float or None
        Days since a fixed day, with the time of day as a fraction, in UTC where the clock says its offset; None where
        the text is no date of this pattern.
    """
    match = _matched(text, pattern)
    if match is None:
        return None
    said = match.groupdict()
    month = month_named(said["name"]) if said.get("name") is not None else int(said["month"])
    hour, minute, second = (int(said[part] or 0) for part in ("hour", "minute", "second"))
    if month is None or hour > 23 or minute > 59 or second > 59:
        return None
    short = said.get("short")
    in_full = int(said["year"]) if short is None else int(short) + (1900 if int(short) >= CENTURY else 2000)
    try:
        day = date(in_full, month, int(said["day"])).toordinal()
    except ValueError:
        return None
    return day + (hour * 3600 + minute * 60 + second) / 86400 - _offset(said["offset"])


def _offset(text: str | None) -> float:
    """An offset from UTC in days: `+02:00` is a twelfth."""
    if text is None or text == "Z":
        return 0.0
    digits = text[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) / 1440 * (-1 if text[0] == "-" else 1)


def has_clock(text: str, pattern: str) -> bool:
    """Whether a date says the time of the day; otherwise it is the whole day."""
    return _says(text, pattern, "hour")


def has_offset(text: str, pattern: str) -> bool:
    """Whether a date says how far its clock is from UTC."""
    return _says(text, pattern, "offset")


def _says(text: str, pattern: str, part: str) -> bool:
    match = _matched(text, pattern)
    return match is not None and match[part] is not None


def swapped(text: str, pattern: str) -> bool:
    """Whether the day and the month of a date could each be the other: both are numbers of at most twelve."""
    match = _matched(text, pattern)
    return match is not None and "month" in match.groupdict() and int(match["day"]) <= 12 and int(match["month"]) <= 12


def the_other_way(text: str, pattern: str) -> str:
    """A date with its day and month in each other's place, where each could be the other; else as it is."""
    match = _matched(text, pattern)
    if match is None or not swapped(text, pattern):
        return text
    signs = list(text.strip())
    (a, b), (c, d) = sorted((match.span("day"), match.span("month")))
    first, second = signs[a:b], signs[c:d]
    return "".join([*signs[:a], *second, *signs[b:c], *first, *signs[d:]])


def day_of_month(days: float) -> int:
    """The day of the month of a day number."""
    return date.fromordinal(int(days)).day


def year(days: float) -> int:
    """The year of a day number."""
    return date.fromordinal(int(days)).year


def fitting(texts: Sequence[str], patterns: Iterable[str] = USUAL) -> list[str]:
    """The patterns that every one of these texts fits."""
    return [p for p in patterns if texts and all(day_number(t, p) is not None for t in texts)]


def strftime(pattern: str) -> str:
    """The pattern in the notation of Python's strftime."""
    words = {"YYYY": "%Y", "YY": "%y", "MON": "%b", "MM": "%m", "DD": "%d"}
    return re.sub(SPLIT, lambda part: words[part.group()], pattern)
