"""A study in words and in formula; priors in clinical units (in R: `in_r`)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesmyo.components.estimands import Criteria, Estimand, free_words, in_words
from bayesmyo.components.families.link import CALLED
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.study.covariates import base, columns, of_patients, table_column
from bayesmyo.study.design import Design, FollowUp, Randomised
from bayesmyo.study.in_r.terms import correlated
from bayesmyo.study.parameters import Parameter, all_parameters, parameters
from bayesmyo.study.predictors import Block, Predictor, blocks, predictors
from bayesmyo.study.study import Covariate, Response, Study


@dataclass(frozen=True)
class PriorLine:
    """One prior as a reader sees it: the distribution, its scale, and what it holds likely in clinical units.

    Attributes
    ----------
    prior, unit
        Text of the prior language, and the unit of its numbers (on the link scale: `log IU/L`).
    median, lower, upper
        Its middle and its equal-tailed interval, of the study's mass, in `natural_unit`.
    stated
        Whether the study states it; else it is the default.
    """

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
    """The model of one outcome in a few sentences."""
    o = study.outcomes[outcome]
    location, *rest = predictors(study, outcome)
    text = f"{study.label(outcome)} ({o.unit}, {o.family.kind}, {o.better} is better) {_movement(study, location)}."
    if location.effects:
        together = " (correlated)" if correlated(study, location) else ""
        text += f" Patients differ in their {listing([e.coefficient for e in location.effects])}{together}."
        if o.trajectory.moves and [e.coefficient for e in location.effects] == [location.coefficients[0].name]:
            text += " All change alike: intervals of change are too narrow if they do not."
    elif o.residual is None or not o.residual.by_visit:
        text += " All patients share one curve."
    text += _covariate_words(location)
    if o.residual is not None:
        text += f" {o.residual.sentence}"
    for part in rest:
        text += f" The {CALLED[part.name]} {_movement(study, part)}"
        text += f"; patients differ in its {listing([e.coefficient for e in part.effects])}." if part.effects else "."
        text += _covariate_words(part)
    if remark := o.family.remark():
        text += f" {remark}"
    if o.exposure:
        text += f" Events are counted per {o.exposure}."
    if o.error:
        text += f" Each measurement has a known error of its own, {o.error}, beside the residual SD."
    if o.censoring == "as typed":
        text += " Cells such as <20, >2000 and 20..50 count as known only to lie beyond or between limits."
    elif o.limits:
        ends = ((o.limits.below, "less"), (o.limits.above, "more"))
        text += f" A value of {listing([f'{v:g} means {v:g} or {more}' for v, more in ends if v is not None])}."
    return text


def design(study: Study, d: Design, patients: str = "") -> str:
    """Whom a simulated cohort holds, and when they are seen.

    Parameters
    ----------
    patients
        How many, in words, where it is not the design's own number.
    """
    unit, v, f = study.time.unit, d.visits, d.follow_up
    every = f", then every {v.then_every:g}" if v.then_every else ""
    jitter = f" (moved by a jitter of SD {v.jitter:g})" if v.jitter else ""
    first = listing([f"{t:g}" for t in v.first])
    text = f"{patients or f'{d.patients:,}'} patients, visits planned at {unit} {first}{every}{jitter}; "
    if isinstance(f, FollowUp):
        text += f"followed for {f.mean:g} {unit}s on average (SD {f.sd:g}, at most {f.maximum:g})"
    else:
        text += f"followed for {f:g} {unit}s"
    if d.loss and d.loss.hazard:
        text += f", lost at a rate of {d.loss.hazard:g} a {unit}"
    if d.accrual:
        text += f"; patients enter at a rate of {d.accrual:g} a {unit}"
    if d.missing:
        text += f"; {d.missing:.0%} of cells are missing"
    for column, mean in d.exposure.items():
        text += f"; {mean:g} {column} a visit on average"
    for name in of_patients(study):
        c, r = study.covariates[name], d.randomised
        if c.levels and r is not None and name == r.covariate:
            text += f"; {name}: {_randomised(r, c.levels)}"
        elif c.levels:
            shares = c.shares or (1 / len(c.levels),) * len(c.levels)
            groups = listing([f"{share:.0%} {level}" for level, share in zip(c.levels, shares, strict=True) if share])
            how = "balanced after every patient" if name in (d.balanced or ()) else "drawn by chance"
            text += f"; {name}: {groups}, {how}"
    return text + "."


def _randomised(r: Randomised, levels: Sequence[str]) -> str:
    """How groups are allocated by blocks."""
    ratio = ":".join(map(str, r.parts(len(levels))))
    within = f" within {listing([f'each {name}' for name in r.strata])}" if r.strata else ""
    sizes = " or ".join(map(str, r.blocks))
    return f"{listing(list(levels))} {ratio}, randomised in permuted blocks of {sizes}{within}"


def covariates(study: Study) -> list[str]:
    """Each covariate in a line: its levels and reference, or what its coefficient is per; whose it is; what becomes of
    missing values."""
    return [f"{name}{_covariate(study, name, c)}" for name, c in study.covariates.items()]


def _covariate(study: Study, name: str, c: Covariate) -> str:
    if c.product:
        return f": the product of {listing(list(c.product))}"
    whose = f" (column {table_column(study, name)}, of {c.varies})"
    if c.group and c.levels:
        return f"{whose}: {', '.join(c.levels[:-1])}: their shifts are drawn from one normal distribution"
    if c.levels:
        text = f"{c.levels[0]} (reference), {', '.join(c.levels[1:])}"
        if c.map:
            text += f"; {listing([f'{cell} stands for {level}' for cell, level in c.map.items()])}"
    else:
        unit = f" {c.unit}" if c.unit else ""
        by = {
            "none": f"{c.scale:g}{unit}",
            "log": f"a factor of {c.scale:g}",
            "sqrt": f"{c.scale:g} of the square root",
        }
        text = f"coefficients are per {by[c.transform]}, from {c.typical:g}{unit}"
        ends = [f"{word} {end:g}" for word, end in (("at least", c.minimum), ("at most", c.maximum)) if end is not None]
        text += f"; legal values are {listing(ends)}{unit}" if ends else ""
    return f"{whose}: {text}{'; missing values are imputed' if c.missing == 'imputed' else ''}"


def _movement(study: Study, p: Predictor) -> str:
    link = study.outcomes[p.outcome].family.part(p.name).link_name
    text = p.trajectory.sentence + (f" on the {link} scale" if link != "identity" else "")
    if p.trajectory.moves and p.trajectory.origin != 0:
        text += f"; time runs from {study.time.unit} {p.trajectory.origin:g}"
    if p.trajectory.before == "trend":
        text += f"; the same curve runs on before {study.time.unit} 0"
    elif p.trajectory.runs_on:
        text += f"; before {study.time.unit} {p.trajectory.start:g} it stands at its level there"
    return text


def _covariate_words(p: Predictor) -> str:
    equal = [m for m in p.moderators if m not in p.covariates and not p.prefix]
    of = "it" if p.prefix else "the level"
    said = (
        (p.covariates, ("shifts", "shift"), f"{of}."),
        (p.moderators, ("moderates", "moderate"), "the change."),
        (equal, ("does", "do"), "not shift the level: baselines are taken as equal."),
    )
    return "".join(
        f" {listing(list(names)).capitalize()} {verb[len(names) > 1]} {rest}" for names, verb, rest in said if names
    )


def correlation_words(study: Study) -> str:
    """How the patients' effects, and residuals, hang together, over the whole study."""
    words = _effects_words(study)
    if named := study.correlate_residuals:
        labels = listing([study.label(n) for n in named])
        words += f"; residuals of {labels} correlated at a visit ({study.correlation_prior})"
    return words


