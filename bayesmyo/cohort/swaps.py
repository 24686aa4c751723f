"""Day and month taken for each other: what a column of dates looks like after a program has read one as the other."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bayesmyo.cohort.parts import Part, Parts, columns_of_times
from bayesmyo.cohort.table import lines_text
from bayesmyo.study.dates import day_number, day_of_month, swapped, the_other_way
from bayesmyo.study.study import Study

# dates, and days of the month among them, of which chance would put some after the twelfth (p < 0.0002)
MANY, DISTINCT = 10, 6
INVERTED = 2  # visits before an earlier row of the same patient


def swap_notices(study: Study, parts: Parts) -> Iterator[str]:
    """What a reader should know of each column of dates; no date is shown."""
    for column in columns_of_times(study) if study.time.date else ():
        part = parts.holding(column) if column != study.time.column else parts.visits
        pattern, texts = study.time.date or "", part.table.column(column)
        lines = {n: line for n, line in enumerate(part.table.lines) if day_number(texts[n], pattern) is not None}
        if not lines or "MON" in pattern:
            continue
        early = all(swapped(texts[n], pattern) for n in lines)
        days = {day_number(texts[n], pattern) for n in lines}
        if early and len(days) >= MANY and len({day_of_month(d) for d in days if d is not None}) >= DISTINCT:
            every = f'Column "{column}": every date lies within the first twelve days of its month'
            yield f"{every}: were day and month swapped, or other dates lost? [D38]"
        if column == study.time.column and (rows := _would_be_in_order(part, texts, pattern)):
            yield (
                f'Column "{column}": visits are out of order, and would be in order if day and month were swapped '
                f"({lines_text(rows, word=part.table.word)}): was one taken for the other? [D38]"
            )


def _would_be_in_order(part: Part, texts: Sequence[str], pattern: str) -> list[int]:
    """Lines of the dates that can be swapped, where that alone puts every patient's visits in order; else none."""
    rows = [(p, n) for n, p in enumerate(part.ids) if day_number(texts[n], pattern) is not None]
    now = [(p, day_number(texts[n], pattern) or 0.0) for p, n in rows]
    then = [(p, day_number(the_other_way(texts[n], pattern), pattern) or 0.0) for p, n in rows]
    if _inversions(now) < INVERTED or _inversions(then):
        return []
    return [part.table.lines[n] for (_, n), a, b in zip(rows, now, then, strict=True) if a != b]


def _inversions(moments: Sequence[tuple[str, float]]) -> int:
    """How many rows lie before an earlier row of the same patient, where a patient's rows are together."""
    return sum(p == q and later < earlier for (p, earlier), (q, later) in pairwise(moments))
