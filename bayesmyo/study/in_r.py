"""A study as lme4 (or nlme) and brms would write it, or why they cannot.

The terms are those of the components, letter by letter: a coefficient of ours is the coefficient of the same term in R.
"""

import re
from itertools import pairwise

from bayesmyo.components.families import Gaussian, LogNormal
from bayesmyo.components.trajectories import Constant, Linear, Log, Piecewise, Plateau
from bayesmyo.study.covariates import table_column
from bayesmyo.study.predictors import Predictor, blocks, predictors
from bayesmyo.study.study import Covariate, Study

GENERALISED = {
    "bernoulli": "binomial",
    "gamma": 'Gamma(link = "log")',
    "poisson": "poisson",
}  # glmer's word for a family
NEGATIVE_BINOMIAL = "negative_binomial"
RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "NA", "NaN", "Inf"}  # fmt: skip
ROW = "observation: the number of the row"


def lme4(study: Study, outcome: str) -> str:
    """The equivalent lme4 call (nlme for a plateau), or why there is none."""
    o = study.outcomes[outcome]
    p = predictors(study, outcome)[0]
    kind = o.family.kind
    if o.censoring:
        return "no equivalent in lme4 (censored cells)"
    if not isinstance(o.family, Gaussian) and kind not in (*GENERALISED, NEGATIVE_BINOMIAL):
        return f"no equivalent in lme4 (family {kind})"
    notes = ["this outcome alone"] if _joined(study) else []
    left = f"log({name(o.column)})" if isinstance(o.family, LogNormal) else name(o.column)
    if isinstance(p.trajectory, Plateau):
        return _nlme(study, p, left, notes)
    if why := _why_not(study, p):
        return f"no equivalent in lme4 ({why})"
    right = _linear(study, p, alone=True) + (f" + offset(log({name(o.exposure)}))" if o.exposure else "")
    own = getattr(o.family, "observation_effect", False)
    notes += [ROW] if own else []
    mixed = bool(p.effects) or own
    if kind == NEGATIVE_BINOMIAL:
        return _noted(f"{'glmer.nb' if mixed else 'MASS::glm.nb'}({left} ~ {right})", notes)
    if kind in GENERALISED:
        return _noted(f"{'glmer' if mixed else 'glm'}({left} ~ {right}, family = {GENERALISED[kind]})", notes)
    return _noted(f"{'lmer' if mixed else 'lm'}({left} ~ {right})", notes)


def _nlme(study: Study, p: Predictor, left: str, notes: list[str]) -> str:
    family = study.outcomes[p.outcome].family
    names = [e.coefficient for e in p.effects]
    if not isinstance(family, Gaussian):
        return f"no equivalent in lme4 (a plateau with family {family.kind})"
    if "half_time" in names:
        return "no equivalent in lme4 (patients differ in the half-time)"
    if p.covariates or p.moderators:
        return "no equivalent in lme4 (covariates on a plateau)"
    curve = f"{left} ~ {_curve(study, p, 'pmax', 'half_time')}"
    if not names:
        return _noted(f"nls({curve})", notes)
    fixed, varying, patient = " + ".join(c.name for c in p.coefficients), " + ".join(names), name(study.patient)
    random = f"random = {varying} ~ 1 | {patient}"
    if len(names) > 1 and not correlated(study, p):
        random = f"random = nlme::pdDiag({varying} ~ 1), groups = ~ {patient}"
    return _noted(f"nlme::nlme({curve}, fixed = {fixed} ~ 1, {random})", notes)


