"""The question: an immutable Study, whose fields are the keys of the TOML file."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, cast

from bayesmyo.components.component import Scale
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Criteria, Estimand, Named
from bayesmyo.components.families import PARTS, Family
from bayesmyo.components.families.link import CALLED
from bayesmyo.components.hazards import FRAILTY, Hazard, Rate
from bayesmyo.components.numbers import in_sentence
from bayesmyo.components.priors import Prior
from bayesmyo.components.residuals import Residual
from bayesmyo.components.trajectories import STILL, Trajectory
from bayesmyo.study.abstract import Abstract
from bayesmyo.study.design import Design, Scenario
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.statements import Statements

SPREAD = 2.0  # the ratio by which a parameter on the log plausibly differs between patients
MONTHS_PER = {
    "minute": 1 / 43830,
    "hour": 1 / 730.5,
    "day": 1 / 30.4375,
    "week": 7 / 30.4375,
    "month": 1.0,
    "year": 12.0,
}


@dataclass(frozen=True, kw_only=True)
class Time:
    """The time of each visit, counted in `unit` (in the singular, "month") from the start of treatment.

    typical: a typical follow-up in that unit, on which the default priors of slopes and half-times rest: a trajectory
        with a slope needs it, unless [design] says how long patients are followed or each of its priors is stated
    date: where the table holds calendar dates, how they are written: "YYYY-MM-DD", "DD/MM/YYYY", "DD-MON-YYYY",
        "DD.MM.YY" ... MON is the name of a month, in English or another language of western Europe, cut short or not;
        YY is 1969 to 2068. A clock may follow, and its offset from UTC. The pattern is for dates typed as text; true
        dates of a workbook or a Parquet file are read whatever it says
    since: the column that says when a patient's treatment began, a date or a number as in `column`; time is counted
        from it. Dates without it are counted from each patient's first visit
    exit: the column that says when a patient's follow-up ended: left, died, lost, or the last contact of those still in
        care. A visit after that is refused, and it is said how many were last measured before it
    reason: the column that says why it ended; an empty cell means that the patient was still in care then
    before: what to do with visits before time zero; kept, they tell the level at the start (see `before` of a
        trajectory)
    """

    column: str
    unit: str
    label: str = ""
    typical: float | None = None
    date: str | None = None
    since: str | None = None
    exit: str | None = None
    reason: str | None = None
    before: Literal["kept", "refused", "set aside"] = "kept"


@dataclass(frozen=True, kw_only=True)
class RequireBaseline:
    """Patients without a baseline measurement are set aside.

    outcomes: that must have been measured (default: all); until: the latest time that counts as baseline
    """

    outcomes: tuple[str, ...] | None = None
    until: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DataFormat:
    """How the table is written.

    delimiter, encoding: of a text file; where the decimal sign is "," and nothing is said, the delimiter is ";"
    sheet, patients_sheet: of a workbook, the sheet of visits and, where there is one, the sheet with one row per
        patient; a workbook has no delimiter
    thousands: the sign between thousands, if numbers have one
    missing: cells that mean "not measured" (an empty cell always does); a code that is a number is one however it is
        written (99, 99.0)
    skip_lines: lines above the header
    duplicates: what to do with two rows of one patient at one time: refuse them, average what was measured, or take of
        each outcome the first or the last of them, in the order of the table
    identifying: columns that identify people and may be in the table: they are not read, and their cells are never
        shown
    """

    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ("NA",)
    skip_lines: int = 0
    sheet: str | None = None
    patients_sheet: str | None = None
    duplicates: Literal["refused", "mean", "first", "last"] = "refused"
    identifying: tuple[str, ...] = ()
    require_baseline: RequireBaseline | None = None


@dataclass(frozen=True, kw_only=True)
class Covariate:
    """What is known of a patient, or of a visit, beside the outcomes.

    column: of the table (default: the covariate's name); label: as sentences call it
    levels: of a categorical covariate, the reference first; each other level has a coefficient of its own
    map: of a categorical covariate, cell texts and the levels that they stand for: { f = "female", F = "female", m =
        "male" }
    typical, scale: of a numeric covariate; its coefficient is the effect of one `scale` above `typical`
    transform: of a numeric covariate: (log x - log typical) / log scale, and scale is a ratio; or (sqrt x - sqrt
        typical) / scale
    product: names of other covariates, whose product this one is (it has no column)
    varies: between patients (every row of a patient says the same), or between visits
    missing: "imputed" gives missing values of a numeric patient-level covariate a distribution in the model; else they
        are refused
    minimum, maximum: the legal range of a numeric covariate, in its unit; simulated values beyond it stand at its end
    shares: of the levels, in simulated cohorts (default: equal)
    """

    column: str = ""
    label: str = ""
    unit: str = ""
    levels: tuple[str, ...] | None = None
    map: Mapping[str, str] | None = None
    typical: float | None = None
    scale: float | None = None
    transform: Literal["none", "log", "sqrt"] = "none"
    product: tuple[str, ...] | None = None
    varies: Literal["patients", "visits"] = "patients"
    missing: Literal["refused", "imputed"] = "refused"
    minimum: float | None = None
    maximum: float | None = None
    shares: tuple[float, ...] | None = None
    group: bool = field(default=False, metadata={"made": True})

    def beyond(self, value: float) -> str:
        """Why a number is not legal, `is below the declared minimum 18`; "" where it is."""
        if self.minimum is not None and value < self.minimum:
            return f"is below the declared minimum {self.minimum:g}"
        return (
            f"is above the declared maximum {self.maximum:g}"
            if self.maximum is not None and value > self.maximum
            else ""
        )


NEW = "new"  # the level of a group that is not in the table


@dataclass(frozen=True, kw_only=True)
class Group:
    """To what patients belong beside themselves, one to each: a site, a ward, a family, an examiner.

    column: of the table (default: the group's name); label: as sentences call it
    levels: which there are; map: cell texts and the levels that they stand for
    Named among the covariates of an outcome it shifts the level, among the moderators the change, as a covariate does;
    but its coefficients
    are not known apart: each site's is drawn from Normal(0, sd_site), and the SD is a parameter. A site with few
        patients is drawn to the
    others (partial pooling). There is always a level `new`, a site that is not among these: `given = { site = "new" }`
    asks about its patients, `given = { site = "S2" }` about those of one; otherwise patients averaged over have the
    sites that they have, and the average patient is one of an average site. Reference: Gelman and Hill (2006), chapter
    12, https://doi.org/10.1017/CBO9780511790942.
    """

    column: str = ""
    label: str = ""
    levels: tuple[str, ...]
    map: Mapping[str, str] | None = None

    @property
    def covariate(self) -> Covariate:
        """The same as a covariate, with the level `new` behind the others, which no simulated patient has."""
        shares = (*(1 / max(1, len(self.levels)),) * len(self.levels), 0.0)
        return Covariate(
            column=self.column, label=self.label, levels=(*self.levels, NEW), map=self.map, shares=shares, group=True
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Declared limits of what could be measured: a value at a limit is known only to lie at or beyond it."""

    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Other units in which an outcome was recorded: a cell times its unit's factor is in the outcome's unit.

    factors: for each unit its factor, { "microkat/L" = 60 } for IU/L
    column: the column that names the unit of each row; without it every cell is in the one unit given
    """

    factors: Mapping[str, float]
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Distributional:
    """A parameter of an outcome's family with a linear predictor of its own: its residual SD may differ between arms,
    drift, or differ from patient to patient.

    The table is called as the parameter: `[outcomes.NAME.sigma]`, `precision` or `cv`, on the log; or on the logit
    `zero`, the probability that a measurement is zero and no hurdle is crossed, and `zero_inflation`, the probability
    that a zero is none of the counts. Parameters and effects begin with its name: `sigma_intercept`.
    typical: a plausible value at the start (default: the middle of the parameter's default prior)
    scale: a plausible spread between patients: of a probability its SD, on the log a ratio above 1 (default: 2)
    trajectory: how it moves (default: it does not); effects: the coefficients in which patients differ (default: none;
        of a zero part the first alone)
    correlate: whether these effects are correlated with the others, as [study] says for those
    Reference: Rigby and Stasinopoulos (2005), https://doi.org/10.1111/j.1467-9876.2005.00510.x.
    """

    typical: float | None = None
    scale: float | None = None
    trajectory: Trajectory = STILL
    effects: tuple[str, ...] | None = None
    covariates: tuple[str, ...] = ()
    moderators: tuple[str, ...] = ()
    correlate: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One measured outcome.

    typical: a plausible baseline, in the outcome's unit (an ordinal family has `shares` instead)
    scale: a plausible spread between patients, in the outcome's unit (a ratio above 1 where the family works on the
        log)
    better: the direction of benefit; effects: the coefficients in which patients differ (default: both of two linear
        ones, the first of more)
    covariates: names of covariates that shift the level; moderators: names of covariates that shift the change; the
        default prior of a shift is Normal(0, spread), of the change over a typical follow-up. On the logit the spread
        between patients bounds no difference between groups: what covariates shift, and the shift, have an SD of at
        least 2.5 there (a shift of 2.5 is an odds ratio of 12), and of at least 1.5 on the probit
    residual: how a patient's measurements hang together beyond the own curve (default: not at all)
    zero, zero_inflation, sigma, precision, cv: tables of parameters of the family that have a predictor of their own
    exposure: the column that counts what events are counted per
    error: the column that holds the SD of each measurement's own error, where it is known (a standard error, the
        precision of a device), in the outcome's unit; sigma is what measurements scatter beyond it
    censoring: "as typed" once cells such as `<20`, `>2000` and `20..50` may occur, or { above = 30 } where 30 means 30
        or more
    map: cell texts and the numbers that they stand for, { "12,5 (tapering)" = 12.5 }; a note says which cells were read
        by it
    minimum, maximum: the legal range of a measurement, in the outcome's unit
    recorded: another unit in which the table holds it, with the factor that converts it
    plausible: the range in which nearly all measurements of such patients lie; a prior predictive check looks at it
    parameterisation: how patient effects are sampled; "auto" integrates them out wherever that is exact, and else lets
        each patient's measurements inform them where the family can
    """

    column: str
    label: str = ""
    unit: str
    better: Literal["higher", "lower"]
    typical: float | None = None
    scale: float
    family: Family
    trajectory: Trajectory
    residual: Residual | None = None
    effects: tuple[str, ...] | None = None
    covariates: tuple[str, ...] = ()
    moderators: tuple[str, ...] = ()
    predictors: Mapping[str, Distributional] = field(default_factory=dict, metadata={"tables": PARTS})
    exposure: str | None = None
    error: str | None = None
    priors: Mapping[str, str] = field(default_factory=dict)
    censoring: Literal["as typed"] | Limits | None = None
    map: Mapping[str, float] | None = None
    recorded: Recorded | None = None
    minimum: float | None = None
    maximum: float | None = None
    plausible: tuple[float, float] | None = None
    parameterisation: Literal["auto", "integrated", "informed", "centred", "non-centred"] = "auto"

    correlate: ClassVar[bool] = True  # as [study] says

    @property
    def parts(self) -> "dict[str, Outcome | Distributional]":
        """What declares a trajectory, effects, covariates and moderators, by predictor: the outcome itself is its
        location.
        """
        parts: dict[str, Outcome | Distributional] = {"location": self, **self.predictors}
        if self.residual is not None and self.residual.by_visit:
            parts.setdefault("sigma", Distributional(trajectory=self.trajectory))
        return parts

    @property
    def limits(self) -> Limits | None:
        """The declared limits of what could be measured, where cells do not say so themselves."""
        return self.censoring if isinstance(self.censoring, Limits) else None

    @property
    def integrable(self) -> bool:
        """Whether all its measurements are normal on the link scale, so that residuals are integrated out exactly."""
        return self.family.normal and not self.family.has_zero_part and not self.censoring

    @property
    def drifts(self) -> bool:
        """Whether it has residuals that are not integrated out: a path of each patient is sampled."""
        return self.residual is not None and not self.integrable

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns that hold what belongs to each measurement."""
        return tuple(column for column in (self.exposure, self.error) if column is not None)

    @property
    def named(self) -> tuple[str, ...]:
        """The covariates and moderators of all its predictors."""
        return tuple(name for part in self.parts.values() for name in (*part.covariates, *part.moderators))


RATE = Rate()


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happens to patients, once or again and again: loss to follow-up, death, a relapse.

    One of four says when it happened:
    reasons: cells of the column study.time.reason; it then happened at the end of follow-up, and an end for any other
        reason, or none, is a time until which it had not
    at: a column that says when, a number or a date as the study's times are, in the table of patients or in that of
        visits (there each filled cell is one event)
    column: a column of 0 and 1 in the table of visits: whether it has happened since the row before; when, is known
        only between the two visits
    when: criteria of outcomes, as those of an estimand of kind `share`: it is met at the first visit that meets them
        all, and happened since the visit before; `confirmed` asks that the next visit meets them, too. What is compared
        with an earlier time is compared with the first measurement; who meets them at the first visit was never at
        risk, and where it is recurrent nobody is while they are met
    recurrent: it may happen again; otherwise what happens later is not looked at
    clock: of the hazard of what happens again: time since zero ("total"), or since the event before ("gap")
    typical: the share of patients to whom it happens within a typical follow-up; the default prior of the hazard stands
        on it
    hazard: how the rate goes with time
    depends: outcomes on whose expected course the rate depends, by "level", "slope" or "area" (the mean level since
        the start), or by the name of one of the outcome's effects. Each is counted in usual differences between
        patients: the level less `typical`, over the spread that `scale` declares, on the link scale; a slope as what
        it adds up to over a typical follow-up. The coefficient is the log hazard ratio of one of them, by default
        Normal(0, 0.5)
    covariates: of patients, which multiply the rate; by default Normal(0, 1) on the log
    frailty: whether patients differ in their rate beyond all that (default: where it is recurrent), log-normally; the
        default prior of the SD is half-normal(1)
    wanted: whether it is what one hopes for (off steroids), so that fewer patients free of it is for the better
    after: what becomes of visits after it, the first where it recurs: "used" like any other (the default), or
        "set aside", so that the course is that without it. An event that is known between visits is taken to have come
        before the second; the visit at which outcomes meet `when` is kept. It holds for the whole study; what an
        estimand says of the event (`events`) must go with it
    terminal: true of a death: there is no course after it, and every estimand of an outcome says what is done about it
    References: Rizopoulos (2012), https://doi.org/10.1201/b12208; Andersen and Gill (1982),
    https://doi.org/10.1214/aos/1176345976 (counting processes); Prentice et al. (1978),
    https://doi.org/10.2307/2530374 (competing reasons).
    """

    label: str = ""
    reasons: tuple[str, ...] = ()
    at: str | None = None
    column: str | None = None
    when: Criteria = field(default_factory=dict)
    confirmed: bool = False
    recurrent: bool = False
    clock: Literal["total", "gap"] = "total"
    typical: float | None = None
    hazard: Hazard
    depends: Mapping[str, str] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    frailty: bool | None = None
    wanted: bool = False
    after: Literal["used", "set aside"] | None = None
    terminal: bool | None = None
    priors: Mapping[str, str] = field(default_factory=dict)

    family: ClassVar[Rate] = RATE
    moderators: ClassVar[tuple[str, ...]] = ()
    residual: ClassVar[None] = None
    predictors: ClassVar[Mapping[str, Distributional]] = {}
    unit: ClassVar[str] = ""
    correlate: ClassVar[bool] = True  # as [study] says

    @property
    def parts(self) -> "dict[str, Event]":
        """Its one predictor, the log hazard."""
        return {"location": self}

    @property
    def ends(self) -> bool:
        """Whether nobody is seen after it."""
        return bool(self.reasons or self.terminal)

    @property
    def better(self) -> str:
        """The direction of benefit of being free of it."""
        return "lower" if self.wanted else "higher"

    @property
    def trajectory(self) -> Hazard:
        """What its predictor does in time."""
        return self.hazard

    @property
    def effects(self) -> tuple[str, ...]:
        """What patients differ in."""
        return (FRAILTY,) if (self.recurrent if self.frailty is None else self.frailty) else ()

    @property
    def named(self) -> tuple[str, ...]:
        """The covariates that it uses."""
        return self.covariates


@dataclass(frozen=True, kw_only=True)
class Response:
    """A rule that puts each patient into one category of response at the time `at`, judged on expected trajectories.

    categories: by name, in order, each a table of criteria by outcome as an estimand of kind `share` takes them; a
        patient has the first whose criteria are all met, and an empty table, the last, takes everyone else
    from: the time against which changes and ratios are judged
    free: events of which a patient must be free, by a time each, at most `at`: `{ relapse = 24, lost = 24 }`. Who had
        one meets no criteria, whatever the trajectory says. What is known of each patient counts; who left before that time
        without it has it, or not, with the probability that the own effects give from then on
    window: who was last measured at most so long before `at` counts as seen, not as lost; half the interval between
        planned visits is usual
    A score that adds points over several measures, such as the Total Improvement Score (ACR/EULAR 2016), is no such
    rule, and is not
        offered: its table of points could not be checked against its source.
    """

    title: str = ""
    at: float
    from_: float = field(default=0.0, metadata={"key": "from"})
    window: float = 0.0
    free: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, Criteria]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the rule looks at, in the order of its criteria."""
        return tuple(dict.fromkeys(outcome for criteria in self.categories.values() for outcome in criteria))

    @property
    def compares(self) -> bool:
        """Whether any criterion compares two times."""
        return any(c.compares for criteria in self.categories.values() for c in criteria.values())


@dataclass(frozen=True, kw_only=True)
class Study:
    """The question, as read from a TOML file. `text` is that file, word for word.

    patient: the column that says who; interval: the mass of every printed interval, equal-tailed
    treatment: what all patients receive; a change is then called a change during it, never its effect
    correlate: whether a patient's effects are correlated within each outcome, across all outcomes, or not at all
    correlation_prior: of the correlations of three effects or more, jointly (Lewandowski et al. 2009), and of residuals
    correlate_residuals: outcomes, normal on their link scale, whose residuals are correlated where they are measured at
        the same visit: what moves two measurements of one day together, beyond what the patients differ in (a cold,
        another examiner)
    rule: which of [responses] is the study's own, where there are several; the others show how much hangs on it
    """

    title: str
    patient: str
    time: Time
    treatment: str = ""
    interval: float = 0.95
    correlate: Literal["within outcomes", "across outcomes", "none"] = "within outcomes"
    correlation_prior: str = "lkj(2)"
    correlate_residuals: tuple[str, ...] = ()
    rule: str = ""
    data: DataFormat = field(default_factory=DataFormat)
    covariates: Mapping[str, Covariate] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome]
    events: Mapping[str, Event] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    estimands: Mapping[str, Estimand] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    responses: Mapping[str, Response] = field(default_factory=dict)
    design: Design | None = None
    published: Abstract | None = None
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    report: Statements | None = None
    text: str = field(default="", compare=False, repr=False)

    def once[T](self, make: Callable[..., T], *args: str) -> T:
        """What `make(study, *args)` says of this study, which never changes: computed when it is asked for first, and
        held.

        It goes with the study: a copy (`dataclasses.replace`) holds nothing.
        """
        held: dict[Any, Any] = self.__dict__.setdefault("_held", {})
        if (make, args) not in held:
            held[make, args] = make(self, *args)
        return cast("T", held[make, args])

    @property
    def declared(self) -> "dict[str, Outcome | Event]":
        """Everything with predictors, parameters and a likelihood, by name: the outcomes, and after them the events."""
        return {**self.outcomes, **self.events}

    def label(self, name: str) -> str:
        """How an outcome or an event is called."""
        return self.declared[name].label or name

    @property
    def named(self) -> dict[str, Named]:
        """How each outcome is called in the middle of a sentence, and its unit."""
        return {name: Named(in_sentence(self.label(name)), o.unit) for name, o in self.declared.items()}

    @property
    def typical_follow_up(self) -> float | None:
        """In the time unit, as declared, or that of the design; None where neither says. Default priors stand on it."""
        return self.time.typical or (self.design.typical_follow_up if self.design else None)

    def scale(self, outcome: str) -> Scale:
        """The clinical scale of an outcome, on its family's link scale."""
        if outcome in self.events:
            return self._rate(self.events[outcome])
        o = self.outcomes[outcome]
        typical = 0.0 if o.typical is None else o.typical
        return self._scale(float(o.family.link(typical)), o.family.spread(o.scale, typical), o.unit)

    def part_scale(self, outcome: str, name: str) -> Scale:
        """The clinical scale of a parameter with a predictor of its own, on its link."""
        o = self.outcomes[outcome]
        link, part = o.family.part(name), o.parts[name]
        prior = o.family.parameters(self.scale(outcome)).get(name)
        typical = part.typical
        if typical is None:
            assert isinstance(prior, Prior)
            typical = prior.quantile(0.5)
        unit = CALLED[name] if prior is None else o.unit if o.family.in_unit(name) else ""
        return self._scale(float(link.link(typical)), link.spread(part.scale or SPREAD, typical), unit)

    def _rate(self, event: Event) -> Scale:
        """Of an event: the log of the constant hazard under which the declared share has it within a follow-up."""
        share, follow_up = event.typical, self.typical_follow_up
        typical = math.nan if share is None or follow_up is None else math.log(-math.log1p(-share) / follow_up)
        return self._scale(typical, 1.0, f"per {self.time.unit}")

    def _scale(self, typical: float, spread: float, unit: str) -> Scale:
        months = MONTHS_PER.get(self.time.unit)
        return Scale(typical, spread, unit, self.time.unit, self.typical_follow_up, 1 / months if months else None)
