"""What the table of one outcome may get wrong though it is well formed."""

from collections.abc import Mapping, Sequence
from functools import partial

from bayesmyo.components.families import Family, such
from bayesmyo.components.families.link import Link
from bayesmyo.components.residuals import Residual
from bayesmyo.errors import Fault
from bayesmyo.study import check_covariates, check_data
from bayesmyo.study.faults import Faults, positive, unknown, upside_down
from bayesmyo.study.study import Covariate, Distributional, Outcome

WIDEST = 4.0  # logits between patients; at 4, a patient one SD away has odds 55 times as high
LARGEST_RATIO = 20  # between patients


def outcome(name: str, o: Outcome, covariates: Mapping[str, Covariate]) -> Faults:
    """Faults of one [outcomes.NAME]."""
    where = f"outcomes.{name}"
    own = [Fault(f"{where}.family.{key}", what) for key, what in o.family.faults()]
    own += [Fault(f"{where}.trajectory.{key}", what) for key, what in o.trajectory.faults()]
    if own:
        yield from own
        return
    if o.residual is not None:
        yield from _residual(where, o, o.residual)
    yield from _typical(where, o)
    yield from _scale(where, o)
    yield from _range(where, o)
    yield from _parts(where, o)
    for name, part in o.parts.items():
        yield from check_covariates.part(where if name == "location" else f"{where}.{name}", part, covariates)
    yield from _sampled(where, o)
    yield from _limits(where, o)
    kind, none = o.family.kind, "has no meaning for the family"
    if o.exposure is not None and not o.family.exposed:
        yield Fault(f"{where}.exposure", f"{none} {kind}", mend=f"use {such(lambda f: f.exposed)} for counts")
    if o.error is not None and not o.family.takes_errors:
        yield Fault(f"{where}.error", f"{none} {kind}", mend=f"use {such(lambda f: f.takes_errors)}")
    if o.map is not None and o.family.texts() is not None:
        yield Fault(f"{where}.map", "the family has levels of its own", mend="leave the map out")
    yield from check_data.recorded(where, o)


def _typical(where: str, o: Outcome) -> Faults:
    if o.family.anchored:
        if o.typical is not None:
            mend = "say with family.shares how plausible each category is at the start"
            yield Fault(f"{where}.typical", f"is not a key for the family {o.family.kind}", mend=mend)
    elif o.typical is None:
        yield Fault(f"{where}.typical", "is missing")
    elif not o.family.check_expected(o.typical):
        yield Fault(f"{where}.typical", f"must be {o.family.expected()}", f"{o.typical:g}")


def _scale(where: str, o: Outcome) -> Faults:
    at, got, log = f"{where}.scale", f"{o.scale:g}", o.family.multiplicative
    mend = "2.5 means that patients differ by factors of about 2.5"
    if log and o.scale <= 1:
        yield Fault(at, "must be a ratio above 1, because the family works on the log", got, mend)
    elif log and o.scale > LARGEST_RATIO:
        mend = f"{mend}; a spread in the outcome's unit is not meant"
        yield Fault(at, "is a ratio between patients, and no patients differ so much", got, mend)
    elif o.scale <= 0:
        yield from positive(where, scale=o.scale)
    elif not o.family.anchored and _wide(o.family, o.typical, o.scale):
        mend = "declare a smaller scale: how far patients' expected scores differ"
        yield Fault(at, f"is wider than a score bounded at both ends allows around {o.typical:g}", got, mend)


def _wide(link: Link, typical: float | None, scale: float) -> bool:
    """Whether a spread around an expected value between two ends is wider than the ends allow."""
    if None in link.ends() or typical is None or not link.check_expected(typical):
        return False
    return link.spread(scale, typical) > WIDEST


def _range(where: str, o: Outcome) -> Faults:
    yield from upside_down(where, o.minimum, o.maximum)
    t = o.typical
    if t is not None and ((o.minimum is not None and t < o.minimum) or (o.maximum is not None and t > o.maximum)):
        yield Fault(f"{where}.typical", "lies outside minimum to maximum", f"{t:g}")
    if o.plausible is not None and o.plausible[0] >= o.plausible[1]:
        yield Fault(f"{where}.plausible", "must be a lower and a higher value", str(list(o.plausible)))


def _sampled(where: str, o: Outcome) -> Faults:
    """Ways to sample effects that the family does not have."""
    can = {
        "integrated": (o.family.normal, "integrated out"),
        "informed": (o.family.approximated, "informed by measurements"),
    }
    possible, how = can.get(o.parameterisation, (True, ""))
    if not possible:
        what = f"effects cannot be {how} for the family {o.family.kind}"
        yield Fault(f"{where}.parameterisation", what, mend='leave "auto"')


def _limits(where: str, o: Outcome) -> Faults:
    """Limits of what could be measured."""
    at = f"{where}.censoring"
    if o.censoring and not o.family.censorable:
        yield Fault(at, f"is not available for the family {o.family.kind}")
    if o.limits:
        below, above = o.limits.below, o.limits.above
        if below is None and above is None:
            yield Fault(at, "needs above or below, or both", mend="such as { above = 30 }")
        elif below is not None and above is not None and below >= above:
            yield Fault(f"{at}.above", f"must lie above the lower limit, {below:g}", f"{above:g}")


