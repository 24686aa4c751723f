"""What a fit says, for a notebook: tables of what may be told, by the rules of `claims.py`."""

from dataclasses import asdict

import pandas as pd

from bayesmyo.assess.claims import each_claims, known_claims
from bayesmyo.assess.each_patient import measurements
from bayesmyo.assess.estimate import table
from bayesmyo.assess.responses import Responses
from bayesmyo.inference.fit import Fit, known_fit


def estimate(fit: Fit) -> pd.DataFrame:
    """Every estimand as a table, and what of it may be said.

    All checks are run, and prior is set against data. Where reweighting the draws cannot tell, a small fit is sampled
    again under other priors, which takes two minutes at most.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one, of which prior and data cannot be told apart.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand: median and equal-tailed interval in `unit`, of the named population. `verdict` says
        whether prior or data speak, `withheld` is True of what is not to be reported, and `sentence` is what may be
        repeated, or why nothing may.

    Examples
    --------
    >>> bayesmyo.estimate(fit)[["unit", "population"]].loc["cpk_ratio_12"].tolist()
    ['ratio', 'population average']
    """
    known_fit(fit)
    return table([e.as_dict() for e in known_claims(fit).estimates])


def decisions(fit: Fit) -> pd.DataFrame:
    """Every decision as a table. One that the prior makes is not met.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one.

    Returns
    -------
    pandas.DataFrame
        One row for each decision: whether it is `met`, with what probability, and by what margin.

    Examples
    --------
    >>> bayesmyo.decisions(fit)["met"].to_dict()
    {'cpk_halved': True}
    """
    known_fit(fit)
    return table([asdict(d) for d in known_claims(fit).decisions])


def correlations(fit: Fit) -> pd.DataFrame:
    """Every correlation between patients' starts and changes as a table, with the prior's beside it.

    Parameters
    ----------
    fit : Fit
        A fit, with its patients.

    Returns
    -------
    pandas.DataFrame
        One row for each two quantities: r > 0 where patients high in one are high in the other; `prior_median` and
        the prior's interval, by construction far from zero for a start and its own change; `verdict`, `withheld` and
        `sentence` as of `estimate`.

    Raises
    ------
    StorageError
        For a shared copy, which has no patients.

    Examples
    --------
    >>> bayesmyo.correlations(fit)[["first", "second"]].values.tolist()
    [['strength start', 'strength change'], ['cpk start', 'cpk change']]
    """
    known_fit(fit)
    len(fit.cohort)  # says what a shared copy is
    return table([vars(c) for c in known_claims(fit).correlations])


def responses(fit: Fit) -> list[Responses]:
    """Every response rule of the study, the study's own first: how many of these patients have each category.

    Parameters
    ----------
    fit : Fit
        A fit, with its patients.

    Returns
    -------
    list of Responses
        Of each rule, its categories with the count of patients, its bounds, and what of it may be said; and each
        patient's probabilities.

    Raises
    ------
    StorageError
        For a shared copy, which has no patients.

    Examples
    --------
    >>> bayesmyo.responses(fit)  # the study declares none
    []
    """
    known_fit(fit)
    len(fit.cohort)  # says what a shared copy is
    return list(known_claims(fit).responses)


def each_patient(fit: Fit, estimand: str) -> pd.DataFrame:
    """An estimand of the study asked of each of these patients, whatever the population of which the study asks it.

    An estimand with a contrast of a covariate of visits (on treatment against off) is the patient's own effect.

    Parameters
    ----------
    fit : Fit
        A fit, with its patients.
    estimand : str
        The name of an estimand of the study.

    Returns
    -------
    pandas.DataFrame
        One row for each patient, by pseudonym: mean, sd, median, lower and upper in `attrs["unit"]`; the probability
        that it is `attrs["direction"]` `attrs["threshold"]`, for the better; how many measurements the patient has of
        the outcome; `verdict`, `withheld` and `sentence` as of `estimate`.

    Raises
    ------
    UsageError
        For an estimand that one patient cannot be asked, or in which patients do not differ.
    StorageError
        For a shared copy.

    Examples
    --------
    >>> each = bayesmyo.each_patient(fit, "cpk_ratio_12")
    >>> len(each), each.attrs["unit"]
    (12, 'ratio')
    """
    known_fit(fit)
    rows = each_claims(fit, estimand)
    first = rows[0]
    kept = (
        "name",
        "mean",
        "sd",
        "median",
        "lower",
        "upper",
        "probability",
        "mcse",
        "ess",
        "verdict",
        "withheld",
        "sentence",
    )
    each = table([{k: getattr(row, k) for k in kept} for row in rows]).rename_axis("patient")
    each.insert(0, "measurements", measurements(fit, fit.study.estimands[estimand]))
    told = ("unit", "direction", "threshold", "interval")
    each.attrs = {"estimand": estimand} | {k: getattr(first, k) for k in told}
    return each
