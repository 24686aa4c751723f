"""The verb `evidence`: what was known before the first patient, what prior it makes, and what that is worth."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from bayesmyo.components.numbers import listing, significant
from bayesmyo.meta import worth
from bayesmyo.meta.normals import Normals
from bayesmyo.model.published import Published, published
from bayesmyo.study import describe
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.study import Study

Array = np.ndarray
DRAWS = 20_000  # for Box's p
HALF, FULL = 0.5, 1.0  # weights beside the one that the study states
FEW = 4  # studies, fewer of which say little of how much studies differ
UNLIKELY = 0.05  # Box's p
APART = 0.01  # between distribution functions, which is said


@dataclass(frozen=True)
class Range:
    """Median and equal-tailed interval of the study's mass, in the estimand's unit."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Source:
    """One table of evidence.

    Attributes
    ----------
    name, source, number : str
        Of the table, who says so, and the number as it was stated.
    patients : int, optional
        How many it is about.
    estimate : Range
        The number with its interval, by itself.
    drawn : Range
        The same in view of the other sources (shrinkage).
    box : float
        Box's p: how often the default priors of the study would give a number that they hold less likely.
    """

    name: str
    source: str
    number: str
    patients: int | None
    estimate: Range
    drawn: Range
    box: float


@dataclass(frozen=True)
class Trusted:
    """The prior of the estimand with one weight of what is known.

    Attributes
    ----------
    like_ours : float
        That weight.
    prior : Range
        Of the estimand.
    sd : float
        Its SD, on the scale of the analysis.
    worth : float, optional
        By how many patients it is worth more than the default prior, by moments; None where no source says what one
        patient tells.
    """

    like_ours: float
    prior: Range
    sd: float
    worth: float | None


@dataclass(frozen=True)
class Known:
    """What is known of one estimand.

    Attributes
    ----------
    names : tuple of str
        The tables that say so.
    estimand, unit, scale : str
        The number in words, its unit (none of a ratio), and the scale of the meta-analysis ("identity", "log",
        "logit").
    like_ours : float
        The weight of what is known, as the study states it.
    sources : tuple of Source
    mean : Range
        Theta, the mean of studies like these.
    tau_prior : str
        The prior of the SD between studies, on that scale.
    tau : Range
        Its posterior, on that scale.
    next_study : Range
        The meta-analytic predictive prior (MAP): theta of another study like these.
    predictive : str
        The same as a mixture of few normal distributions, on that scale.
    distance : float
        The largest difference between the distribution function of that mixture and the exact one.
    default : Range
        What the default priors of the study say of the number.
    trusted : tuple of Trusted
        The prior that it makes: fully trusted, as stated, and at even odds.
    patients : int
        In all sources that say how many.
    moments, elir : float, optional
        What MAP is worth in patients such as those of the sources; None where no source says what one patient tells.
    parameter, prior : str
        The one parameter whose prior it is, by full name, and that prior in the prior language; empty where the number
        follows from several.
    sentences : tuple of str
        All that a reader should repeat.
    """

    names: tuple[str, ...]
    estimand: str
    unit: str
    scale: str
    like_ours: float
    sources: tuple[Source, ...]
    mean: Range
    tau_prior: str
    tau: Range
    next_study: Range
    predictive: str
    distance: float
    default: Range
    trusted: tuple[Trusted, ...]
    patients: int
    moments: float | None
    elir: float | None
    parameter: str
    prior: str
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def evidence(study: Study) -> tuple[Known, ...]:
    """What was known before the first patient: a meta-analysis of each estimand of which [evidence.*] tells.

    Parameters
    ----------
    study : Study
        That states evidence.

    Returns
    -------
    tuple of Known
        One for each estimand, empty where the study states no evidence. Nothing is sampled but for Box's p, which is
        drawn from the default priors with a fixed seed.

    References
    ----------
    Meta-analytic predictive and robust priors: Schmidli et al. (2014), https://doi.org/10.1111/biom.12242. Worth in
    patients: Neuenschwander et al. (2020), https://doi.org/10.1111/biom.13252. Prior predictive check: Box (1980),
    https://doi.org/10.2307/2982063.

    Examples
    --------
    >>> bayesmyo.evidence(study)
    ()
    """
    return tuple(_known(study, p) for p in published(study))


def _known(study: Study, p: Published) -> Known:
    analysis, default, exact = p.analysis, p.default, p.analysis.predictive
    rng = np.random.default_rng(1980)
    before, of = default.normals, partial(_of, study, p)
    alike = [Normals(before.weights, before.means, np.hypot(before.sds, t.about[1])) for t in p.told]
    boxes = [box(n, t.about[0], rng) for n, t in zip(alike, p.told, strict=True)]
    sources = tuple(
        Source(name, e.source, stated(e), e.patients, of(Normals.one(*t.about)), of(Normals.one(*own)), b)
        for name, e, t, own, b in zip(p.names, p.evidence, p.told, analysis.own, boxes, strict=True)
    )
    weights = sorted({HALF, FULL, p.like_ours}, reverse=True)
    counted = any(e.events is not None for e in p.evidence)
    sigma = _each(p)
    told = sigma is not None or counted
    trusted = tuple(Trusted(w, of(p.robust(w)), p.robust(w).sd, _added(p, w, sigma) if told else None) for w in weights)
    tail = (1 - study.interval) / 2
    tau = Range(*(analysis.tau_quantile(q) for q in (0.5, tail, 1 - tail)))
    parameter, prior = _pasted(p)
    unit = "" if p.estimand.relative else p.estimand.unit(study.named, study.time.unit)
    asked = (p.names, describe.number(study, p.estimand), unit, p.link.link_name, p.like_ours, sources)
    answered = (of(Normals.one(*analysis.mean)), str(p.tau), tau, of(exact), str(p.map.normals.prior()), p.map.distance)
    everyone = sum(e.patients or 0 for e in p.evidence)
    moments, elir = (how(exact, sigma) if told else None for how in (worth.by_moments, worth.elir))
    known = Known(*asked, *answered, of(before), trusted, everyone, moments, elir, parameter, prior, ())
    return Known(**{**vars(known), "sentences": tuple(_sentences(known))})