def can_hang_together(o: Outcome) -> bool:
    """Whether residuals of an outcome without a covariance could be correlated with those of another."""
    return o.residual is None and o.integrable


def can_drift(o: Outcome) -> bool:
    """Whether residuals of an outcome without a covariance could drift."""
    return o.residual is None and not o.censoring and (o.integrable or _can_be_sampled(o))


def _normal(family: type[Family]) -> bool:
    """Whether all measurements of a family are normal on its link scale."""
    return family.normal and not family.more_zeros


def _has(part: str, family: type[Family]) -> bool:
    return part in family.links


def _can_be_sampled(o: Outcome) -> bool:
    """Beside a scatter that may vanish, a path can be sampled only where `approximate` says what each cell is worth."""
    return o.family.approximated or not o.family.scatter()


def _residual(where: str, o: Outcome, residual: Residual) -> Faults:
    """A covariance of residuals is integrated out with effects, where that is exact; else a path is sampled."""
    at = f"{where}.residual"
    for what in residual.faults(o.trajectory):
        yield Fault(at, what)
    if o.censoring:
        yield Fault(at, "is not available with censored cells", mend="leave it out")
    elif not o.integrable and not (residual.sampled and _can_be_sampled(o)):
        yield Fault(at, f"is not available for the family {o.family.kind}", mend=f"use {such(_normal)}")
    elif o.integrable and o.parameterisation not in ("auto", "integrated"):
        yield Fault(f"{where}.parameterisation", "effects are integrated out with residuals", mend='leave "auto"')
    elif o.drifts and o.family.normal and o.parameterisation == "integrated":
        what = "effects cannot be integrated out beside residuals that are sampled"
        yield Fault(f"{where}.parameterisation", what, mend='leave "auto"')
    if residual.by_visit and o.effects:
        what = "patients have no effects of their own: the correlations of residuals hold what they differ in"
        yield Fault(f"{where}.effects", what, str(list(o.effects)), "leave them out")


def together(named: Sequence[str], outcomes: Mapping[str, Outcome], declared: Sequence[str]) -> Faults:
    """Outcomes whose residuals are correlated at a visit: two or more that are normal on their link scale."""
    where = "study.correlate_residuals"
    for name in named:
        yield from unknown(where, name, declared, "is not an outcome of this study")
        o = outcomes.get(name)
        if o is not None and not can_hang_together(o):
            mend = f"name outcomes of the family {such(_normal)}, without censored cells "
            mend += "and without a residual of their own"
            yield Fault(where, "names an outcome whose residuals cannot be correlated", f'"{name}"', mend)
        elif o is not None and o.parameterisation not in ("auto", "integrated"):
            at, what = f"outcomes.{name}.parameterisation", "effects are integrated out with residuals"
            yield Fault(at, what, mend='leave "auto"')
    if len(set(named)) < len(named):
        yield Fault(where, "names an outcome twice", str(list(named)))
    elif len(named) == 1:
        yield Fault(where, "names one outcome alone", f'"{named[0]}"', "name two or more")


def _parts(where: str, o: Outcome) -> Faults:
    """Parameters with a predictor of their own: those that the family has, and those that it must have."""
    for name in o.family.predictors()[1:]:
        if name not in o.predictors:
            what = f"is missing: the family {o.family.kind} has a {name} part"
            mend = f"write a table [{where}.{name}] with typical, scale and trajectory"
            yield Fault(f"{where}.{name}", what, mend=mend)
    for key, what in o.family.together(o.predictors):
        yield Fault(f"{where}.{key}", what)
    for name, part in o.predictors.items():
        if name in o.family.links:
            yield from _part(f"{where}.{name}", part, o.family.part(name))
        else:
            what = f"the family {o.family.kind} has no {name}{' part' if name == 'zero' else ''}"
            mend = such(partial(_has, name))
            yield Fault(f"{where}.{name}", what, mend=f"use {mend}")


def _part(where: str, part: Distributional, link: Link) -> Faults:
    for key, what in part.trajectory.faults():
        yield Fault(f"{where}.trajectory.{key}", what)
    if None not in link.ends():
        for key in ("typical", "scale"):
            if getattr(part, key) is None:
                yield Fault(f"{where}.{key}", "is missing")
    if part.typical is not None and not link.check_expected(part.typical):
        yield Fault(f"{where}.typical", f"must be {link.expected()}", f"{part.typical:g}")
    elif part.scale is None:
        return
    elif link.multiplicative and not 1 < part.scale <= LARGEST_RATIO:
        what = f"must be a ratio between patients, above 1 and at most {LARGEST_RATIO}"
        yield Fault(f"{where}.scale", what, f"{part.scale:g}", "2 means that patients differ by factors of about 2")
    elif part.scale <= 0:
        yield from positive(where, scale=part.scale)
    elif _wide(link, part.typical, part.scale):
        what = f"is wider than a probability of {part.typical:g} allows"
        yield Fault(f"{where}.scale", what, f"{part.scale:g}", "declare a smaller scale")