def brms(study: Study, outcome: str) -> str:
    """The equivalent brms formula, or why there is no short one."""
    o = study.outcomes[outcome]
    if not o.family.r_formula:
        return f"no equivalent in brms (family {o.family.kind})"
    left = f"log({name(o.column)})" if isinstance(o.family, LogNormal) else name(o.column)
    if o.censoring:
        left += " | cens(side)"
    if trials := getattr(o.family, "trials", None):
        left += f" | trials({trials})"
    notes = ["with those of the other outcomes, + set_rescor(FALSE), in one brm()"] if _joined(study) else []
    notes += [ROW] if getattr(o.family, "observation_effect", False) else []
    location, *rest = predictors(study, outcome)
    for p in rest:
        if why := _why_not(study, p):
            return f"no short equivalent in brms (the zero part: {why})"
    parts = "".join(f", hu ~ {_linear(study, p)}" for p in rest)
    family = f", family = {o.family.r_formula.split(' ')[0]}"
    exposure = f"log({name(o.exposure)})" if o.exposure else ""
    if isinstance(location.trajectory, Plateau):
        if location.covariates or location.moderators or o.family.anchored or ROW in notes:
            why = "thresholds" if o.family.anchored else "observation effects" if ROW in notes else "covariates"
            return f"no short equivalent in brms ({why} on a plateau)"
        right = _nonlinear(study, location, f" + {exposure}" if exposure else "")
        return _noted(f"bf({left} ~ {right}{parts}, nl = TRUE{family})", notes)
    if why := _why_not(study, location):
        return f"no short equivalent in brms ({why})"
    offset = f" + offset({exposure})" if exposure else ""
    return _noted(f"bf({left} ~ {_linear(study, location)}{offset}{parts}{family})", notes)


def _nonlinear(study: Study, p: Predictor, exposure: str) -> str:
    """A plateau and its parameters; brms hands the curve to Stan, and allows no underscore in a parameter's name."""
    own = [e.coefficient for e in p.effects]
    called = {"half_time": "loghalf" if "half_time" in own else "halftime"}  # patients differ in it by factors
    half = "exp(loghalf)" if "half_time" in own else "halftime"
    bar = _bar(study, p, separate=True)
    parameters = [
        f"{called.get(c.name, c.name)} ~ 1{f' + (1 {bar} {name(study.patient)})' if c.name in own else ''}"
        for c in p.coefficients
    ]
    return f"{_curve(study, p, 'fmax', half)}{exposure}, {', '.join(parameters)}"


def _curve(study: Study, p: Predictor, larger: str, half_time: str) -> str:
    """larger: what gives the larger of two numbers; before the origin the curve stands still."""
    elapsed = _since(study, p.trajectory.origin)
    time = elapsed if p.trajectory.origin == 0 else f"{larger}({elapsed}, 0)"
    change = "change" if p.coefficients[1].name == "change" else "(asymptote - start)"
    return f"start + {change} * (1 - 2^(-{time} / {half_time}))"


def _linear(study: Study, p: Predictor, alone: bool = False) -> str:
    """Fixed and patient-level terms of a predictor that is linear in all its coefficients.

    alone: it is fitted by itself, whatever its patient-level terms are correlated with
    """
    family = study.outcomes[p.outcome].family
    clocks = _clocks(study, p)
    first, *moving = clocks.values()
    fixed = [*([] if family.anchored and moving else [first]), *moving]
    fixed += [_covariate(study, c) for c in p.covariates]
    fixed += [f"{_covariate(study, c)}:{clock}" for c in p.moderators for clock in moving]
    if getattr(family, "observation_effect", False):
        fixed.append("(1 | observation)")
    terms = [clocks[e.coefficient] for e in p.effects]
    if terms:
        inner = " + ".join(terms if "1" in terms else ["0", *terms])
        bar = "|" if alone and (len(terms) < 2 or correlated(study, p)) else "||" if alone else _bar(study, p)
        fixed.append(f"({inner} {bar} {name(study.patient)})")
    return " + ".join(fixed)


def _clocks(study: Study, p: Predictor) -> dict[str, str]:
    """What each coefficient multiplies."""
    t = p.trajectory
    since, time = _since(study, t.origin), name(study.time.column)
    names = [c.name for c in p.coefficients]
    if isinstance(t, Constant):
        return {names[0]: "1"}
    if isinstance(t, Log):
        return dict(zip(names, ["1", f"log1p(pmax({since}, 0))"], strict=True))
    if isinstance(t, Linear):
        line = f"sqrt(pmax({since}, 0))" if t.transform == "sqrt" else _term(since)
        return dict(zip(names, ["1", line], strict=True))
    assert isinstance(t, Piecewise)
    to_first = f"pmin({time}, {t.at[0]:g})"
    before = to_first if t.origin == 0 else f"I({_minus(to_first, t.origin)})"
    inner = [f"pmax({_minus(f'pmin({time}, {b:g})', a)}, 0)" for a, b in pairwise(t.at)]
    return dict(zip(names, ["1", before, *inner, f"pmax({_minus(time, t.at[-1])}, 0)"], strict=True))


