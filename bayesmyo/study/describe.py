"""A study in words, in formula, and as lme4 and brms would write it; priors in clinical units."""

from dataclasses import dataclass

from bayesmyo.components.families import Gaussian, LogNormal
from bayesmyo.components.trajectories import Constant, Plateau
from bayesmyo.study.parameters import Parameter, parameters
from bayesmyo.study.study import Study


@dataclass(frozen=True)
class PriorLine:
    """One prior as a reader sees it: the distribution, its scale, and what it holds likely in clinical units."""

    outcome: str
    parameter: str
    prior: str
    unit: str
    median: float
    lower: float
    upper: float
    natural_unit: str
    stated: bool


def words(study: Study, outcome: str) -> str:
    """The model of one outcome in a sentence or two."""
    o, t = study.outcomes[outcome], study.time
    effects = study.effects(outcome)
    scale = " on the log scale" if o.family.link_name == "log" else ""
    origin = o.trajectory.origin
    text = f"{study.label(outcome)} ({o.unit}, {o.family.kind}, {o.better} is better) {o.trajectory.sentence}{scale}"
    if not isinstance(o.trajectory, Constant) and origin != 0:
        text += f"; time runs from {t.unit} {origin:g}"
    if effects:
        together = " (correlated)" if "correlation" in parameters(study, outcome) else ""
        text += f". Patients differ in their {' and '.join(effects)}{together}."
    else:
        text += ". All patients share one curve."
    if o.censoring:
        text += " Cells such as <20 and >2000 count as known only to lie beyond the limit."
    return text


def formula(study: Study, outcome: str) -> list[str]:
    """The model of one outcome in formula, one line each."""
    o = study.outcomes[outcome]
    effects = study.effects(outcome)
    left = f"log {outcome}" if o.family.link_name == "log" else outcome
    arguments = ", ".join(o.family.parameters(study.scale(outcome)))
    distribution = "StudentT" if o.family.kind == "student_t" else "Normal"
    curve = o.trajectory.formula.replace(
        "(t - origin)", "t" if o.trajectory.origin == 0 else f"(t - {o.trajectory.origin:g})"
    )
    lines = [f"{left}[i, t] ~ {distribution}(eta[i, t], {arguments})", f"eta[i, t] = {curve}"]
    for effect in effects:
        lines.append(f"{effect}[i] = {effect} + b_{effect}[i]")
    if len(effects) > 1 and "correlation" in parameters(study, outcome):
        names = ", ".join(f"b_{e}" for e in effects)
        lines.append(f"({names})[i] ~ MvNormal(0, SDs and correlation)")
    else:
        lines += [f"b_{e}[i] ~ Normal(0, sd_{e})" for e in effects]
    return lines


def lme4(study: Study, outcome: str) -> str:
    """The equivalent lme4 call (nlme for a plateau), or why there is none."""
    o = study.outcomes[outcome]
    if not isinstance(o.family, Gaussian) or o.censoring:
        return "no equivalent in lme4 (" + ("censored cells" if o.censoring else f"family {o.family.kind}") + ")"
    left = f"log({o.column})" if isinstance(o.family, LogNormal) else o.column
    if isinstance(o.trajectory, Plateau):
        varying = " + ".join(study.effects(outcome)) or "none"
        return (
            f"nlme::nlme({left} ~ {_r_curve(study, outcome)}, fixed = "
            f"{' + '.join(c.name for c in study.coefficients(outcome))} ~ 1, random = {varying} ~ 1 | {study.patient})"
        )
    return f"{'lmer' if study.effects(outcome) else 'lm'}({left} ~ {_r_linear(study, outcome)})"


def brms(study: Study, outcome: str) -> str:
    """The equivalent brms formula."""
    o = study.outcomes[outcome]
    left = f"log({o.column})" if isinstance(o.family, LogNormal) else o.column
    if o.censoring:
        left += " | cens(side)"
    family = f", family = {o.family.r_formula.split(' ')[0]}"
    if isinstance(o.trajectory, Plateau):
        parts = []
        bar = "|" if "correlation" not in parameters(study, outcome) else "|p|"
        for c in study.coefficients(outcome):
            varies = f" + (1 {bar} {study.patient})" if c.name in study.effects(outcome) else ""
            parts.append(f"{c.name} ~ 1{varies}")
        return f"bf({left} ~ {_r_curve(study, outcome)}, {', '.join(parts)}, nl = TRUE{family})"
    return f"bf({left} ~ {_r_linear(study, outcome)}{family})"


def _r_time(study: Study, outcome: str) -> str:
    origin = study.outcomes[outcome].trajectory.origin
    return study.time.column if origin == 0 else f"I({study.time.column} - {origin:g})"


def _r_curve(study: Study, outcome: str) -> str:
    time, origin = _r_time(study, outcome), study.outcomes[outcome].trajectory.origin
    time = time if origin == 0 else f"pmax({study.time.column} - {origin:g}, 0)"
    end = study.coefficients(outcome)[1].name
    change = "change" if end == "change" else "(asymptote - start)"
    return f"start + {change} * (1 - 2^(-{time} / half_time))"


def _r_linear(study: Study, outcome: str) -> str:
    time, effects = _r_time(study, outcome), study.effects(outcome)
    fixed = "1" if isinstance(study.outcomes[outcome].trajectory, Constant) else f"1 + {time}"
    terms = ["1" if e == "intercept" else time for e in effects]
    if not terms:
        return fixed
    if "slope" in effects and "intercept" not in effects:
        terms = ["0", *terms]
    bar = "|" if "correlation" in parameters(study, outcome) or len(effects) < 2 else "||"
    return f"{fixed} + ({' + '.join(terms)} {bar} {study.patient})"


def priors(study: Study) -> list[PriorLine]:
    """Every prior of the study with its middle and its interval in clinical units."""
    tail = (1 - study.interval) / 2
    lines = []
    for outcome in study.outcomes:
        for p in parameters(study, outcome).values():
            lower, median, upper = (float(_natural(p, q)) for q in (tail, 0.5, 1 - tail))
            stated = p.name in study.outcomes[outcome].priors
            lines.append(PriorLine(outcome, p.name, str(p.prior), p.unit, median, lower, upper, p.natural_unit, stated))
    return lines


def _natural(p: Parameter, q: float) -> float:
    assert p.prior is not None
    return float(p.natural(p.prior.quantile(q)))
