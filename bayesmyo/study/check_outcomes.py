"""What the table of one outcome may get wrong though it is well formed."""

from collections.abc import Mapping, Sequence

from bayesmyo.components.families import FAMILIES, Family
from bayesmyo.components.residuals import Residual
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import check_covariates, check_data
from bayesmyo.study.study import Covariate, Distributional, Limits, Outcome

WIDEST = 4.0  # logits between patients; at 4, a patient one SD away has odds 55 times as high


def outcome(name: str, o: Outcome, covariates: Mapping[str, Covariate]) -> list[Fault]:
    where = f"outcomes.{name}"
    found = [Fault(f"{where}.family.{key}", what) for key, what in o.family.faults()]
    found += [Fault(f"{where}.trajectory.{key}", what) for key, what in o.trajectory.faults()]
    if found:
        return found
    if o.residual is not None:
        found += _residual(where, o, o.residual)
    found += _typical(where, o) + _scale(where, o) + _range(where, o) + _parts(where, o)
    for name, part in o.parts.items():
        found += check_covariates.part(where if name == "location" else f"{where}.{name}", part, covariates)
    can = {
        "integrated": (o.family.normal, "integrated out"),
        "informed": (o.family.approximated, "informed by measurements"),
    }
    possible, how = can.get(o.parameterisation, (True, ""))
    if not possible:
        what = f"effects cannot be {how} for the family {o.family.kind}"
        found.append(Fault(f"{where}.parameterisation", what, mend='leave "auto"'))
    if o.censoring and not o.family.censorable:
        found.append(Fault(f"{where}.censoring", f"is not available for the family {o.family.kind}"))
    if isinstance(o.censoring, Limits):
        below, above = o.censoring.below, o.censoring.above
        if below is None and above is None:
            found.append(Fault(f"{where}.censoring", "needs above or below, or both", mend="such as { above = 30 }"))
        elif below is not None and above is not None and below >= above:
            found.append(Fault(f"{where}.censoring.above", f"must lie above the lower limit, {below:g}", f"{above:g}"))
    if o.exposure is not None and not o.family.exposed:
        mend = "use poisson or negative_binomial for counts"
        found.append(Fault(f"{where}.exposure", f"has no meaning for the family {o.family.kind}", mend=mend))
    if o.error is not None and not o.family.takes_errors:
        found.append(Fault(f"{where}.error", f"has no meaning for the family {o.family.kind}", mend="use gaussian"))
    if o.map is not None and o.family.texts() is not None:
        found.append(Fault(f"{where}.map", "the family has levels of its own", mend="leave the map out"))
    return found + check_data.recorded(where, o)


def _typical(where: str, o: Outcome) -> list[Fault]:
    if o.family.anchored:
        mend = "say with family.shares how plausible each category is at the start"
        return (
            [Fault(f"{where}.typical", f"is not a key for the family {o.family.kind}", mend=mend)]
            if o.typical is not None
            else []
        )
    if o.typical is None:
        return [Fault(f"{where}.typical", "is missing")]
    if not o.family.check_expected(o.typical):
        return [Fault(f"{where}.typical", f"must be {o.family.expected()}", f"{o.typical:g}")]
    return []


def _scale(where: str, o: Outcome) -> list[Fault]:
    if o.family.link_name == "log" and o.scale <= 1:
        mend = "2.5 means that patients differ by factors of about 2.5"
        return [
            Fault(
                f"{where}.scale", "must be a ratio above 1, because the family works on the log", f"{o.scale:g}", mend
            )
        ]
    if o.family.link_name == "log" and o.scale > 20:
        mend = "2.5 means that patients differ by factors of about 2.5; a spread in the outcome's unit is not meant"
        return [
            Fault(f"{where}.scale", "is a ratio between patients, and no patients differ so much", f"{o.scale:g}", mend)
        ]
    if o.scale <= 0:
        return [Fault(f"{where}.scale", "must be positive", f"{o.scale:g}")]
    if (
        None not in o.family.ends()
        and not o.family.anchored
        and o.typical is not None
        and bool(o.family.check_expected(o.typical))
        and o.family.spread(o.scale, o.typical) > WIDEST
    ):
        what = f"is wider than a score bounded at both ends allows around {o.typical:g}"
        return [
            Fault(
                f"{where}.scale",
                what,
                f"{o.scale:g}",
                "declare a smaller scale: how far patients' expected scores differ",
            )
        ]
    return []


def _range(where: str, o: Outcome) -> list[Fault]:
    found = []
    if o.minimum is not None and o.maximum is not None and o.minimum >= o.maximum:
        found.append(Fault(f"{where}.maximum", f"must be above the minimum, {o.minimum:g}", f"{o.maximum:g}"))
    t = o.typical
    if t is not None and ((o.minimum is not None and t < o.minimum) or (o.maximum is not None and t > o.maximum)):
        found.append(Fault(f"{where}.typical", "lies outside minimum to maximum", f"{t:g}"))
    if o.plausible is not None and o.plausible[0] >= o.plausible[1]:
        found.append(Fault(f"{where}.plausible", "must be a lower and a higher value", str(list(o.plausible))))
    return found


