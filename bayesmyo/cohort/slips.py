"""Slips of the pen in whom a row is about: ids that may be one, rows out of their place."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from bayesmyo.cohort.spelling import slips
from bayesmyo.cohort.table import lines_text

LEAST_ROWS = 3  # of patients who say when others have been seen
TOGETHER = 0.6  # share of patients, above which to begin together is usual
USUAL = 0.9  # share of rows or patients above which what the others do is unusual

Rows = Sequence[tuple[int, str, float]]  # line, patient and time of each row that is used


def ids(rows: Rows, word: str) -> Iterator[str]:
    """Ids that may be another's, written otherwise; or else are unlike all others."""
    first = {p: n for n, p, _ in reversed(rows)}
    first = {p: first[p] for _, p, _ in rows}
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for slip, group in slips(first):
        alike[slip.name, slip.code] += [first[p] for p in group]
    for (name, code), lines in alike.items():
        some = f"Some patient ids differ only in {name} ({lines_text(sorted({*lines}), word=word)})"
        yield f"{some}: are they one patient? Here they are different patients. [{code}]"
    padded = any(re.search(r"(?<!\d)0\d", p) for p in first)  # then 07 and 012 are unlike; 7 and 12 never are
    digits = r"\d" if padded else r"\d+"
    shapes = {p: re.sub(r"[^\W\d_]", "a", re.sub(digits, "9", p)) for p in first}
    common, count = Counter(shapes.values()).most_common(1)[0]
    if USUAL * len(first) <= count < len(first) and not alike:
        odd = [n for n, p, _ in rows if shapes[p] != common]
        yield f"Patient ids unlike the others: {lines_text(odd, word=word)}. [D52]"


def order(rows: Rows, word: str) -> Iterator[str]:
    """Rows that stand apart from the others of their patient, or before an earlier one."""
    patients = {p for _, p, _ in rows}
    starts = [(n, p) for (_, q, _), (n, p, _) in pairwise([(0, "", 0.0), *rows]) if p != q]
    blocks = Counter(p for _, p in starts)
    apart = [p for p in blocks if blocks[p] > 1]
    if apart and len(apart) <= (1 - USUAL) * len(patients) + 1:
        strays = [n for n, p in starts if p in apart]
        yield f"Rows of one patient are apart, though others' are together: {lines_text(strays, word=word)}. [D53]"
    by_patient: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for n, p, t in rows:
        by_patient[p].append((n, t))
    back = [n for own in by_patient.values() for (_, earlier), (n, t) in pairwise(own) if t < earlier]
    if back and len(back) <= (1 - USUAL) * len(rows):
        yield f"Visits out of order, though others are in order: {lines_text(back, word=word)}. [D51]"


def late(rows: Rows, word: str, unit: str) -> Iterator[str]:
    """Patients who are first seen when the others, who begin together, have been seen three times."""
    times: dict[str, list[float]] = defaultdict(list)
    for _, p, t in rows:
        times[p].append(t)
    visits = [sorted({*own}) for own in times.values()]
    often = [own for own in visits if len(own) >= LEAST_ROWS]
    if len(often) < max(LEAST_ROWS, len(visits) / 3):
        return
    second, third = (float(np.median([own[k] for own in often])) for k in (1, 2))
    behind = {p for p, own in times.items() if min(own) > third}
    together = sum(own[0] < second for own in visits)
    if behind and together >= TOGETHER * len(visits):
        first = {p: n for n, p, _ in reversed(rows) if p in behind}
        one, where = len(behind) == 1, lines_text(sorted(first.values()), word=word)
        yield (
            f"{len(behind)} of {len(visits)} patients {'is' if one else 'are'} first seen after {unit} {third:.4g}, "
            f"when most have been seen three times ({where}): are these rows another patient's, or is time counted "
            "from the wrong day? [D39]"
        )
