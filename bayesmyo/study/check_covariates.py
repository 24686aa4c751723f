"""What covariates, and the outcomes that use them, may get wrong though they are well formed."""

import math
from collections.abc import Mapping

from bayesmyo.components.priors import Alone, Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.limits import STUDY_COEFFICIENTS
from bayesmyo.study.covariates import slugs
from bayesmyo.study.study import NEW, Covariate, Distributional, Group, Outcome

KEYS_OF_COLUMNS = ("column", "varies", "missing", "minimum", "maximum")


def covariate(name: str, c: Covariate, declared: Mapping[str, Covariate]) -> list[Fault]:
    """Faults of one [covariates.NAME]; those of a group are told where it is declared."""
    if c.group:
        return []
    where = f"covariates.{name}"
    forms = {"levels": c.levels, "typical": c.typical, "product": c.product}
    stated = [key for key, value in forms.items() if value is not None]
    if len(stated) != 1:
        mend = (
            "give levels if it is categorical, typical and scale if it is numeric, product if it is a product of others"
        )
        return [Fault(where, "must be exactly one of categorical, numeric and a product", ", ".join(stated), mend)]
    return {"levels": _levels, "typical": _numeric, "product": _product}[stated[0]](where, name, c, declared)


def groups(declared: Mapping[str, Group], covariates: Mapping[str, Covariate]) -> list[Fault]:
    """Faults of [groups.*]."""
    found = []
    for name, g in declared.items():
        where = f"groups.{name}"
        if name in covariates:
            found.append(
                Fault(where, "is a covariate too", mend="declare it once: its coefficients are pooled, or they are not")
            )
        if NEW in g.levels:
            what = "is the level of every group that is not in the table"
            found.append(Fault(f"{where}.levels", what, f'"{NEW}"', "call it otherwise"))
        found += [
            Fault(f.where, f.what, f.got, f.mend)
            for f in _levels(where, name, Covariate(levels=g.levels, map=g.map), covariates)
        ]
    return found


def _levels(where: str, name: str, c: Covariate, declared: Mapping[str, Covariate]) -> list[Fault]:
    found = _only(where, c, "categorical", ("scale", "transform", "minimum", "maximum"))
    assert c.levels is not None
    if len(c.levels) < 2:
        found.append(Fault(f"{where}.levels", "needs two levels or more, the reference first", str(list(c.levels))))
    if len({*slugs(c.levels)}) < len(c.levels):
        found.append(Fault(f"{where}.levels", "are not distinct in letters and digits", str(list(c.levels))))
    for text, level in (c.map or {}).items():
        if not text.strip() or text != text.strip():
            what = "must be a text without white space around it"
            found.append(
                Fault(f"{where}.map", what, f'"{text}"', "an empty cell is missing" if not text.strip() else "")
            )
        if level not in c.levels:
            mend = did_you_mean(level, c.levels).replace("allowed:", "levels:")
            found.append(Fault(f"{where}.map", f'"{text}" stands for no level', f'"{level}"', mend))
        if text in c.levels and text != level:
            found.append(Fault(f"{where}.map", "is itself a level", f'"{text}"', "a level stands for itself"))
    if c.shares is not None and (len(c.shares) != len(c.levels) or min(c.shares) <= 0 or abs(sum(c.shares) - 1) > 1e-6):
        what = f"must be {len(c.levels)} positive shares that sum to 1"
        found.append(Fault(f"{where}.shares", what, str(list(c.shares))))
    if c.missing == "imputed":
        mend = 'impute numeric covariates only; give patients without a value a level of their own, such as "unknown"'
        found.append(Fault(f"{where}.missing", "a level cannot be imputed", '"imputed"', mend))
    return found


