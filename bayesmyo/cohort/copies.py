"""Values that repeat others beyond chance.

A column filled down or as a series, rows pasted twice, one patient's values under another, one patient under two ids.
How much a repetition says, in bits, is judged by how seldom the outcome repeats itself elsewhere. Doses, grades and
scores stay as they are from visit to visit: copies are only looked for in outcomes most of whose values differ, and no
value at the end of what was measured counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from bayesmyo.cohort.cohort import MEASURED, Cohort, Measurements
from bayesmyo.cohort.table import lines_text
from bayesmyo.components.numbers import listing
from bayesmyo.study.study import Study

BITS = 10.0  # one chance in a thousand that anything in a column is as alike
OF_ROWS = 7.0  # the same, of rows that repeat the one before: one in a hundred
VARIED = 0.5  # different values of a cohort, as a share of those of each patient: the outcome seldom repeats itself
FEWEST = 12  # cells of an outcome
MOST_SHARING = 4  # patients: what more of them share is common, and says nothing
LEAST_ROWS = 3  # that two patients share who may be one
OFTEN = 12  # times that one value follows another: what comes more often is common, too
DIGITS = 9  # decimals, beyond which steps are the same


def copies(study: Study, cohort: Cohort, word: str) -> Iterator[str]:
    """What seems to be copied, and who seems to be one patient under two ids."""
    one_patient = twins(cohort)
    for lines in one_patient.values():
        alike = f"Two patients have {len(lines) // 2} rows of the same times and values"
        yield f"{alike} ({lines_text(lines, word=word)}): are they one patient? [D69]"
    columns = {name: _Column(m) for name, m in cohort.measurements.items() if not study.outcomes[name].family.ordinal}
    for name, column in columns.items():
        for lines, step in column.filled():
            how = "holds one value" if step == 0 else f"changes by {step:g} from row to row"
            where, fill = lines_text(lines, word=word), "down" if step == 0 else "as a series"
            yield f"{study.label(name)}: {how} in {len(lines)} rows ({where}): were they filled {fill}? [D75]"
    columns = {name: column for name, column in columns.items() if column.varied}
    if lines := _repeated_rows(columns):
        one, of = len(lines) == 1, listing([study.label(name) for name in columns])
        yield (
            f"{len(lines)} row{' repeats' if one else 's repeat'} the row before of the same patient in {of} "
            f"({lines_text(lines, word=word)}): {'was it' if one else 'were they'} copied? [D75]"
        )
    shared: dict[tuple[int, int], dict[str, tuple[float, list[int]]]] = defaultdict(dict)
    for name, column in columns.items():
        for pair, told in column.shared():
            if pair not in one_patient:
                shared[pair][name] = told
    needed = BITS + max((np.log2(column.pairs) for column in columns.values()), default=0.0)
    for by_outcome in shared.values():
        if sum(bits for bits, _ in by_outcome.values()) >= needed:
            lines = sorted({line for _, of_outcome in by_outcome.values() for line in of_outcome})
            same = f"the same values of {listing([study.label(name) for name in by_outcome])}, one after the other"
            where = lines_text(lines, word=word)
            yield f"Two patients have {same} ({where}): were they copied, or are they one patient? [D75]"


def twins(cohort: Cohort) -> dict[tuple[int, int], list[int]]:
    """Pairs of patients, by index, who share times and values beyond chance, and the lines of these.

    How much a shared value says is judged by how often two cells of the outcome agree; one that comes again says no
    more.
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
        for pair in combinations(people, 2) if len(people) <= MOST_SHARING else ():
            shared[pair].append(row)
    visits = Counter(p for p, _ in rows)
    share = {name: (_agreeing(m.value), _pairs(len(m))) for name, m in cohort.measurements.items()}
    alike: dict[tuple[int, int], list[int]] = {}
    for pair, same in shared.items():
        if len(same) < max(LEAST_ROWS, min(visits[p] for p in pair) / 2):
            continue
        said = 0.0
        for name, (agreeing, of) in share.items():
            own = [v for _, values in same for outcome, v in values if outcome == name]
            said += len({*own}) * _bits(max(agreeing - len(own) / of, 0.0), of)  # of the others
        if said >= BITS + np.log2(_pairs(len(cohort))):
            alike[min(pair), max(pair)] = sorted(lines[p, t] for p in pair for t, _ in same)
    return alike


