"""What a reader should know of a table though nothing is wrong."""

from collections import defaultdict

import numpy as np

from bayesmyo.cohort.cohort import Measurements
from bayesmyo.cohort.table import Table
from bayesmyo.study.covariates import table_column
from bayesmyo.study.covariates import used as in_use
from bayesmyo.study.study import Study


def notices(
    study: Study, table: Table, ids: list[str], times: list[float], used: list[bool],
    patients: tuple[str, ...], measurements: dict[str, Measurements],
) -> list[str]:  # fmt: skip
    """What a reader should know though nothing is wrong."""
    visits: dict[str, int] = defaultdict(int)
    for patient, needed in zip(ids, used, strict=True):
        if patient.strip():  # only a blank row has no id
            visits[patient] += needed
    found = []
    if lost := [p for p in visits if not visits[p]]:
        found.append(f"{len(lost)} of {len(visits)} patients have no measurement at all and are not in the cohort.")
    if single := sum(visits[p] == 1 for p in patients):
        found.append(
            f"{single} of {len(patients)} patients have a single visit: kept, they inform the start, not the change."
        )
    if early := sum(1 for t, needed in zip(times, used, strict=True) if needed and t < 0):
        found.append(f"{early} visits lie before {study.time.unit} 0.")
    last = max((float(m.time.max()) for m in measurements.values()), default=0.0)
    if later := [name for name, e in study.estimands.items() if max(e.times()) > last]:
        found.append(
            f"The last visit is at {study.time.unit} {last:g}; {', '.join(later)} {'looks' if len(later) == 1 else 'look'} beyond it."
        )
    for name, m in measurements.items():
        o = study.outcomes[name]
        if (texts := o.family.texts()) and (empty := sorted({*texts.values()} - {*m.value.tolist()})):
            labels = [text for text, value in texts.items() if value in empty]
            found.append(f"{study.label(name)}: nobody has {', '.join(labels)}; the thresholds beside it are prior.")
        if absent := len(patients) - len(np.unique(m.patient)):
            found.append(
                f"{absent} of {len(patients)} patients have no {study.label(name)}: predicted from the others."
            )
        if _far(study, name, m):
            found.append(
                f"{study.label(name)}: the median, {np.median(m.value):.4g} {o.unit}, is far from the declared typical {o.typical:g} {o.unit}: is the unit right?"
            )
        if len(np.unique(m.value)) == 1 and len(m) > 1:
            found.append(f"{study.label(name)}: every value is {m.value[0]:g}.")
    known = {study.patient, study.time.column, *(o.column for o in study.outcomes.values())}
    known |= {o.exposure for o in study.outcomes.values() if o.exposure} | {
        table_column(study, n) for n in in_use(study)
    }
    if unused := [h for h in table.header if h not in known]:
        found.append(f"Columns not used: {', '.join(unused[:20])}{' ...' if len(unused) > 20 else ''}.")
    stripped = defaultdict(set)
    for p in patients:
        stripped[p.lstrip("0")].add(p)
    if any(len(v) > 1 for v in stripped.values()):
        found.append("Some patient ids differ only in leading zeros; they are different patients here.")
    return found


def _far(study: Study, outcome: str, m: Measurements) -> bool:
    """Whether the median of an outcome lies further from the declared typical value than patients do."""
    o, scale = study.outcomes[outcome], study.scale(outcome)
    median = float(np.median(m.value))
    if m.exposure is not None:
        median = float(m.value.sum() / m.exposure.sum())
    if o.typical is None or not o.family.check_expected(median):
        return False
    return abs(float(o.family.link(median)) - scale.typical) / scale.spread > 4
