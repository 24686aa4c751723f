"""The formula of brms."""

import re

from bayesmyo.components.families.link import CALLED
from bayesmyo.study.clean import bounds
from bayesmyo.study.in_r.terms import NoEquivalent, Terms, column, known, noted, terms
from bayesmyo.study.study import Study


def brms(study: Study, outcome: str, first: float = 0.0) -> str:
    """The equivalent brms formula, or why there is no short one.

    Parameters
    ----------
    first
        The earliest time in the table, in the study's unit.
    """
    o, (location, *rest) = study.outcomes[outcome], terms(study, outcome, first)
    family = o.family.r_family(o.predictors)
    if o.residual is None and not family:
        return f"no equivalent in brms (family {o.family.kind})"
    try:
        if o.residual is not None:
            raise NoEquivalent("residuals that hang together")
        if outcome in study.correlate_residuals and not _rescor(study):
            raise NoEquivalent("residuals that are correlated with those of some other outcomes")
        inside = "".join(f", {_part(t)}" for t in rest)
        formula = f"bf({_response(study, outcome)} ~ {_location(location, inside)}, family = {family})"
    except NoEquivalent as why:
        return f"no short equivalent in brms ({why})"
    fixed = ", ".join(f"{p.name} = {p.prior}" for p in known(study, outcome))
    notes = [f"known, by priors of one value: {fixed}"] if fixed else []
    together = "with those of the other outcomes, + set_rescor(FALSE), in one brm()"
    if outcome in study.correlate_residuals:
        together = together.replace("FALSE", "TRUE") + "; without rows in which one of them is missing"
    return noted(formula, [location, *rest], together, *notes)


def _rescor(study: Study) -> bool:
    """Whether brms can correlate the residuals: those of all outcomes, as they are measured."""
    every = study.outcomes.values()
    return len(study.correlate_residuals) == len(every) and all(o.family.normal and o.family.additive for o in every)


def _response(study: Study, outcome: str) -> str:
    """The left side: the column, and what is told of its cells."""
    o, limits = study.outcomes[outcome], bounds(study, outcome)
    told = [*o.family.r_additions(), *([f"se({column(study, o.error)}, sigma = TRUE)"] if o.error else [])]
    if limits:
        told.append(f"cens({', '.join(column(study, c) for c in (limits.censored, limits.upper) if c)})")
    value = column(study, limits.value if limits else o.column)
    return f"{value} | {' + '.join(told)}" if told else value


def _part(t: Terms) -> str:
    """The formula of a parameter with a predictor of its own."""
    name, called = t.predictor.name, t.outcome.family.r_parts
    if why := t.why_not or ("" if name in called else "brms calls it otherwise"):
        raise NoEquivalent(f"the {CALLED[name]}: {why}")
    return f"{called[name]} ~ {t.formula}"


def _location(t: Terms, parts: str) -> str:
    """The right side of the formula of the location, with the formulas of the other `parts`."""
    family, p = t.outcome.family, t.predictor
    if curve := t.curve("fmax"):
        if p.covariates or p.moderators or family.anchored or family.per_row():
            why = "thresholds" if family.anchored else "observation effects" if family.per_row() else "covariates"
            raise NoEquivalent(f"{why} on a {p.trajectory.kind}")
        return f"{_nonlinear(t, curve)}{parts}, nl = TRUE"
    if t.why_not:
        raise NoEquivalent(t.why_not)
    return f"{t.formula}{f' + offset({t.exposure})' if t.exposure else ''}{parts}"


def _nonlinear(t: Terms, curve: str) -> str:
    """A curve and its parameters; brms hands the curve to Stan, and allows no underscore in a parameter's name."""
    own = [e.coefficient for e in t.predictor.effects]
    told = []
    for c in t.predictor.coefficients:
        by_factors = not c.linear and c.name in own  # patients differ in it so
        called = f"log{c.name.partition('_')[0]}" if by_factors else c.name.replace("_", "")
        curve = re.sub(rf"\b{c.name}\b", f"exp({called})" if by_factors else called, curve)
        told.append(f"{called} ~ 1{f' + (1 {t.bar(separate=True)} {t.patient})' if c.name in own else ''}")
    return f"{curve}{f' + {t.exposure}' if t.exposure else ''}, {', '.join(told)}"