def box(predictive: Normals, value: float, rng: np.random.Generator) -> float:
    """Box's p: how often what is drawn from a distribution has no more density than a value.

    Parameters
    ----------
    predictive : Normals
        Of the value, before it was known.
    value : float
        What was seen.
    """
    drawn = predictive.draw(rng, DRAWS)
    log = predictive.log_density(np.append(drawn, value))
    return float(np.mean(log[:-1] <= log[-1]))


def _of(study: Study, p: Published, of: Normals) -> Range:
    """A distribution on the scale of the analysis, in the unit of the number."""
    tail = (1 - study.interval) / 2
    return Range(*(float(p.link.inverse(of.quantile(q))) for q in (0.5, tail, 1 - tail)))


def _each(p: Published) -> float | None:
    """With which SD one patient tells of the number, over the sources that say so."""
    each = [(s**2, e.patients) for e in p.evidence if (s := e.each(p.link)) is not None]
    squares, weights = np.array(each).T if each else (np.zeros(0), np.zeros(0))
    return float(np.sqrt(np.average(squares, weights=weights))) if each else None


def _added(p: Published, like_ours: float, sigma: float | None) -> float:
    """By how many patients the prior is worth more than the default one."""
    return worth.by_moments(p.robust(like_ours), sigma) - worth.by_moments(p.default.normals, sigma)


def _pasted(p: Published) -> tuple[str, str]:
    """The parameter whose prior the robust mixture is, and that prior; empty where the number follows from several."""
    if len(p.default.per) != 1:
        return "", ""
    ((name, per),) = p.default.per.items()
    return f"{p.outcome}.{name}", str(p.robust().moved(-p.default.at / per, 1 / per).prior())


def stated(e: Evidence) -> str:
    """The number of a table of evidence as it was stated."""
    if e.events is not None:
        return f"{e.events} of {e.patients}"
    words = [f"{key} {getattr(e, key):g}" for key in ("mean", "median") if getattr(e, key) is not None]
    words += [f"{key.upper()} {getattr(e, key):g}" for key in ("se", "sd") if getattr(e, key) is not None]
    if e.interval is not None:
        words.append(f"{e.mass:.0%} interval {e.interval[0]:g} to {e.interval[1]:g}")
    return ", ".join(words)


def _sentences(k: Known) -> list[str]:
    few, taken = len(k.sources) < FEW, k.tau.lower == k.tau.upper
    said = [
        f"Before any of these patients, {k.estimand} in another study like these is {told(k.next_study, k.unit)}; by "
        f"the default priors alone it is {told(k.default, k.unit)}.",
        f"How alike our patients are to these is a judgement: like_ours {k.like_ours:g} is the weight of what is known.",
    ]
    if taken:
        said.append(f"The SD between studies is taken as known, {k.tau_prior}.")
    elif few:
        n = f"{len(k.sources)} source{'s' if len(k.sources) > 1 else ''}"
        said.append(
            f"With {n} the SD between studies is mostly its prior, {k.tau_prior}, and the answer hangs on it; `tau` "
            "states another."
        )
    for s in k.sources:
        if s.box < UNLIKELY:
            said.append(
                f"The default priors of the study hold the number of {s.source} unlikely (Box's p "
                f"{significant(s.box, 2)}): look at typical and scale, and at whom the source speaks of."
            )
    stated_one = next(t for t in k.trusted if t.like_ours == k.like_ours)
    if k.moments is None or stated_one.worth is None:
        missing = "no source says how many patients its standard error is of: write patients"
        said.append(f"What it is worth in patients is not known: {missing}.")
    else:
        said.append(
            f"The prediction for another study is worth {patients(k.moments)} of the {k.patients:,} who were published "
            f"(by moments; ELIR {significant(k.elir or 0.0, 2)}). At like_ours {k.like_ours:g} the prior is worth "
            f"{patients(abs(stated_one.worth))} {'more' if stated_one.worth >= 0 else 'less'} than the default one."
        )
    if k.distance > APART:
        said.append(f"Its mixture differs from it by up to {k.distance:.3f} in the distribution function.")
    return said


def told(r: Range, unit: str) -> str:
    """A range in a sentence."""
    return f"{significant(r.median)} ({significant(r.lower)} to {significant(r.upper)}) {unit}".strip()


def patients(n: float) -> str:
    """A number of patients in a sentence."""
    text = significant(n, 2)
    return f"{text} patient{'' if text == '1.0' else 's'}"


def cited(study: Study) -> list[str]:
    """Where what is known of each estimand comes from, and how far it is trusted: said wherever it counts."""
    return [
        f"{describe.number(study, p.estimand)}: {listing([e.source for e in p.evidence])}; like_ours {p.like_ours:g}"
        for p in published(study)
    ]


__all__ = ["Known", "Range", "Source", "Trusted", "box", "cited", "evidence"]