def _numeric(where: str, name: str, c: Covariate, declared: Mapping[str, Covariate]) -> list[Fault]:
    found = _only(where, c, "numeric", ("shares", "map"))
    assert c.typical is not None
    if c.scale is None:
        mend = "say how far patients differ in it: its coefficient is the effect of one scale"
        found.append(Fault(f"{where}.scale", "is missing", mend=mend))
    elif c.transform == "log" and c.scale <= 1:
        found.append(
            Fault(f"{where}.scale", "must be a ratio above 1, because the transform is the log", f"{c.scale:g}")
        )
    elif c.scale <= 0:
        found.append(Fault(f"{where}.scale", "must be positive", f"{c.scale:g}"))
    if (c.transform == "log" and c.typical <= 0) or (c.transform == "sqrt" and c.typical < 0):
        found.append(Fault(f"{where}.typical", f"has no {c.transform}", f"{c.typical:g}"))
    if c.minimum is not None and c.maximum is not None and c.minimum >= c.maximum:
        found.append(Fault(f"{where}.maximum", f"must be above the minimum, {c.minimum:g}", f"{c.maximum:g}"))
    elif beyond := c.beyond(c.typical):
        found.append(Fault(f"{where}.typical", beyond, f"{c.typical:g}"))
    if c.missing == "imputed" and c.varies == "visits":
        found.append(Fault(f"{where}.missing", "only patient-level covariates can be imputed", '"imputed"'))
    return found


def _product(where: str, name: str, c: Covariate, declared: Mapping[str, Covariate]) -> list[Fault]:
    found = _only(where, c, "a product", (*KEYS_OF_COLUMNS, "scale", "transform", "shares", "map"))
    assert c.product is not None
    if len(c.product) < 2 or len(set(c.product)) < len(c.product):
        found.append(Fault(f"{where}.product", "must name two covariates or more, each once", str(list(c.product))))
    for part in c.product:
        if part not in declared:
            mend = did_you_mean(part, [n for n in declared if n != name])
            found.append(Fault(f"{where}.product", "names no covariate", f'"{part}"', mend))
        elif declared[part].group:
            found.append(
                Fault(
                    f"{where}.product", "a group is no factor of a product", f'"{part}"', "name it among the moderators"
                )
            )
        elif declared[part].product:
            found.append(
                Fault(f"{where}.product", "a product of products is not understood", f'"{part}"', "name all factors")
            )
    if not found and (width := _width(name, declared)) > STUDY_COEFFICIENTS:
        found.append(Fault(f"{where}.product", f"has more than {STUDY_COEFFICIENTS} coefficients", f"{width:,}"))
    return found


def _width(name: str, declared: Mapping[str, Covariate]) -> int:
    """How many coefficients a covariate has; 0 of one that is not declared."""
    factors = [declared[n] for n in (declared[name].product or (name,)) if n in declared] if name in declared else []
    return math.prod(len(c.levels or (0, 0)) - 1 for c in factors) if factors else 0


def _only(where: str, c: Covariate, what: str, foreign: tuple[str, ...]) -> list[Fault]:
    """Keys that do not belong to this form of covariate."""
    return [
        Fault(f"{where}.{key}", f"is not a key of a covariate that is {what}")
        for key in foreign
        if getattr(c, key) != getattr(Covariate(), key)
    ]


def part(where: str, o: Outcome | Distributional, declared: Mapping[str, Covariate]) -> list[Fault]:
    """Faults of the covariates and moderators that an outcome, or a parameter of it, names."""
    found = []
    for key in ("covariates", "moderators"):
        names = getattr(o, key)
        for name in names:
            if name not in declared:
                what = "is no covariate of this study"
                mend = did_you_mean(name, list(declared)) if declared else f"declare [covariates.{name}]"
                found.append(Fault(f"{where}.{key}", what, f'"{name}"', mend))
        if len(set(names)) < len(names):
            found.append(Fault(f"{where}.{key}", "names a covariate twice", str(list(names))))
    if (width := sum(_width(name, declared) for name in (*o.covariates, *o.moderators))) > STUDY_COEFFICIENTS:
        what = f"has more than {STUDY_COEFFICIENTS} coefficients of covariates and moderators"
        return [*found, Fault(where, what, f"{width:,}", "name fewer, or merge levels")]
    if o.moderators and not o.trajectory.moves:
        found.append(Fault(f"{where}.moderators", f"a {o.trajectory.kind} trajectory has no change to moderate"))
    return found


def correlation_prior(text: str | None) -> list[Fault]:
    """The prior of the correlations of three effects or more is an LKJ distribution."""
    where = "study.correlation_prior"
    try:
        prior = Prior.parse(text) if text is not None else None
    except ValueError as error:
        return [Fault(where, str(error), f'"{text}"')]
    if prior is not None and not (isinstance(prior, Alone) and prior.name == "lkj"):
        return [Fault(where, "has the wrong support", f'"{text}"', 'write "lkj(2)"')]
    return []
