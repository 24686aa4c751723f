"""What a table cannot tell whatever the model: the change of what never changes, the amount of what is zero.

These are facts of the measurements, not of a family. A model computes a number all the same: the prior's.
"""

from collections.abc import Iterator

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Cohort, Measurements
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import in_sentence
from bayesmyo.study.covariates import base, used
from bayesmyo.study.study import Study

PRIOR_ALONE = "what is computed comes from the prior"


def lacking(study: Study, cohort: Cohort, e: Estimand) -> str:
    """Why these data hold nothing of an estimand, in a sentence; empty where they may.

    >>> lacking(study, cohort, study.estimands["cpk_ratio_12"])
    ''
    """
    fact = next(_facts(study, cohort, e), "")
    return f"{fact}; {PRIOR_ALONE}." if fact else ""


def unchanging(study: Study, cohort: Cohort, outcome: str) -> str:
    """Why there is no change in what was measured of an outcome; empty where there may be one."""
    m, label = cohort.measurements[outcome], in_sentence(study.label(outcome))
    clock = f"{study.time.unit} {m.time[0]:g}"
    if same := _same(study, outcome, m):
        return f"every measurement of {label} {same}"
    if _at_one_time(m):
        return f"every measurement of {label} is at {clock}"
    return f"{label} never changes in any patient" if _still(m) else ""


def _facts(study: Study, cohort: Cohort, e: Estimand) -> Iterator[str]:
    """Every reason, as a clause."""
    if e.of_event is not None:
        yield from _of_event(study, cohort, e)
        return
    for outcome in e.followed:
        if why := unchanging(study, cohort, outcome):
            yield f"{why}: these data hold no change"
    for outcome in e.outcomes:
        m, label = cohort.measurements[outcome], in_sentence(study.label(outcome))
        same = _same(study, outcome, m)
        if _at_one_time(m) and (other := _other_times(study, outcome, e, m)):
            yield (
                f"every measurement of {label} is at {study.time.unit} {m.time[0]:g}: "
                f"these data hold nothing of {study.time.unit} {other[0]:g}"
            )
        if e.amount_of == outcome and not _amounts(study, outcome, m):
            yield f"every measurement of {label} {same}: these data hold no amount"
        if same and e.contrast:
            yield f"every measurement of {label} {same}: these data hold no difference"
        yield from _groups(study, cohort, e, outcome)


def _of_event(study: Study, cohort: Cohort, e: Estimand) -> Iterator[str]:
    """Groups in which nobody was at risk."""
    at_risk = cohort.events[e.outcomes[0]].patient
    asked = (
        [(e.contrast.covariate, e.contrast.level), (e.contrast.covariate, e.contrast.reference)] if e.contrast else []
    )
    for name, value in [*asked, *e.given.items()]:
        levels = study.covariates[name].levels
        if levels is None or name not in used(study, "patients") or study.covariates[name].group:
            continue
        if not np.any(cohort.covariates[name][at_risk] == levels.index(str(value))):
            yield f"nobody with {name} {value} was at risk: these data hold nothing of it"


def _groups(study: Study, cohort: Cohort, e: Estimand, outcome: str) -> Iterator[str]:
    """Groups of patients of whom an estimand speaks, and in whom an outcome was not measured, or not followed."""
    c, m, label = e.contrast, cohort.measurements[outcome], in_sentence(study.label(outcome))
    asked = [(c.covariate, c.level), (c.covariate, c.reference)] if c else []
    asked += [(name, value) for name, value in e.given.items()]
    for name, value in asked:
        if name not in used(study) or study.covariates[name].group:  # the other levels say something of each
            continue
        levels, own = study.covariates[name].levels, _covariate(cohort, m, name)
        if levels is None:
            known = own[~np.isnan(own)]
            if c and name == c.covariate and len(known) and np.ptp(known) == 0:
                yield f"{label} was measured at a single value of {name}, {known[0]:g}: these data hold no difference"
            continue
        group = m.take(own == levels.index(str(value)))
        where = f"with {name} {value}"
        if not len(group):
            yield f"{label} was never measured {where}: these data hold nothing of it"
        elif outcome in e.followed and name in base(study, study.outcomes[outcome].moderators) and _at_one_time(group):
            when = f"{study.time.unit} {group.time[0]:g}"
            yield f"every measurement of {label} {where} is at {when}: these data hold no change there"


def _other_times(study: Study, outcome: str, e: Estimand, m: Measurements) -> list[float]:
    """The times that an estimand looks at without a measurement, where the curve may have moved until then."""
    moves = len(study.outcomes[outcome].trajectory.coefficients(study.scale(outcome))) > 1
    return [t for t in e.times() if moves and t != m.time[0]]


def _covariate(cohort: Cohort, m: Measurements, name: str) -> np.ndarray:
    """(n,) a covariate at the cells of an outcome."""
    return m.covariates[name] if name in m.covariates else cohort.covariates[name][m.patient]


def _same(study: Study, outcome: str, m: Measurements) -> str:
    """What every measurement is, where all say the same; empty where they differ.

    Cells that lie beyond limits on one side say nothing of what is beyond, though the limits may differ.
    """
    value, sides = _value(m), set(m.side.tolist())
    limit = f"{value[0]:g}" if np.ptp(value) == 0 else "a limit"
    match sorted(sides):
        case [side] if side in (LEFT, RIGHT):
            return f"lies {'below' if side == LEFT else 'above'} {limit}"
        case [side] if side == MEASURED and np.ptp(value) == 0:
            texts = study.outcomes[outcome].family.texts() or {}
            named = [text for text, known in texts.items() if known == value[0]]
            return f"is {named[0] if named else f'{value[0]:g}'}"
        case [side] if side == BETWEEN and np.ptp(value) == 0 and m.end is not None and np.ptp(m.end) == 0:
            return f"lies between {value[0]:g} and {m.end[0]:g}"
    return ""


def _amounts(study: Study, outcome: str, m: Measurements) -> bool:
    """Whether any cell says how much: a measurement, or a limit on both sides, that its family takes for an amount."""
    family = study.outcomes[outcome].family
    cells = family.normal_cells(np.asarray(family.encode(m.value)))
    return bool(set(m.side[cells].tolist()) - {LEFT}) and bool(set(m.side[cells].tolist()) - {RIGHT})


def _at_one_time(m: Measurements) -> bool:
    return bool(np.ptp(m.time) == 0)


def _still(m: Measurements) -> bool:
    """Whether some patients were measured at several times, and every one of those always the same."""
    end = np.zeros(len(m)) if m.end is None else np.nan_to_num(m.end)
    says = np.column_stack([m.patient, _value(m), m.side, end])
    kinds = np.bincount(np.unique(says, axis=0)[:, 0].astype(int))
    times = np.bincount(np.unique(np.column_stack([m.patient, m.time]), axis=0)[:, 0].astype(int))
    return bool((times > 1).any() and (kinds <= 1).all())


def _value(m: Measurements) -> np.ndarray:
    """(n,) what was measured; of events, how many there are for each unit of exposure."""
    return m.value if m.exposure is None else m.value / m.exposure
