"""What covariates, and the outcomes that use them, may get wrong though they are well formed."""

import math
from collections.abc import Mapping

from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.limits import STUDY_COEFFICIENTS
from bayesmyo.study.covariates import slugs
from bayesmyo.study.faults import Faults, positive, unknown, upside_down
from bayesmyo.study.study import NEW, Covariate, Distributional, Event, Group, Outcome

KEYS_OF_COLUMNS = ("column", "varies", "missing", "minimum", "maximum")


def covariate(name: str, c: Covariate, declared: Mapping[str, Covariate]) -> Faults:
    """Faults of one [covariates.NAME]; those of a group are told where it is declared."""
    if c.group:
        return
    where = f"covariates.{name}"
    forms = {"levels": c.levels, "typical": c.typical, "product": c.product}
    stated = [key for key, value in forms.items() if value is not None]
    if len(stated) != 1:
        what = "must be exactly one of categorical, numeric and a product"
        mend = (
            "give levels if it is categorical, typical and scale if it is numeric, product if it is a product of others"
        )
        yield Fault(where, what, ", ".join(stated), mend)
    elif c.levels is not None:
        yield from _levels(where, c)
    elif c.typical is not None:
        yield from _numeric(where, c, c.typical)
    else:
        yield from _product(where, name, c.product or (), declared)


def groups(declared: Mapping[str, Group], covariates: Mapping[str, Covariate]) -> Faults:
    """Faults of [groups.*]."""
    for name, g in declared.items():
        where = f"groups.{name}"
        if name in covariates:
            mend = "declare it once: its coefficients are pooled, or they are not"
            yield Fault(where, "is a covariate too", mend=mend)
        if NEW in g.levels:
            what = "is the level of every group that is not in the table"
            yield Fault(f"{where}.levels", what, f'"{NEW}"', "call it otherwise")
        yield from _levels(where, Covariate(levels=g.levels, map=g.map))


def _levels(where: str, c: Covariate) -> Faults:
    levels = c.levels or ()
    yield from _only(where, c, "categorical", ("scale", "transform", "minimum", "maximum"))
    if len(levels) < 2:
        yield Fault(f"{where}.levels", "needs two levels or more, the reference first", str(list(levels)))
    if len({*slugs(levels)}) < len(levels):
        yield Fault(f"{where}.levels", "are not distinct in letters and digits", str(list(levels)))
    for text, level in (c.map or {}).items():
        if not text.strip() or text != text.strip():
            mend = "an empty cell is missing" if not text.strip() else ""
            yield Fault(f"{where}.map", "must be a text without white space around it", f'"{text}"', mend)
        if level not in levels:
            mend = did_you_mean(level, levels).replace("allowed:", "levels:")
            yield Fault(f"{where}.map", f'"{text}" stands for no level', f'"{level}"', mend)
        if text in levels and text != level:
            yield Fault(f"{where}.map", "is itself a level", f'"{text}"', "a level stands for itself")
    if c.shares is not None and (len(c.shares) != len(levels) or min(c.shares) <= 0 or abs(sum(c.shares) - 1) > 1e-6):
        yield Fault(f"{where}.shares", f"must be {len(levels)} positive shares that sum to 1", str(list(c.shares)))
    if c.missing == "imputed":
        mend = 'impute numeric covariates only; give patients without a value a level of their own, such as "unknown"'
        yield Fault(f"{where}.missing", "a level cannot be imputed", '"imputed"', mend)


