"""A study as lme4 (or nlme) and brms would write it, or why they cannot."""

from bayesmyo.components.families import Gaussian, LogNormal
from bayesmyo.components.trajectories import Constant, Linear, Plateau
from bayesmyo.study.covariates import table_column
from bayesmyo.study.predictors import Predictor, blocks, predictors
from bayesmyo.study.study import Study


def lme4(study: Study, outcome: str) -> str:
    """The equivalent lme4 call (nlme for a plateau), or why there is none."""
    o = study.outcomes[outcome]
    if not isinstance(o.family, Gaussian) or o.censoring:
        return "no equivalent in lme4 (" + ("censored cells" if o.censoring else f"family {o.family.kind}") + ")"
    p = predictors(study, outcome)[0]
    left = f"log({o.column})" if isinstance(o.family, LogNormal) else o.column
    names = [e.coefficient for e in p.effects]
    if "half_time" in names or not isinstance(p.trajectory, Constant | Linear | Plateau):
        return f"no equivalent in lme4 ({'patients differ in the half-time' if 'half_time' in names else f'trajectory {p.trajectory.kind}'})"
    if isinstance(p.trajectory, Plateau):
        if p.covariates or p.moderators:
            return "no equivalent in lme4 (covariates on a plateau)"
        varying = " + ".join(names) or "none"
        fixed = " + ".join(c.name for c in p.coefficients)
        return (
            f"nlme::nlme({left} ~ {_r_curve(study, p)}, fixed = {fixed} ~ 1, random = {varying} ~ 1 | {study.patient})"
        )
    return f"{'lmer' if names else 'lm'}({left} ~ {_r_linear(study, p)})"


def brms(study: Study, outcome: str) -> str:
    """The equivalent brms formula."""
    o = study.outcomes[outcome]
    if not o.family.r_formula:
        return f"no equivalent in brms (family {o.family.kind})"
    left = f"log({o.column})" if isinstance(o.family, LogNormal) else o.column
    if o.censoring:
        left += " | cens(side)"
    if trials := getattr(o.family, "trials", None):
        left += f" | trials({trials})"
    family = f", family = {o.family.r_formula.split(' ')[0]}"
    location, *rest = predictors(study, outcome)
    offset = f" + offset(log({o.exposure}))" if o.exposure else ""
    parts = "".join(f", hu ~ {_r_linear(study, p)}" for p in rest if isinstance(p.trajectory, Constant | Linear))
    if any(not isinstance(p.trajectory, Constant | Linear) for p in rest):
        return "no short equivalent in brms (the zero part is not a straight line)"
    if isinstance(location.trajectory, Plateau):
        if location.covariates or location.moderators or o.family.anchored:
            why = "thresholds" if o.family.anchored else "covariates"
            return f"no short equivalent in brms ({why} on a plateau)"
        names = [e.coefficient for e in location.effects]
        bar = "|p|" if correlated(study, location) else "|"
        nonlinear = [
            f"{c.name} ~ 1{f' + (1 {bar} {study.patient})' if c.name in names else ''}" for c in location.coefficients
        ]
        return f"bf({left} ~ {_r_curve(study, location)}{offset}, {', '.join(nonlinear)}{parts}, nl = TRUE{family})"
    if not isinstance(location.trajectory, Constant | Linear):
        return f"no short equivalent in brms (trajectory {location.trajectory.kind})"
    return f"bf({left} ~ {_r_linear(study, location)}{offset}{parts}{family})"


def _r_time(study: Study, p: Predictor) -> str:
    origin = p.trajectory.origin
    time = study.time.column if origin == 0 else f"I({study.time.column} - {origin:g})"
    return f"sqrt({time})" if isinstance(p.trajectory, Linear) and p.trajectory.transform == "sqrt" else time


def _r_curve(study: Study, p: Predictor) -> str:
    origin = p.trajectory.origin
    time = study.time.column if origin == 0 else f"pmax({study.time.column} - {origin:g}, 0)"
    change = "change" if p.coefficients[1].name == "change" else "(asymptote - start)"
    return f"start + {change} * (1 - 2^(-{time} / half_time))"


def _r_linear(study: Study, p: Predictor) -> str:
    time = _r_time(study, p)
    names = [e.coefficient for e in p.effects]
    fixed = "1" if isinstance(p.trajectory, Constant) else f"1 + {time}"
    for name in p.covariates:
        fixed += f" + {_r_covariate(study, name)}"
    for name in p.moderators:
        fixed += f" + {_r_covariate(study, name)}:{time}"
    if study.outcomes[p.outcome].family.anchored:
        fixed = fixed.removeprefix("1 + ") if fixed != "1" else "1"
    if getattr(study.outcomes[p.outcome].family, "observation_effect", False):
        fixed += " + (1 | observation)"
    terms = ["1" if e == "intercept" else time for e in names]
    if not terms:
        return fixed
    if "slope" in names and "intercept" not in names:
        terms = ["0", *terms]
    bar = "|" if correlated(study, p) or len(names) < 2 else "||"
    return f"{fixed} + ({' + '.join(terms)} {bar} {study.patient})"


def _r_covariate(study: Study, name: str) -> str:
    c = study.covariates[name]
    if c.product:
        return ":".join(_r_covariate(study, part) for part in c.product)
    return f"{c.transform}({table_column(study, name)})" if c.transform != "none" else table_column(study, name)


def correlated(study: Study, p: Predictor) -> bool:
    """Whether a predictor's effects are correlated with each other."""
    return any(sum(e in p.effects for e in b.effects) > 1 for b in blocks(study))