def _effects_words(study: Study) -> str:
    if study.correlate == "across outcomes":
        n = sum(len(b.effects) for b in blocks(study) if len(b.effects) > 1)
        return f"effects correlated across outcomes ({n} effects, {study.correlation_prior})"
    return "effects correlated within each outcome" if study.correlate == "within outcomes" else "effects independent"


def formula(study: Study, outcome: str) -> list[str]:
    """The model of one outcome in formula, one line each.

    `[i, t]` is of patient i at time t, `[i]` of the patient, `[k]` of a level of a group.
    """
    o, parts = study.outcomes[outcome], predictors(study, outcome)
    of_visits = "|".join(["eta", *(_name(study, p) for p in parts)])
    lines = []
    for part in o.family.written(o.predictors).split(";"):
        line = re.sub(r"\by\b", f"{outcome}[i, t]", part.strip())
        lines.append(re.sub(rf"\b({of_visits})\b", r"\1[i, t]", line))
    if o.error:
        lines = [re.sub(r"\bsigma\b(\[i, t\])?", rf"sqrt(sigma\1^2 + {o.error}[i, t]^2)", line) for line in lines]
    lines += [line for p in parts for line in (_curve(study, p), *_coefficients(study, p))]
    if o.residual is not None:
        lines += o.residual.written(outcome)
    if outcome in study.correlate_residuals:
        beside = [n for n in study.correlate_residuals if n != outcome]
        lines.append(f"residuals at a visit are correlated with those of {listing(beside)}")
    pooled = {q.pooled.sd for q in parameters(study, outcome).values() if q.pooled}
    lines += [f"{sd.removeprefix('sd_')}[k] ~ Normal(0, {sd})" for sd in sorted(pooled)]
    return lines + [line for block in blocks(study) for line in _effects(block, outcome)]


