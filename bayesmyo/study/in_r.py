"""A study in R: as packages for mixed models fit it by likelihood and as brms would write it, or why they cannot.

The terms are those of the components, letter by letter: a coefficient of ours is the coefficient of the same term in R. The table is
the one that bayesmyo read (`clean.py`), called `d`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bayesmyo.components.families.link import CALLED
from bayesmyo.components.in_r import Call, minus, names, number, text, together
from bayesmyo.components.priors import Prior
from bayesmyo.components.residuals import Residual
from bayesmyo.study.clean import all_bounds, bounds, columns, grades, inert
from bayesmyo.study.covariates import base, table_column, used
from bayesmyo.study.covariates import columns as design
from bayesmyo.study.parameters import parameters
from bayesmyo.study.predictors import LOCATION, Predictor, blocks, predictors
from bayesmyo.study.study import NEW, Covariate, Study

NONE = "no equivalent in lme4, nlme, glmmTMB or ordinal"
ROW = "observation"  # the column that numbers the rows


def table(study: Study, file: str = "CLEAN.csv") -> list[str]:
    """Lines of R that read the table: levels in our order, the reference first, and grades in order."""
    ordered = {
        _column(study, o.column): grades(o.family) for o in study.outcomes.values() if o.family.texts() is not None
    }
    factors = {_column(study, table_column(study, n)): study.covariates[n].levels or () for n in used(study)}
    factors = {column: tuple(v for v in levels if v != NEW) for column, levels in factors.items() if levels}
    named = names(columns(study, all_bounds(study)))
    renamed = (
        [f"col.names = c({', '.join(map(text, named.values()))})"] if any(c != n for c, n in named.items()) else []
    )
    texts = [f"{column} = {text('character')}" for column in (*factors, *ordered)]
    classes = [f"colClasses = c({', '.join(texts)})"] if texts else []
    lines = [f"d <- read.csv({', '.join([text(file), 'na.strings = ' + text(''), *renamed, *classes])})"]
    for column, levels in (factors | ordered).items():
        order = ", ordered = TRUE" if column in ordered else ""
        written = ", ".join(text(inert(level)) for level in levels)
        lines.append(f"d${column} <- factor(d${column}, levels = c({written}){order})")
    if any(o.family.per_row() for o in study.outcomes.values()):
        lines.append(f"d${_row(study)} <- factor(seq_len(nrow(d)))")
    return lines


def likelihood(study: Study, outcome: str, first: float = 0.0) -> str:
    """The call that fits an outcome by likelihood, two where it is in two parts that know nothing of each other, or why there is none.

    first: the earliest time in the table, on which it hangs whether anything before the start is held at its level
    """
    o = study.outcomes[outcome]
    if o.censoring:
        return f"{NONE} (censored cells)"
    if known := [n for n, p in parameters(study, outcome).items() if isinstance(p.prior, Prior) and p.prior.constant]:
        return f"{NONE} ({', '.join(known)}: known, not estimated)"
    grouped = any(study.covariates[n].group for n in o.named)
    if grouped and (o.residual is not None or o.predictors):
        return f"{NONE} (groups, and more)"
    if o.error is not None:
        return f"{NONE} (known errors of measurements)"
    if o.residual is not None:
        return _hanging_together(study, outcome, o.residual, first)
    parts = predictors(study, outcome)
    if len(parts) > 1 and not o.family.r_apart:
        return _in_one(study, parts, first)
    shared = next((b for b in blocks(study) if len({e.predictor for e in b.effects if e.outcome == outcome}) > 1), None)
    if shared:
        return f"{NONE} (the effects of its parts are correlated)"
    calls = []
    for p in parts:
        call = o.family.r_call(_column(study, o.column), p.name)
        if call is None:
            return f"{NONE} (family {o.family.kind})"
        curve = p.trajectory.r_curve(_time(study), first)
        why = _no_curve(study, p, call) if curve else _why_not(study, p, first)
        if why:
            return f"{NONE} ({why})"
        calls.append(_nlme(study, p, call, curve) if curve else _call(study, p, call, first))
    return _noted(
        "; ".join(calls), [*(["this outcome alone"] if _joined(study) else []), *_differences(study, parts, first)]
    )


def _in_one(study: Study, parts: tuple[Predictor, ...], first: float) -> str:
    """One call for the location and one parameter of the family: zeros that are no counts, or a residual SD of each group."""
    location, part, *more = parts
    o = study.outcomes[location.outcome]
    call = o.family.r_call(_column(study, o.column), part.name)
    if call is None or more or not call.inside or location.trajectory.r_curve(_time(study), first):
        return f"{NONE} (the {CALLED[part.name]} has a predictor of its own)"
    if why := _why_not(study, location, first) or _why_not(study, part, first):
        return f"{NONE} ({why})"
    if not call.by_group:
        inside = call.inside.replace("{}", _linear(study, part, first))
        told = _call(study, location, replace(call, arguments=(inside, *call.arguments)), first)
    elif why := _not_by_group(study, location, part):
        return f"{NONE} ({why})"
    else:
        group = call.inside.replace("{}", _covariate(study, part.covariates[0]))
        told = _linear_nlme(study, location, call.response, first, (group,))
    return _noted(told, [*(["this outcome alone"] if _joined(study) else []), *_differences(study, parts, first)])


def _not_by_group(study: Study, location: Predictor, part: Predictor) -> str:
    """Why nlme does not fit a parameter of the family that has a predictor of its own; empty where it is one value in each group."""
    if not location.effects or part.effects or part.moderators or part.trajectory.moves or len(part.covariates) != 1:
        return f"the {CALLED[part.name]} is more than one value in each group"
    return "" if study.covariates[part.covariates[0]].levels else f"the {CALLED[part.name]} follows a number"


def _hanging_together(study: Study, outcome: str, residual: Residual, first: float) -> str:
    """A normal outcome whose residuals have a covariance, by nlme."""
    o, (p, *_) = study.outcomes[outcome], predictors(study, outcome)
    call = o.family.r_call(_column(study, o.column))
    if o.predictors or call is None or not call.normal:
        return f"{NONE} (residuals that hang together, and more)"
    if why := _why_not(study, p, first):
        return f"{NONE} ({why})"
    told = residual.r_arguments(_time(study), _column(study, study.patient), o.trajectory)
    notes = [*(["this outcome alone"] if _joined(study) else []), *_differences(study, (p,), first)]
    return _noted(_linear_nlme(study, p, call.response, first, told), notes)


def _linear_nlme(study: Study, p: Predictor, response: str, first: float, told: tuple[str, ...]) -> str:
    """A linear mixed model by nlme, or without patients' effects a linear one. told: what it is told of residuals"""
    clocks, patient = _clocks(study, p, first), _column(study, study.patient)
    terms = _own_terms(study, p, clocks)
    random = f"random = ~ {_inner(terms)} | {patient}"
    if len(p.effects) > 1 and not correlated(study, p):
        random = f"random = list({patient} = nlme::pdDiag(~ {_inner(terms)}))"
    arguments = ["data = d", *([random] if terms else []), *told, "na.action = na.omit"]
    fixed = " + ".join(_fixed(study, p, clocks))
    return f"nlme::{'lme' if terms else 'gls'}({response} ~ {fixed}, {', '.join(arguments)})"