def _numeric(where: str, c: Covariate, typical: float) -> Faults:
    yield from _only(where, c, "numeric", ("shares", "map"))
    if c.scale is None:
        mend = "say how far patients differ in it: its coefficient is the effect of one scale"
        yield Fault(f"{where}.scale", "is missing", mend=mend)
    elif c.transform == "log" and c.scale <= 1:
        what = "must be a ratio above 1, because the transform is the log"
        yield Fault(f"{where}.scale", what, f"{c.scale:g}")
    else:
        yield from positive(where, scale=c.scale)
    if (c.transform == "log" and typical <= 0) or (c.transform == "sqrt" and typical < 0):
        yield Fault(f"{where}.typical", f"has no {c.transform}", f"{typical:g}")
    if disorder := [*upside_down(where, c.minimum, c.maximum)]:
        yield from disorder
    elif beyond := c.beyond(typical):
        yield Fault(f"{where}.typical", beyond, f"{typical:g}")
    if c.missing == "imputed" and c.varies == "visits":
        yield Fault(f"{where}.missing", "only patient-level covariates can be imputed", '"imputed"')


def _product(where: str, name: str, factors: tuple[str, ...], declared: Mapping[str, Covariate]) -> Faults:
    at = f"{where}.product"
    faults = [*_only(where, declared[name], "a product", (*KEYS_OF_COLUMNS, "scale", "transform", "shares", "map"))]
    if len(factors) < 2 or len(set(factors)) < len(factors):
        faults.append(Fault(at, "must name two covariates or more, each once", str(list(factors))))
    for factor in factors:
        if factor not in declared:
            mend = did_you_mean(factor, [n for n in declared if n != name])
            faults.append(Fault(at, "names no covariate", f'"{factor}"', mend))
        elif declared[factor].group:
            faults.append(Fault(at, "a group is no factor of a product", f'"{factor}"', "name it among the moderators"))
        elif declared[factor].product:
            faults.append(Fault(at, "a product of products is not understood", f'"{factor}"', "name all factors"))
    yield from faults
    if not faults and (width := _width(name, declared)) > STUDY_COEFFICIENTS:
        yield Fault(at, f"has more than {STUDY_COEFFICIENTS} coefficients", f"{width:,}")


def _width(name: str, declared: Mapping[str, Covariate]) -> int:
    """How many coefficients a covariate has; 0 of one that is not declared."""
    factors = [declared[n] for n in (declared[name].product or (name,)) if n in declared] if name in declared else []
    return math.prod(len(c.levels or (0, 0)) - 1 for c in factors) if factors else 0


def _only(where: str, c: Covariate, what: str, foreign: tuple[str, ...]) -> Faults:
    """Keys that do not belong to this form of covariate."""
    for key in foreign:
        if getattr(c, key) != getattr(Covariate(), key):
            yield Fault(f"{where}.{key}", f"is not a key of a covariate that is {what}")


def part(where: str, o: Outcome | Distributional | Event, declared: Mapping[str, Covariate]) -> Faults:
    """Faults of the covariates and moderators that an outcome, or a parameter of it, names."""
    for key, names in (("covariates", o.covariates), ("moderators", o.moderators)):
        for name in names:
            mend = None if declared else f"declare [covariates.{name}]"
            yield from unknown(f"{where}.{key}", name, declared, "is no covariate of this study", mend)
        if len(set(names)) < len(names):
            yield Fault(f"{where}.{key}", "names a covariate twice", str(list(names)))
    if (width := sum(_width(name, declared) for name in (*o.covariates, *o.moderators))) > STUDY_COEFFICIENTS:
        what = f"has more than {STUDY_COEFFICIENTS} coefficients of covariates and moderators"
        yield Fault(where, what, f"{width:,}", "name fewer, or merge levels")
        return
    if o.moderators and not o.trajectory.moves:
        yield Fault(f"{where}.moderators", f"a {o.trajectory.kind} trajectory has no change to moderate")


def correlation_prior(text: str) -> Faults:
    """The prior of the correlations of three effects or more is an LKJ distribution."""
    where = "study.correlation_prior"
    try:
        prior = Prior.parse(text)
    except ValueError as error:
        yield Fault(where, str(error), f'"{text}"')
    else:
        if prior.support != "correlation":
            yield Fault(where, "has the wrong support", f'"{text}"', 'write "lkj(2)"')