def _curve(study: Study, p: Predictor) -> str:
    """The line of one linear predictor."""
    o, curve = study.outcomes[p.outcome], p.trajectory.written
    own = {e.coefficient for e in p.effects}
    for c in p.coefficients:
        unmoved = c.fixed is not None and c.name not in own
        curve = re.sub(rf"\b{c.name}\b", "0" if unmoved else p.prefix + c.name, curve)
    apart = {e.column: f" + b_{e.key}[i]" for e in p.effects if e.column}
    shifts = "".join(_shift(study, p, c, apart) for c in p.covariates)
    exposure = f" + log({o.exposure}[i, t])" if o.exposure and not p.prefix else ""
    name = f"{_name(study, p)}[i, t]"
    return f"{name if name.startswith('eta') else f'{o.family.links[p.name]}({name})'} = {curve}{shifts}{exposure}"


def _coefficients(study: Study, p: Predictor) -> Iterator[str]:
    """A line for each coefficient in which patients differ, or that moderators shift."""
    varying = {e.coefficient: e.key for e in p.effects}
    for c in p.coefficients:
        name, key = p.prefix + c.name, varying.get(c.name)
        moved = "".join(_shift(study, p, m, {}, f"{c.name}_") for m in (p.moderators if c in p.moderated else ()))
        if key and not c.linear:
            yield f"{name}[i] = {name} * exp(b_{key}[i])"
        elif key or moved:
            yield f"{name}[i] = {name if c.fixed is None else '0'}{moved}{f' + b_{key}[i]' if key else ''}"


def _effects(block: Block, outcome: str) -> Iterator[str]:
    """The distribution of the effects of an outcome in a block of correlated ones."""
    mine = [f"b_{e.key}" for e in block.effects if e.outcome == outcome]
    others = len(block.effects) - len(mine)
    if len(mine) > 1 or (mine and others):
        several = "s" if others or len(mine) > 2 else ""
        with_others = " with those of the other outcomes" if others else ""
        yield f"({', '.join(mine)})[i] ~ MvNormal(0, SDs and correlation{several}){with_others}"
    elif mine:
        yield f"{mine[0]}[i] ~ Normal(0, sd_{mine[0][2:]})"


def _name(study: Study, p: Predictor) -> str:
    """What formulas call a predictor, or the parameter of which it is the logarithm."""
    logarithm = study.outcomes[p.outcome].family.links.get(p.name) == "log"
    return p.name if logarithm else f"eta_{p.name}" if p.prefix else "eta"


def _shift(study: Study, p: Predictor, covariate: str, own: dict[str, str], of: str = "") -> str:
    """What a covariate adds to the level, or to the coefficient `of`. own: by column what patients add to its
    coefficient"""
    if study.covariates[covariate].group:
        return f" + {p.prefix}{of}{covariate}[{covariate}[i]]"
    at = "[i, t]" if any(_at_visits(study, c) for c in columns(study, covariate)) else "[i]"
    told = {c: p.prefix + of + c for c in columns(study, covariate)}
    return "".join(f" + {f'({name}{own[c]})' if c in own else name} * {c}{at}" for c, name in told.items())


def _at_visits(study: Study, column: str) -> bool:
    owner = next(n for n in study.covariates if column in columns(study, n))
    parts = study.covariates[owner].product or (owner,)
    return any(study.covariates[p].varies == "visits" for p in parts)


def estimands(study: Study) -> dict[str, str]:
    """What is asked, by name: the number, in whom, and what its levels are."""
    return {n: f"{number(study, e)}, {e.whom} ({summary(study, e)})" for n, e in study.estimands.items()}


