"""The verb `compare`: which of several studies predicts patients better.

The score of a fit is the sum over patients of log p(y_i | the others), each patient's measurements together and the
patient's
effects integrated out: the model is asked of a patient it has never seen, over all outcomes jointly. Differences have a
standard error over patients. With few patients that error is itself uncertain, so two fits are ranked only where they
differ by more than two of them and by more than 4 (Sivula, Magnusson, Matamoros and Vehtari 2020,
https://doi.org/10.48550/arXiv.2008.10296).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from bayesmyo.assess.leave_one_out import WithoutPatient, leave_one_out
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit

LEAST = 4.0  # nats
ERRORS = 2.0
FEW = 5  # patients


@dataclass(frozen=True)
class Comparison:
    """One fit among those compared, the best first.

    Attributes
    ----------
    score, mcse : float
        Log predictive density of all patients, each given the others, and its Monte Carlo error; higher is better.
    difference, se : float
        From the best, and the standard error of that over patients.
    ranked : bool
        Whether the data tell it from the best.
    worst : str
        The patient who speaks most for the best.
    refitted, rough : int, tuple of str
        Patients for whom the model was sampled again, and those of them for whom the short refit converged badly.
    """

    name: str
    title: str
    score: float
    mcse: float
    difference: float
    se: float
    ranked: bool
    worst: str
    refitted: int
    rough: tuple[str, ...]
    sentence: str


def comparisons(
    fits: Sequence[Fit],
    names: Sequence[str] | None = None,
    *,
    exact: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Comparison]:
    """Compare fits of several studies to the same measurements of the same patients; arguments as in `compare`.

    progress: called with patients done and patients in all, over all fits
    """
    called = list(names) if names else [chr(ord("A") + i) for i in range(len(fits))]
    if len(called) != len(fits):
        raise UsageError("names", f"must be {len(fits)}, one for each fit", str(len(called)))
    comparable(fits, called)
    left_out = []
    for k, one in enumerate(fits):
        done = None if progress is None else (lambda n, of, k=k: progress(k * of + n, len(fits) * of))
        left_out.append(leave_one_out(one, exact=exact, progress=done))
    return of_left_out(fits, called, left_out)


def of_left_out(
    fits: Sequence[Fit], names: Sequence[str], left_out: Sequence[Sequence[WithoutPatient]]
) -> list[Comparison]:
    """The same from patients left out before."""
    for one in (one for listed in left_out for one in listed if not np.isfinite(one.score)):
        raise UsageError(one.patient, "cannot be left out: nobody else has a measurement of one outcome")
    scores = np.array([[one.score for one in listed] for listed in left_out])
    errors = np.sqrt([sum(one.mcse**2 for one in listed) for listed in left_out])
    order = np.argsort(-scores.sum(axis=1), kind="stable")
    best = int(order[0])
    rows = []
    for k in map(int, order):
        own, apart = left_out[k], scores[best] - scores[k]
        difference, se = float(apart.sum()), float(np.sqrt(len(apart)) * apart.std(ddof=1))
        ranked = k != best and difference > max(LEAST, ERRORS * float(np.linalg.norm([se, errors[k], errors[best]])))
        row = Comparison(
            name=names[k],
            title=fits[k].study.title,
            score=float(scores[k].sum()),
            mcse=float(errors[k]),
            difference=0.0 if k == best else -difference,
            se=se,
            ranked=ranked,
            worst="" if k == best else own[int(np.argmax(apart))].patient,
            refitted=sum(one.method == "refit" for one in own),
            rough=tuple(one.patient for one in own if one.rough),
            sentence="" if k == best else _sentence(names[best], names[k], difference, se, ranked),
        )
        rows.append(row)
    return rows


def compare(fits: Sequence[Fit], names: Sequence[str] | None = None, *, exact: bool = False) -> pd.DataFrame:
    """Compare fits of several studies to the same measurements: which predicts patients better.

    Parameters
    ----------
    fits : sequence of Fit
        Two or more, of the same patients and measurements.
    names : sequence of str, optional
        How sentences call them (default: A, B, C ...).
    exact : bool
        Sample again without each patient, in place of reweighting.

    Returns
    -------
    pandas.DataFrame
        One row for each fit, the best first: its `score` (log predictive density of patients, each given the others),
        the `difference` from the best with its standard error, and whether the data rank the two.

    Raises
    ------
    UsageError
        Where the fits cannot be compared: other patients, other measurements, or likelihoods of another kind.

    References
    ----------
    Sivula, Magnusson, Matamoros and Vehtari (2020), https://doi.org/10.48550/arXiv.2008.10296

    Examples
    --------
    >>> bayesmyo.compare([fit, fit], ["one", "the same"])["difference"].abs().tolist()
    [0.0, 0.0]
    """
    return pd.DataFrame([asdict(c) for c in comparisons(fits, names, exact=exact)]).set_index("name")


def comparable(fits: Sequence[Fit], names: Sequence[str]) -> None:
    """Raises UsageError where scores of these fits do not measure the same thing."""
    if len(fits) < 2:
        raise UsageError("compare", "takes two fits or more", str(len(fits)))
    first = fits[0]
    if len(first.cohort) < FEW:
        raise UsageError("compare", f"needs {FEW} patients or more to know an error", str(len(first.cohort)))
    for name, other in zip(names[1:], fits[1:], strict=True):
        where = f"{names[0]} and {name}"
        if first.cohort.patients != other.cohort.patients:
            raise UsageError(where, "are fits of different patients", mend="fit both to the same table")
        if set(first.study.outcomes) != set(other.study.outcomes):
            got = f"{', '.join(first.study.outcomes)}; {', '.join(other.study.outcomes)}"
            mend = "give both the same outcomes, under the same names"
            raise UsageError(where, "have different outcomes", got, mend)
        if any(not _same_events(first, other, name) for name in {*first.study.events, *other.study.events}):
            what, mend = "have different events", "give both the same, and let one depend on what the other does not"
            raise UsageError(where, what, mend=mend)
        for outcome in first.study.outcomes:
            same_measurements(first, other, outcome, where)
            if not np.array_equal(_masses(first, outcome), _masses(other, outcome)):
                what = "has a probability in one likelihood where the other has a density"
                kinds = "; ".join(f.study.outcomes[outcome].family.kind for f in (first, other))
                mend = "compare families that treat every measurement alike"
                raise UsageError(f"{where}: {outcome}", what, kinds, mend)


def same_measurements(first: Fit, other: Fit, outcome: str, where: str) -> None:
    """Raises UsageError where two fits saw other measurements of an outcome, or the same in other units."""
    a, b = (f.cohort.measurements[outcome] for f in (first, other))
    one, two = (f.study.outcomes[outcome] for f in (first, other))
    what = f"{where}: {outcome}"
    if one.unit != two.unit:
        got, mend = f"{one.unit}; {two.unit}", "score densities are per unit: use one"
        raise UsageError(what, "is in different units", got, mend)
    pairs = ((a.patient, b.patient), (a.time, b.time), (a.value, b.value), (a.side, b.side))
    if len(a) == len(b) and all(np.array_equal(x, y, equal_nan=True) for x, y in pairs):
        return
    if len(a) == len(b) and one.censoring != two.censoring:
        differs = (
            "is read with limits in one fit and without in the other, so that one has probabilities where the other"
        )
        mend = "declare the same censoring in both, or compare what they answer: report --beside"
        raise UsageError(what, f"{differs} has densities", mend=mend)
    raise UsageError(what, "has different measurements", mend="fit both to the same table, read in the same way")


def _same_events(first: Fit, other: Fit, name: str) -> bool:
    """Whether two fits saw the same happen to the same patients."""
    a, b = (f.cohort.events.get(name) for f in (first, other))
    pairs = [] if a is None or b is None else [(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)]
    return bool(pairs) and all(np.array_equal(x, y) for x, y in pairs)


def _masses(fit: Fit, outcome: str) -> np.ndarray:
    """(n,) where a measurement has a probability, not a density: counts, grades, and the ends of a bounded score."""
    o, m = fit.study.outcomes[outcome], fit.cohort.measurements[outcome]
    if o.family.counts or o.family.texts() is not None:
        return np.ones(len(m), dtype=bool)
    return np.isin(m.value, [end for end in o.family.ends() if end is not None]) | (m.side != 0)


def _sentence(best: str, other: str, difference: float, se: float, ranked: bool) -> str:
    if ranked:
        return f"{best} predicts patients better than {other}: by {difference:.1f} (SE {se:.1f}) on the log scale."
    return f"The data cannot rank {best} and {other}: they differ by {difference:.1f} (SE {se:.1f}) on the log scale."