def _why_not(study: Study, p: Predictor) -> str:
    """Why a predictor has no formula of fixed and patient-level terms; empty where it has one."""
    if not isinstance(p.trajectory, Constant | Linear | Log | Piecewise):
        return f"trajectory {p.trajectory.kind}"
    moving = [*_clocks(study, p).values()][1:]
    present = {frozenset[str](), *(frozenset([clock]) for clock in moving)}
    terms = [frozenset(_parts(study, c)) for c in p.covariates]
    terms += [frozenset([*_parts(study, c), clock]) for c in p.moderators for clock in moving]
    present |= set(terms)
    for term in terms:  # R codes a factor without its reference only where the rest of the term is in the formula too
        factors = [part for part in term if part in study.covariates and study.covariates[part].levels]
        if any(term - {f} not in present for f in factors):
            return "a product without its parts"
    return ""


def _parts(study: Study, covariate: str) -> tuple[str, ...]:
    product = study.covariates[covariate].product
    return tuple(part for c in product for part in _parts(study, c)) if product else (covariate,)


def _covariate(study: Study, covariate: str) -> str:
    """A covariate as its coefficient multiplies it: from `typical` and per `scale`, or by levels with our reference."""
    c = study.covariates[covariate]
    if c.product:
        return ":".join(_covariate(study, part) for part in c.product)
    column = name(table_column(study, covariate))
    if c.levels:
        return _factor(column, c.levels)
    assert c.typical is not None
    assert c.scale is not None
    return _term(_centred(c, column, c.typical, c.scale))


def _centred(c: Covariate, column: str, typical: float, scale: float) -> str:
    if c.transform == "log":
        ratio = column if typical == 1 else f"{column}/{typical:g}"
        return f"log({ratio})/log({scale:g})"
    if c.transform == "sqrt":
        moved = f"sqrt({column})" if typical == 0 else f"sqrt({column}) - sqrt({typical:g})"
    else:
        moved = _minus(column, typical)
    if scale == 1:
        return moved
    return f"{moved}/{scale:g}" if typical == 0 else f"({moved})/{scale:g}"


def _factor(column: str, levels: tuple[str, ...]) -> str:
    """R takes text as a factor, its first level in the alphabet as the reference; numbers only where it is told."""
    reference, numbers = levels[0], all(_is_number(level) for level in levels)
    if numbers:
        first = float(reference) == min(map(float, levels))
        return f"factor({column})" if first else f'relevel(factor({column}), "{reference}")'
    first = reference == min(levels) and reference.casefold() == min(level.casefold() for level in levels)
    return column if first else f'relevel(factor({column}), "{reference}")'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _since(study: Study, origin: float) -> str:
    return _minus(name(study.time.column), origin)


def _minus(what: str, number: float) -> str:
    return what if number == 0 else f"{what} {'-' if number > 0 else '+'} {abs(number):g}"


def _term(expression: str) -> str:
    """Arithmetic, which a formula of R would read as a list of terms, kept together."""
    return f"I({expression})" if re.search(r"[-+/]", re.sub(r"`[^`]*`", "", expression)) else expression


def _noted(call: str, notes: list[str]) -> str:
    return f"{call}  # {'; '.join(notes)}" if notes else call


def name(column: str) -> str:
    """A column as R writes it: in backticks where it is no name of R's."""
    if re.fullmatch(r"([A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*", column) and column not in RESERVED:
        return column
    return "`" + column.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _joined(study: Study) -> bool:
    """Whether effects of different outcomes are correlated."""
    return any(len({e.outcome for e in b.effects}) > 1 for b in blocks(study))


def _bar(study: Study, p: Predictor, separate: bool = False) -> str:
    """What stands between patient-level terms and the patient: `|p|` where terms of other formulas are correlated with them.

    separate: each effect of this predictor has a formula of its own
    """
    block = next((b.effects for b in blocks(study) if set(b.effects) & set(p.effects)), ())
    if len(block) > 1 and (separate or not set(block) <= set(p.effects)):
        return "|p|"
    return "|" if separate or len(p.effects) < 2 or len(block) > 1 else "||"


def correlated(study: Study, p: Predictor) -> bool:
    """Whether a predictor's effects are correlated with each other."""
    return any(sum(e in p.effects for e in b.effects) > 1 for b in blocks(study))
