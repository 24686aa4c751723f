"""What is noted of simulated cohorts is true of them, and what is true of them is noted. Each notice has a case in
the corpus.
"""

import csv
import io
import re
from collections import Counter, defaultdict

import pytest

from bayesmyo.cohort import to_csv
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import lines_text, parse_table
from bayesmyo.errors import CohortError
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study, read_study
from tests.conftest import MODELS

LINES = re.compile(r"(?:lines?|rows?) \d+(?:, \d+)*(?: and \d+ more)?", re.IGNORECASE)


def read(study, text):
    return cohort_of(study, parse_table(text.encode(), "cohort.csv", study.data))


def said(notices):
    """(code, lines) of each notice."""
    named = [(n[-4:-1], LINES.search(n)) for n in notices]
    return Counter((code, found.group().lower() if found else "") for code, found in named)


def outside(rows, column, low, high):
    """Lines of the cells beyond two ends, from the text alone."""
    numbers = [(n, float(row[column])) for n, row in enumerate(rows, 2) if row[column]]
    return [n for n, v in numbers if (low is not None and v < low) or (high is not None and v > high)]


def true_of(study, rows):
    """(code, lines) of the notices that simulated rows deserve, counted in their text."""
    visits, levels = Counter(row["patient"] for row in rows), defaultdict(dict)
    for name, c in study.covariates.items():
        levels[name] = Counter({row["patient"]: row[name] for row in rows}.values()) if c.levels else {}
    single = [n for n, row in enumerate(rows, 2) if visits[row["patient"]] == 1]
    found = Counter([("D39", lines_text(single))] if single else [])
    for o in study.outcomes.values():
        if o.plausible and (odd := outside(rows, o.column, *o.plausible)):
            found["D61", lines_text(odd)] += 1
    found["D40", ""] += sum(count == 1 for counts in levels.values() for count in counts.values())
    contrasted = {
        (e.contrast.covariate, level)
        for e in study.estimands.values()
        if e.contrast
        for level in (e.contrast.level, e.contrast.reference)
    }
    found["D40", ""] += sum(1 < levels[name][level] < 5 for name, level in contrasted)
    if study.time.exit:
        last = {row["patient"]: float(row[study.time.column]) for row in rows}
        found["D67", ""] += any(last[row["patient"]] < float(row[study.time.exit]) for row in rows)
    for e in study.events.values():
        cell = e.column or e.at or study.time.reason
        happened = {
            row["patient"] for row in rows if row[cell] and (row[cell] in e.reasons or e.at or row[cell] == "1")
        }
        found["D78", ""] += len(happened) in (0, len(visits))
        if e.column:
            told = [row["patient"] for row in rows if row[cell] and float(row[study.time.column]) > 0]
            found["D78", ""] += len({*told}) < len(visits)
            alone = [
                n
                for n, row in enumerate(rows, 2)
                if row[cell] and not any(row[o.column] for o in study.outcomes.values())
            ]
            found["D78", lines_text(alone)] += bool(alone)
    return +found


@pytest.mark.parametrize("name", sorted(p.stem for p in MODELS.glob("*.toml")))
def test_fifty_simulated_cohorts_raise_no_false_alarm(name):
    study, seen = read_study(MODELS / f"{name}.toml"), Counter()
    for seed in range(50):
        text = to_csv(study, simulate_scenario(study, seed=seed).cohort)
        rows = [*csv.DictReader(io.StringIO(text))]
        beyond = [(o.column, outside(rows, o.column, o.minimum, o.maximum)) for o in study.outcomes.values()]
        illegal = {f'{lines_text(lines)}, column "{column}"' for column, lines in beyond if lines}
        if illegal:
            with pytest.raises(CohortError) as refused:
                read(study, text)
            assert {fault.where for fault in refused.value.faults} == illegal
            continue
        notices = read(study, text).notices
        assert said(notices) == true_of(study, rows), (seed, notices)
        told = [n for n in notices if "[D67]" not in n]  # which is true of whoever was seen before the exit
        seen["silent" if not told else "single" if "have a single visit" in " ".join(told) else "other"] += 1
    assert min(seen["silent"], seen["single"]) > 0


# --- one patient under two ids


def test_a_patients_rows_under_a_second_id_are_noted():
    """In 50 simulated cohorts with a patient of three visits or more: this one, and no other."""
    study, tried = read_study(MODELS / "ivig.toml"), 0
    for seed in range(50):
        text = to_csv(study, simulate_scenario(study, seed=seed).cohort)
        header, *rows = text.splitlines()
        own = [row for row in rows if row.startswith("S03,")]
        if len(own) < 3 or any("[D69]" in n for n in read(study, text).notices):
            assert len(own) < 3, seed
            continue
        again = [row.replace("S03,", "T3,") for row in own]
        (found,) = [n for n in read(study, "\n".join([header, *rows, *again])).notices if "[D69]" in n]
        first = 2 + rows.index(own[0])
        lines = [*range(first, first + len(own)), *range(len(rows) + 2, len(rows) + 2 + len(own))]
        assert (
            found
            == f"Two patients have {len(own)} rows of the same times and values ({lines_text(lines)}): are they one patient? [D69]"
        )
        tried += 1
    assert tried > 20


def test_patients_who_agree_by_chance_are_not_noted(rng):
    """Yes or no at planned visits: many patients say the same."""
    study = parse_study(
        '[study]\ntitle = "x"\npatient = "patient"\ntime = { column = "month", unit = "month", typical = 12 }\n'
        '[outcomes.x]\ncolumn = "x"\n'
        'unit = "yes"\nbetter = "higher"\ntypical = 0.4\nscale = 0.2\nfamily = { kind = "bernoulli" }\ntrajectory = { '
        'kind = "linear" }\n'
    )
    rows = [f"P{p:02d},{t},{int(rng.random() < 0.3)}" for p in range(40) for t in range(6)]
    assert not any("[D69]" in n for n in read(study, "\n".join(["patient,month,x", *rows])).notices)


def test_a_question_about_a_time_when_one_outcome_was_no_longer_measured_is_noted(small):
    """The other outcome has visits so late: the last visit of the table is not that of every outcome."""
    rows = [f"P{p},{t},{50 + p},{900 + t if t <= 3 else ''}" for p in range(1, 6) for t in (0, 3, 12)]
    cohort = read(small, "\n".join(["patient,month,strength,cpk", *rows]) + "\n")
    assert [n for n in cohort.notices if "[D63]" in n] == [
        "CPK: last measured at month 3; cpk_ratio_12 looks beyond it. [D63]"
    ]