def can_hang_together(o: Outcome) -> bool:
    """Whether residuals of an outcome without a covariance could have one."""
    return o.residual is None and o.family.normal and not o.family.has_zero_part and not o.censoring


def _residual(where: str, o: Outcome, residual: Residual) -> list[Fault]:
    """A covariance of residuals is integrated out with patients' effects, where that is exact."""
    at = f"{where}.residual"
    found = [Fault(at, what) for what in residual.faults(o.trajectory)]
    if not o.family.normal or o.family.has_zero_part:
        found.append(Fault(at, f"is not available for the family {o.family.kind}", mend="use gaussian or lognormal"))
    if o.censoring:
        found.append(Fault(at, "is not available with censored cells", mend="leave it out"))
    if o.parameterisation not in ("auto", "integrated"):
        found.append(
            Fault(f"{where}.parameterisation", "effects are integrated out with residuals", mend='leave "auto"')
        )
    if residual.by_visit and o.effects:
        what = "patients have no effects of their own: the correlations of residuals hold what they differ in"
        found.append(Fault(f"{where}.effects", what, str(list(o.effects)), "leave them out"))
    return found


def together(named: Sequence[str], outcomes: Mapping[str, Outcome], declared: Sequence[str]) -> list[Fault]:
    """Outcomes whose residuals are correlated at a visit: two or more that are normal on their link scale."""
    where, faults = "study.correlate_residuals", []
    for name in named:
        if name not in declared:
            faults.append(
                Fault(where, "is not an outcome of this study", f'"{name}"', did_you_mean(name, list(declared)))
            )
        elif name in outcomes and not can_hang_together(outcomes[name]):
            mend = "name outcomes of the family gaussian or lognormal, without censored cells and without a residual of their own"
            faults.append(Fault(where, "names an outcome whose residuals cannot be correlated", f'"{name}"', mend))
        elif name in outcomes and outcomes[name].parameterisation not in ("auto", "integrated"):
            at, what = f"outcomes.{name}.parameterisation", "effects are integrated out with residuals"
            faults.append(Fault(at, what, mend='leave "auto"'))
    if len(set(named)) < len(named):
        faults.append(Fault(where, "names an outcome twice", str(list(named))))
    elif len(named) == 1:
        faults.append(Fault(where, "names one outcome alone", f'"{named[0]}"', "name two or more"))
    return faults


def _parts(where: str, o: Outcome) -> list[Fault]:
    """Parameters with a predictor of their own: those that the family has, and those that it must have."""
    found = []
    for name in o.family.predictors()[1:]:
        if name not in o.predictors:
            mend = f"write a table [{where}.{name}] with typical, scale and trajectory"
            what = f"is missing: the family {o.family.kind} has a {name} part"
            found.append(Fault(f"{where}.{name}", what, mend=mend))
    found += [Fault(f"{where}.{key}", what) for key, what in o.family.together(o.predictors)]
    for name, part in o.predictors.items():
        if name not in o.family.links:
            mend = f"use {' or '.join(f.kind for f in FAMILIES if name in f.links)}"
            what = f"the family {o.family.kind} has no {name}{' part' if name == 'zero' else ''}"
            found.append(Fault(f"{where}.{name}", what, mend=mend))
        else:
            found += _part(f"{where}.{name}", part, o.family, name)
    return found


def _part(where: str, part: Distributional, family: Family, name: str) -> list[Fault]:
    link = family.part(name)
    found = [Fault(f"{where}.trajectory.{key}", what) for key, what in part.trajectory.faults()]
    if None not in link.ends():
        missing = [key for key in ("typical", "scale") if getattr(part, key) is None]
        found += [Fault(f"{where}.{key}", "is missing") for key in missing]
    if part.typical is not None and not link.check_expected(part.typical):
        return [*found, Fault(f"{where}.typical", f"must be {link.expected()}", f"{part.typical:g}")]
    if part.scale is None:
        return found
    if link.link_name == "log" and not 1 < part.scale <= 20:
        mend = "2 means that patients differ by factors of about 2"
        found.append(
            Fault(f"{where}.scale", "must be a ratio between patients, above 1 and at most 20", f"{part.scale:g}", mend)
        )
    elif part.scale <= 0:
        found.append(Fault(f"{where}.scale", "must be positive", f"{part.scale:g}"))
    elif None not in link.ends() and part.typical is not None and link.spread(part.scale, part.typical) > WIDEST:
        what = f"is wider than a probability of {part.typical:g} allows"
        found.append(Fault(f"{where}.scale", what, f"{part.scale:g}", "declare a smaller scale"))
    return found