def summary(study: Study, e: Estimand) -> str:
    """What an estimand's levels are: `measurement`, `geometric mean` or `mean`; of a share, `expected value`."""
    if e.predicts == "measurement":
        return "measurement"
    if e.amount_of is None:
        return "expected value"
    geometric = study.outcomes[e.amount_of].family.geometric and e.summary != "mean"
    return "geometric mean" if geometric else "mean"


def who(study: Study, e: Estimand) -> str:
    """The population of an estimand, as a sentence begins."""
    notes = {"geometric mean": " (geometric mean)", "measurement": " (a measurement)" if e.amount_of else ""}
    return e.whom[0].upper() + e.whom[1:] + notes.get(summary(study, e), "")


def number(study: Study, e: Estimand) -> str:
    """What number an estimand is, in the middle of a sentence: groups and given covariates included."""
    during = f" during {study.treatment}" if study.treatment and e.compares else ""
    text = f"the {e.sentence(study.named, study.time.unit)}{during}{e.about_events(study.named)}"
    if early := sorted({t for t in e.times() for o in e.outcomes if t < study.declared[o].trajectory.start}):
        text += f" (at {study.time.unit} {listing([f'{t:g}' for t in early])} the level is that at the start)"
    if e.contrast is not None:
        level, reference = (_value(study, e.contrast.covariate, v) for v in (e.contrast.level, e.contrast.reference))
        text += f" with {level} {'divided by' if e.relative else 'minus'} that with {reference}"
    held = {**_held(study, e), **e.given}
    if held:
        text += f"{', both' if e.contrast else ''} with {listing([_value(study, k, v) for k, v in held.items()])}"
    return text


def own_number(study: Study, e: Estimand) -> str:
    """The same asked of one patient: of the patient's own curve, not of an average one."""
    of_all, of_one = (a.sentence(study.named, study.time.unit) for a in (e, replace(e, population="average patient")))
    return number(study, e).replace(of_all, of_one)


def subject(study: Study, e: Estimand) -> str:
    """What a decision calls its estimand, in the middle of a sentence."""
    return f"{number(study, e)}, {e.whom},"


def criteria(study: Study, r: Response, asked: Criteria) -> str:
    """The criteria of one category of response in words, and the events of which one must be free; `everyone else`
    where there are none."""
    if not asked:
        return "everyone else"
    named = study.named
    met = in_words(asked, lambda o: (named[o].label, named[o].unit), f"{study.time.unit} {r.from_:g}")
    return met + free_words(r.free, lambda event: named[event].label, study.time.unit)


def _held(study: Study, e: Estimand) -> dict[str, str | float]:
    """Covariates that nothing else sets: those of visits, and all of the average patient, stand at the reference or
    typical value."""
    held: dict[str, str | float] = {}
    asked = [c for declared in (*e.outcomes, *e.stops) for c in study.declared[declared].named]
    for name in base(study, asked):
        c = study.covariates[name]
        unset = c.varies == "visits" or (e.population == "average patient" and not c.group)
        if unset and not (e.contrast and e.contrast.covariate == name):
            held[name] = c.levels[0] if c.levels else c.typical or 0.0
    return held


def _value(study: Study, covariate: str, value: str | float) -> str:
    label = in_sentence(study.covariates[covariate].label or covariate)
    return f"{label} {value if isinstance(value, str) else format(value, 'g')}"


def priors(study: Study) -> list[PriorLine]:
    """Every prior of the study with its middle and its interval in clinical units."""
    tail = (1 - study.interval) / 2
    lines = []
    for p in all_parameters(study):
        lower, median, upper = (float(_natural(p, q)) for q in (tail, 0.5, 1 - tail))
        o = study.outcomes.get(p.outcome)
        stated = o is not None and (p.name in o.priors or (p.role == "threshold" and "thresholds" in o.priors))
        stated = stated or (p.role == "correlation" and str(p.prior) == study.correlation_prior != "lkj(2)")
        lines.append(PriorLine(p.outcome, p.name, str(p.prior), p.unit, median, lower, upper, p.natural_unit, stated))
    return lines


def _natural(p: Parameter, q: float) -> float:
    """A quantile of a prior in clinical units; infinite where a prior believes in more than a number can hold."""
    assert p.prior is not None
    with np.errstate(over="ignore"):
        return float(p.natural(p.prior.quantile(q)))