def _call(study: Study, p: Predictor, call: Call, first: float) -> str:
    o = study.outcomes[p.outcome]
    clocks = _clocks(study, p, first)
    right = _fixed(study, p, clocks)
    terms = _own_terms(study, p, clocks)
    apart = [[term] for term in terms]
    own = apart if not correlated(study, p) else [terms]
    right += [f"({_inner(t)} | {_column(study, study.patient)})" for t in own]
    if o.exposure and p.name == LOCATION:
        right.append(f"offset(log({_column(study, o.exposure)}))")
    mixed = bool(terms) or o.family.per_row()
    told = ", ".join(["data = d", *call.arguments])
    return f"{call.mixed if mixed else call.alone}({call.response} ~ {' + '.join(right)}, {told})"


def _inner(terms: list[str]) -> str:
    """Patient-level terms as they stand before the bar."""
    return " + ".join(terms if "1" in terms else ["0", *terms])


def _nlme(study: Study, p: Predictor, call: Call, curve: str) -> str:
    """Patients differ in a half-time by factors, so that its logarithm is what is normal."""
    called, starts = {c.name: c.name for c in p.coefficients}, dict(_starts(study, p))
    for c in (e.coefficient for e in p.effects if not e.linear):
        called[c], curve, starts[c] = f"log_{c}", curve.replace(c, f"exp(log_{c})"), math.log(starts[c])
    start = ", ".join(f"{called[c]} = {value:.3g}" for c, value in starts.items())
    told = ", ".join(["data = d", *call.arguments])
    if not p.effects:
        return f"stats::nls({call.response} ~ {curve}, {told}, start = c({start}))"
    varying, patient = " + ".join(called[e.coefficient] for e in p.effects), _column(study, study.patient)
    random = f"random = {varying} ~ 1 | {patient}"
    if len(p.effects) > 1 and not correlated(study, p):
        random = f"random = nlme::pdDiag({varying} ~ 1), groups = ~ {patient}"
    fixed = f"fixed = {' + '.join(called.values())} ~ 1"
    return f"nlme::nlme({call.response} ~ {curve}, {told}, {fixed}, {random}, start = c({start}), na.action = na.omit)"


