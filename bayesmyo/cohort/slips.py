"""Slips of the pen in whom a row is about: ids that may be one, patients who may be one, rows out of their place."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.spelling import slips
from bayesmyo.cohort.table import lines_text

LEAST_ROWS = 3  # that two patients share
MOST_SHARING = 4  # patients: what more of them share is common, and says nothing
BITS = 10.0  # one chance in a thousand that any two patients are as alike
TOGETHER = 0.6  # share of patients, above which to begin together is usual
USUAL = 0.9  # share of rows or patients above which what the others do is unusual

Rows = Sequence[tuple[int, str, float]]  # line, patient and time of each row that is used


def ids(rows: Rows, word: str) -> Iterator[str]:
    """Ids that may be another's, written otherwise; or else are unlike all others."""
    first: dict[str, int] = {}
    for n, p, _ in rows:
        first.setdefault(p, n)
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for slip, group in slips(first):
        alike[slip.name, slip.code] += [first[p] for p in group]
    for (name, code), lines in alike.items():
        where = lines_text(sorted({*lines}), word=word)
        yield f"Some patient ids differ only in {name} ({where}): are they one patient? Here they are different patients. [{code}]"
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
        first: dict[str, int] = {}
        for n, p, _ in rows:
            if p in behind:
                first.setdefault(p, n)
        one = len(behind) == 1
        yield (
            f"{len(behind)} of {len(visits)} patients {'is' if one else 'are'} first seen after {unit} {third:.4g}, when most have been "
            f"seen three times ({lines_text([*first.values()], word=word)}): are these rows another patient's, or is time counted from "
            "the wrong day? [D39]"
        )


def twins(cohort: Cohort) -> dict[tuple[int, int], list[int]]:
    """Pairs of patients, by index, who share times and values beyond chance, one patient's rows, twice; with the lines of these.

    How much a shared value says is judged by how often two cells of the outcome agree at all; a value that comes again says no more.
    """
    rows: dict[tuple[int, float], list[tuple[str, float]]] = defaultdict(list)
    lines: dict[tuple[int, float], int] = {}
    for name, m in cohort.measurements.items():
        for p, t, v, line in zip(m.patient.tolist(), m.time.tolist(), m.value.tolist(), m.line.tolist(), strict=True):
            rows[p, t].append((name, v))
            lines[p, t] = line
    sharing: dict[tuple[float, tuple[tuple[str, float], ...]], list[int]] = defaultdict(list)
    for (p, t), values in rows.items():
        sharing[t, tuple(values)].append(p)
    shared: dict[tuple[int, int], list[tuple[float, tuple[tuple[str, float], ...]]]] = defaultdict(list)
    for row, people in sharing.items():
        if 1 < len(people) <= MOST_SHARING:
            for pair in combinations(people, 2):
                shared[pair].append(row)
    visits, pairs = Counter(p for p, _ in rows), len(cohort) * (len(cohort) - 1) / 2
    agreeing = {name: _agreeing(m.value) for name, m in cohort.measurements.items()}
    alike: dict[tuple[int, int], list[int]] = {}
    for pair, same in shared.items():
        if len(same) >= max(LEAST_ROWS, min(visits[p] for p in pair) / 2):
            cells = [cell for _, values in same for cell in values]
            said = sum(_bits(*agreeing[name], [v for of, v in cells if of == name]) for name in agreeing)
            if said >= BITS + np.log2(pairs):
                alike[min(pair), max(pair)] = sorted(lines[p, t] for p in pair for t, _ in same)
    return alike


def _agreeing(values: np.ndarray) -> tuple[float, float]:
    """How many pairs of cells of an outcome agree, and how many there are."""
    counts = np.unique(values, return_counts=True)[1]
    return float(np.sum(counts * (counts - 1.0)) / 2), len(values) * (len(values) - 1) / 2


def _bits(agreeing: float, pairs: float, shared: Sequence[float]) -> float:
    """What two patients who share these cells of an outcome have in common, in bits."""
    chance = (max(agreeing - len(shared), 0.0) + 0.5) / (pairs + 1)  # of the others
    return -len({*shared}) * float(np.log2(chance))