class _Column:
    """The measured cells of one outcome."""

    def __init__(self, m: Measurements) -> None:
        cells = m.take(m.side == MEASURED)
        order = np.lexsort((cells.line, cells.time, cells.patient))
        self.patient, self.value, self.line = cells.patient[order], cells.value[order], cells.line[order]
        self.before = np.flatnonzero(self.patient[1:] == self.patient[:-1])  # cells with a next of the same patient
        self.ends = {float(cells.value.min()), float(cells.value.max())} if len(cells) else set()
        own = {*zip(cells.patient.tolist(), cells.value.tolist(), strict=True)}
        self.varied = len(cells) >= FEWEST and len({v for _, v in own}) >= VARIED * len(own)
        self.pairs = _pairs(len(cells))

    def filled(self) -> Iterator[tuple[list[int], float]]:
        """Lines of rows, one below the other, whose values change by one step again and again, or not; and the step."""
        order = np.argsort(self.line)
        patient, value, line = self.patient[order], self.value[order], self.line[order].tolist()
        steps = np.round(np.diff(value), DIGITS)
        counts = {float(step): int(n) for step, n in zip(*np.unique(steps, return_counts=True), strict=True)}
        alike = sum(n * (n - 1) for n in counts.values())  # ordered pairs of steps that agree
        ends = np.flatnonzero(np.append(np.diff(steps) != 0, True)[: len(steps)])  # of steps that come again and again
        for first, last in zip([0, *(ends[:-1] + 1).tolist()], ends.tolist(), strict=False):
            step, run = float(steps[first]), last - first + 1
            again = last - first + (step == 0)
            if again <= 1:
                continue
            several = len({*patient[first : last + 2].tolist()}) > 1  # one patient's dose may well fall by steps
            if (self.varied or (several and step != 0)) and (step != 0 or float(value[first]) not in self.ends):
                # what is said of the other steps, without those of this run
                others, mine = len(steps) - run, counts[step]
                agreeing, of = mine - run, float(max(others, 1))
                if step != 0:
                    agreeing = alike - mine * (mine - 1) + (mine - run) * (mine - run - 1)
                    of = float(max(others * (others - 1), 1))
                bits = _bits(agreeing / of, others if step == 0 else others**2 / 2)
                if again * bits >= BITS + np.log2(len(value)):
                    yield line[first : last + 2], step

    def steps(self) -> tuple[list[int], list[int], list[float], list[float]]:
        """Of each cell that has a next one: its line and the next line, its value and the next value."""
        now, then = self.before, self.before + 1
        return self.line[now].tolist(), self.line[then].tolist(), self.value[now].tolist(), self.value[then].tolist()

    def shared(self) -> Iterator[tuple[tuple[int, int], tuple[float, list[int]]]]:
        """Pairs of patients with successive values in common: how much that says, in bits, and the lines."""
        patient, value = self.patient.tolist(), self.value.tolist()
        places: dict[tuple[float, float], list[int]] = defaultdict(list)
        for k in self.before.tolist():
            places[value[k], value[k + 1]].append(k)
        starts = [
            (a, b)
            for at in places.values()
            if len(at) <= OFTEN and 1 < len({patient[k] for k in at}) <= MOST_SHARING
            for a, b in combinations(at, 2)
            if patient[a] != patient[b]
        ]
        best: dict[tuple[int, int], list[int]] = {}
        reached: dict[int, int] = {}  # distance of two positions -> up to where what they begin has been followed
        for a, b in sorted(starts):
            if a >= reached.get(b - a, 0):
                pair, run = (patient[a], patient[b]), _run(patient, value, a, b)
                best[pair] = max(best.get(pair, []), run, key=len)
                reached[b - a] = a + len(run) // 2 - 1
        if not best:
            return
        same = max(_agreeing(self.value) - sum(len(run) / 2 for run in best.values()) / self.pairs, 0.0)
        steps = self.value[self.before + 1] - self.value[self.before]
        pairs = _pairs(len(steps))
        alike = max(_agreeing(np.round(steps, DIGITS)) - sum(len(run) / 2 - 1 for run in best.values()) / pairs, 0.0)
        for pair, run in best.items():
            values = len({*self.value[run].tolist()} - self.ends)  # one that comes again says no more
            if values > 1:
                yield pair, (_bits(same, self.pairs) + (values - 1) * _bits(alike, pairs), self.line[run].tolist())


def _run(patient: list[int], value: list[float], a: int, b: int) -> list[int]:
    """The positions of the cells that two patients have in common from two positions on."""
    n = 0
    while (
        max(a, b) + n < len(value)
        and patient[a] == patient[a + n]
        and patient[b] == patient[b + n]
        and value[a + n] == value[b + n]
    ):
        n += 1
    return [*range(a, a + n), *range(b, b + n)]


def _repeated_rows(columns: dict[str, _Column]) -> list[int]:
    """Lines of rows that hold, in every outcome, what the patient's row before holds."""
    same: dict[tuple[int, int], dict[str, bool]] = defaultdict(dict)  # a row and the one before -> of each outcome
    for name, column in columns.items():
        for before, line, value, then in zip(*column.steps(), strict=True):
            same[before, line][name] = value == then
    repeats = {key for key, by in same.items() if len(by) == len(columns) > 1 and all(by.values())}
    if not repeats:
        return []
    bits = 0.0
    for column in columns.values():
        telling, others = 0, []
        for before, line, value, then in zip(*column.steps(), strict=True):
            says = value == then and then not in column.ends
            if (before, line) in repeats:
                telling += says
            else:
                others.append(says)
        bits += telling * _bits(sum(others) / max(len(others), 1), len(others))
    # where these may lie
    places = len(repeats) * np.log2(len(same)) - sum(np.log2(k) for k in range(2, len(repeats) + 1))
    return sorted(line for _, line in repeats) if bits >= OF_ROWS + places else []


def _pairs(n: int) -> float:
    return max(n * (n - 1) / 2, 1.0)


def _agreeing(values: np.ndarray) -> float:
    """The share of pairs of values that are the same."""
    counts = np.unique(values, return_counts=True)[1]
    return float(np.sum(counts * (counts - 1.0)) / (2 * _pairs(len(values))))


def _bits(share: float, of: float) -> float:
    """What one more repetition says where a share of so many repeat; half of one is added: none is no proof of none."""
    return -float(np.log2((share * of + 0.5) / (of + 1)))
