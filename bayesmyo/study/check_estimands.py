"""What estimands and decisions may get wrong though they are well formed: names, and numbers that cannot be formed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmyo.components.decisions import Decision, Probability
from bayesmyo.components.estimands import Estimand, Ratio
from bayesmyo.components.estimands.estimand import Between
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.study import Covariate, Outcome


def estimand(
    name: str, e: Estimand, names: Mapping[str, list[str]], read: Mapping[str, Outcome], values: Mapping[str, Any]
) -> list[Fault]:
    where, found, outcomes = f"estimands.{name}", [], names["outcomes"]
    found += _given(where, e, values["covariates"], read.get(e.outcome))
    found += _ratio(where, e, read.get(e.outcome))
    if e.outcome not in outcomes:
        found.append(
            Fault(
                f"{where}.outcome",
                "is not an outcome of this study",
                f'"{e.outcome}"',
                did_you_mean(e.outcome, outcomes),
            )
        )
    if e.above is not None and e.below is not None:
        found.append(Fault(where, "give above or below, not both"))
    if isinstance(e, Between) and e.to <= e.from_:
        found.append(Fault(f"{where}.to", f"must come after from, {e.from_:g}", f"{e.to:g}"))
    if e.predicts == "measurement" and e.population != "new patient":
        found.append(
            Fault(
                f"{where}.predicts", "a measurement is predicted for a new patient only", f'population "{e.population}"'
            )
        )
    if e.predicts == "measurement" and e.summary is not None:
        found.append(Fault(f"{where}.summary", "a measurement is one value: it has no summary"))
    o = read.get(e.outcome)
    if o is not None and e.summary == "median" and not o.family.geometric and o.family.link_name != "identity":
        mend = "leave it out: levels are expected values"
        found.append(Fault(f"{where}.summary", f"is the mean for the family {o.family.kind}", '"median"', mend))
    elif o is not None and e.summary == "median" and not o.family.geometric and isinstance(e, Between):
        found.append(
            Fault(f"{where}.summary", f"is the mean for the family {o.family.kind}", '"median"', "leave it out")
        )
    return found


def _ratio(where: str, e: Estimand, o: Outcome | None) -> list[Fault]:
    """Numbers that cannot be formed from what the family measures."""
    if o is None or not isinstance(e, Ratio):
        return []
    if o.family.anchored:
        return [Fault(f"{where}.kind", "scores of grades have no ratio", '"ratio"', 'ask for the "change"')]
    if e.predicts == "measurement" and bool(np.all(o.family.check(np.zeros(1)))):
        mend = "ask for the ratio of expected values"
        return [Fault(f"{where}.predicts", "a measurement may be zero, and then has no ratio", '"measurement"', mend)]
    return []


def _unmoderated(where: str, e: Estimand, o: Outcome, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """A contrast that is zero (or one) by definition: the covariate shifts the level alone, and the change cancels it."""
    c = e.contrast
    if c is None or not isinstance(e, Between):
        return []
    named = [*o.moderators, *(o.zero.covariates + o.zero.moderators if o.zero else ())]
    if c.covariate in {p for n in named if n in covariates for p in covariates[n].product or (n,)}:
        return []
    cancels = o.family.link_name == "log" if isinstance(e, Ratio) else o.family.link_name == "identity"
    if not cancels:
        return []
    what = f"is {'one' if isinstance(e, Ratio) else 'zero'} by definition: {c.covariate} shifts the level of {e.outcome} alone"
    return [Fault(f"{where}.contrast", what, mend="name it among the moderators, or compare levels")]


def _given(where: str, e: Estimand, covariates: Mapping[str, Covariate], o: Outcome | None) -> list[Fault]:
    """Covariate values that an estimand sets, and groups that it compares."""
    found = []
    named = [*o.covariates, *o.moderators, *(o.zero.covariates + o.zero.moderators if o.zero else ())] if o else []
    parts = {p for n in named if n in covariates for p in covariates[n].product or (n,)}
    if (
        o is not None
        and e.contrast is not None
        and e.contrast.covariate in covariates
        and e.contrast.covariate not in parts
    ):
        mend = f"name it among the covariates or moderators of {e.outcome}"
        found.append(
            Fault(
                f"{where}.contrast",
                "compares groups in which the outcome does not differ",
                f'"{e.contrast.covariate}"',
                mend,
            )
        )
    stated = [("given", k, v) for k, v in e.given.items()]
    if e.contrast is not None:
        stated += [("contrast", e.contrast.covariate, v) for v in (e.contrast.level, e.contrast.reference)]
        if e.contrast.level == e.contrast.reference:
            found.append(Fault(f"{where}.contrast", "compares a group with itself", f'"{e.contrast.level}"'))
        if e.contrast.covariate in e.given:
            found.append(
                Fault(f"{where}.given", "sets the covariate that the contrast compares", f'"{e.contrast.covariate}"')
            )
    if o is not None and not found:
        found += _unmoderated(where, e, o, covariates)
    if e.contrast is not None and e.predicts == "measurement":
        found.append(
            Fault(f"{where}.predicts", "groups are compared by their expected values", '"measurement"', "leave it out")
        )
    for name in e.given:
        if o is not None and name in covariates and name not in parts:
            found.append(
                Fault(f"{where}.given", f"has no part in the outcome {e.outcome}", f'"{name}"', "leave it out")
            )
    for key, name, value in stated:
        c = covariates.get(name)
        if c is None or c.product:
            usable = [n for n, other in covariates.items() if not other.product]
            mend = did_you_mean(name, usable) if usable else "the study declares no covariate"
            found.append(Fault(f"{where}.{key}", "is no covariate with a column", f'"{name}"', mend))
        elif c.levels and value not in c.levels:
            found.append(
                Fault(f"{where}.{key}", f"is no level of {name}", f'"{value}"', did_you_mean(str(value), c.levels))
            )
        elif not c.levels and isinstance(value, str):
            found.append(Fault(f"{where}.{key}", f"{name} is a number", f'"{value}"'))
        elif not isinstance(value, str) and (
            (c.transform == "log" and value <= 0) or (c.transform == "sqrt" and value < 0)
        ):
            found.append(Fault(f"{where}.{key}", f"{name} has no {c.transform}", f"{value:g}"))
    return found


def decision(name: str, d: Decision, estimands: list[str]) -> list[Fault]:
    where, found = f"decisions.{name}", []
    if d.estimand not in estimands:
        found.append(
            Fault(
                f"{where}.estimand",
                "is not an estimand of this study",
                f'"{d.estimand}"',
                did_you_mean(d.estimand, estimands),
            )
        )
    if isinstance(d, Probability):
        if (d.above is None) == (d.below is None):
            found.append(Fault(where, "give exactly one of above and below"))
        if not 0 < d.probability < 1:
            found.append(Fault(f"{where}.probability", "must lie between 0 and 1", f"{d.probability:g}"))
    return found