def _starts(study: Study, p: Predictor) -> Mapping[str, float]:
    """Where a search may begin, by coefficient."""
    listed = parameters(study, p.outcome)
    priors = {c.name: listed[p.prefix + c.name].prior for c in p.coefficients}
    middle = {c: float(prior.quantile(0.5)) for c, prior in priors.items() if prior is not None}
    better = 1 if study.outcomes[p.outcome].better == "higher" else -1
    return p.trajectory.r_starts(middle, better * p.scale.spread)


def _no_curve(study: Study, p: Predictor, call: Call) -> str:
    """Why nlme does not fit a curve that is not linear in its coefficients; empty where it does."""
    if not call.normal:
        return f"trajectory {p.trajectory.kind} with family {study.outcomes[p.outcome].family.kind}"
    return f"covariates on a {p.trajectory.kind}" if p.covariates or p.moderators else ""


def brms(study: Study, outcome: str, first: float = 0.0) -> str:
    """The equivalent brms formula, or why there is no short one. first: the earliest time in the table."""
    o = study.outcomes[outcome]
    if o.residual is not None:
        return "no short equivalent in brms (residuals that hang together)"
    if not (written := o.family.r_family(o.predictors)):
        return f"no equivalent in brms (family {o.family.kind})"
    limits = bounds(study, outcome)
    told = [*o.family.r_additions(), *([f"se({_column(study, o.error)}, sigma = TRUE)"] if o.error else [])]
    if limits:
        told.append(f"cens({', '.join(_column(study, c) for c in (limits.censored, limits.upper) if c)})")
    left = " | ".join([_column(study, limits.value if limits else o.column), *([" + ".join(told)] if told else [])])
    location, *rest = predictors(study, outcome)
    notes = ["with those of the other outcomes, + set_rescor(FALSE), in one brm()"] if _joined(study) else []
    notes += _differences(study, (location, *rest), first)
    for p in rest:
        why = _why_not(study, p, first) or ("" if p.name in o.family.r_parts else "brms calls it otherwise")
        if why:
            return f"no short equivalent in brms (the {CALLED[p.name]}: {why})"
    parts = "".join(f", {o.family.r_parts[p.name]} ~ {_linear(study, p, first)}" for p in rest)
    family = f", family = {written}"
    exposure = f"log({_column(study, o.exposure)})" if o.exposure else ""
    if curve := location.trajectory.r_curve(_time(study), first, "fmax"):
        if location.covariates or location.moderators or o.family.anchored or o.family.per_row():
            why = "thresholds" if o.family.anchored else "observation effects" if o.family.per_row() else "covariates"
            return f"no short equivalent in brms ({why} on a {location.trajectory.kind})"
        right = _nonlinear(study, location, curve, f" + {exposure}" if exposure else "")
        return _noted(f"bf({left} ~ {right}{parts}, nl = TRUE{family})", notes)
    if why := _why_not(study, location, first):
        return f"no short equivalent in brms ({why})"
    offset = f" + offset({exposure})" if exposure else ""
    return _noted(f"bf({left} ~ {_linear(study, location, first)}{offset}{parts}{family})", notes)


def _nonlinear(study: Study, p: Predictor, curve: str, exposure: str) -> str:
    """A curve and its parameters; brms hands the curve to Stan, and allows no underscore in a parameter's name."""
    own = [e.coefficient for e in p.effects]
    called: dict[str, str] = {}
    for c in p.coefficients:
        by_factors = not c.linear and c.name in own  # patients differ in it so
        called[c.name] = f"log{c.name.partition('_')[0]}" if by_factors else c.name.replace("_", "")
        curve = re.sub(rf"\b{c.name}\b", f"exp({called[c.name]})" if by_factors else called[c.name], curve)
    bar = _bar(study, p, separate=True)
    parameters = [
        f"{called[c.name]} ~ 1{f' + (1 {bar} {_column(study, study.patient)})' if c.name in own else ''}"
        for c in p.coefficients
    ]
    return f"{curve}{exposure}, {', '.join(parameters)}"


def _linear(study: Study, p: Predictor, first: float) -> str:
    """Fixed and patient-level terms, for brms, of a predictor that is linear in all its coefficients."""
    clocks = _clocks(study, p, first)
    terms = _own_terms(study, p, clocks)
    patients = [f"({_inner(terms)} {_bar(study, p)} {_column(study, study.patient)})"] if terms else []
    return " + ".join([*_fixed(study, p, clocks), *patients])


def _own_terms(study: Study, p: Predictor, clocks: Mapping[str, str]) -> list[str]:
    """What the coefficients in which patients differ multiply: a factor once, for all its levels."""
    terms = [_covariate(study, _owner(study, p, e.column)) if e.column else clocks[e.coefficient] for e in p.effects]
    return list(dict.fromkeys(terms))


def _owner(study: Study, p: Predictor, column: str) -> str:
    """The covariate of which a design column is."""
    return next(n for n in p.covariates if column in design(study, n))


def _fixed(study: Study, p: Predictor, clocks: Mapping[str, str]) -> list[str]:
    """The terms of all patients, and those of single rows."""
    family = study.outcomes[p.outcome].family
    first, *moving = clocks.values()
    fixed = [*([] if family.anchored and moving else [first]), *moving]
    fixed += [_covariate(study, c) for c in p.covariates if not study.covariates[c].group]
    fixed += [
        f"{_covariate(study, c)}:{clock}" for c in p.moderators for clock in moving if not study.covariates[c].group
    ]
    fixed += _of_groups(study, p, moving)
    return [*fixed, f"(1 | {_row(study)})"] if family.per_row() else fixed


def _of_groups(study: Study, p: Predictor, moving: Sequence[str]) -> list[str]:
    """Terms of groups, whose coefficients are drawn from one distribution, independent of each other."""
    grouped = [(n, "1") for n in p.covariates] + [(n, f"0 + {clock}") for n in p.moderators for clock in moving]
    return [f"({term} | {_column(study, table_column(study, n))})" for n, term in grouped if study.covariates[n].group]


def _clocks(study: Study, p: Predictor, first: float) -> Mapping[str, str]:
    """What each coefficient multiplies."""
    return p.trajectory.r_terms(_time(study), first)


def _why_not(study: Study, p: Predictor, first: float) -> str:
    """Why a predictor has no formula of fixed and patient-level terms; empty where it has one."""
    clocks = _clocks(study, p, first)
    if not clocks:
        return f"trajectory {p.trajectory.kind}"
    own = {e.column: _owner(study, p, e.column) for e in p.effects if e.column}
    levels = [
        n for column, n in own.items() if column != n
    ]  # R leaves out the reference only beside an intercept in the same bracket
    if levels and not (correlated(study, p) and any(clocks.get(e.coefficient) == "1" for e in p.effects)):
        return f"patients differ in the effect of the levels of {levels[0]}, on its own"
    if apart := [e.coefficient for e in p.effects if not e.column and e.coefficient not in clocks]:
        return f"patients differ in {apart[0]}, which is no term of R"
    moving = [*clocks.values()][1:]
    present = {frozenset[str](), *(frozenset([clock]) for clock in moving)}
    grouped = {n for n in (*p.covariates, *p.moderators) if study.covariates[n].group}
    terms = [frozenset(_parts(study, c)) for c in p.covariates if c not in grouped]
    terms += [frozenset([*_parts(study, c), clock]) for c in p.moderators for clock in moving if c not in grouped]
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
    """A covariate as its coefficient multiplies it: from `typical` and per `scale`, or the factor that `table` made of it."""
    c = study.covariates[covariate]
    if c.product:
        return ":".join(_covariate(study, part) for part in c.product)
    column = _column(study, table_column(study, covariate))
    if c.levels:
        return column
    assert c.typical is not None
    assert c.scale is not None
    return together(_centred(c, column, c.typical, c.scale))


def _centred(c: Covariate, column: str, typical: float, scale: float) -> str:
    if c.transform == "log":
        ratio = column if typical == 1 else f"{column}/{number(typical)}"
        return f"log({ratio})/log({number(scale)})"
    if c.transform == "sqrt":
        moved = f"sqrt({column})" if typical == 0 else f"sqrt({column}) - sqrt({number(typical)})"
    else:
        moved = minus(column, typical)
    if scale == 1:
        return moved
    return f"{moved}/{number(scale)}" if typical == 0 else f"({moved})/{number(scale)}"


def _column(study: Study, column: str) -> str:
    """What R calls a column of the table that was written."""
    return names(columns(study, all_bounds(study)))[column]


def _time(study: Study) -> str:
    return _column(study, study.time.column)


def _row(study: Study) -> str:
    return names([*columns(study, all_bounds(study)), ROW])[ROW]


def _noted(call: str, notes: list[str]) -> str:
    return f"{call}  # {'; '.join(notes)}" if notes else call


def _differences(study: Study, parts: tuple[Predictor, ...], first: float) -> list[str]:
    """Notes on what R does otherwise: covariates that are imputed here, and coefficients that are not ours."""
    other = any(_clocks(study, p, first).keys() - {c.name for c in p.coefficients} for p in parts)
    asked = dict.fromkeys(n for p in parts for n in base(study, (*p.covariates, *p.moderators)))
    notes = [f"without rows that lack {n}" for n in asked if study.covariates[n].missing == "imputed"]
    return [*notes, *(["the same curves by other coefficients"] if other else [])]


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
