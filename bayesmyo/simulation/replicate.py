"""The one loop of every simulation study: truth -> cohort -> fit -> row.

Seeds are addressed by (cell, replicate, role), so any row can be made again alone. A failure is a row with its
stage and its reason: it is never dropped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from bayesmyo.assess.diagnostics import Diagnostics, diagnose
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import BayesmyoError
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import ENGINES, Certificate, Sampling
from bayesmyo.inference.fit import Fit, posterior_truth, wrap
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import Simulated, simulate
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import PREDICT, SAMPLE, SIMULATE, address
from bayesmyo.simulation import calendar
from bayesmyo.simulation.ahead import Ahead
from bayesmyo.simulation.beside import compared
from bayesmyo.simulation.calibration.posterior import remeasured
from bayesmyo.simulation.calibration.ranks import first_patient, joint, position
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import SHORT, Plan, usual
from bayesmyo.simulation.power.comparators import checked, compare
from bayesmyo.simulation.power.predictive import Predictive
from bayesmyo.simulation.row import Kind, Quantity, Row
from bayesmyo.study.parameters import moving
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash

DISAGREE, FEW = 1.05, 100  # R-hat above which, effective draws below which, short chains are sampled once more
LONGER = 3  # times as many iterations, of both kinds
JOINT = "joint log-likelihood"
REFERENCE, SHARE = "nuts", 0.02  # what analyses this share of cohorts too, where an engine answers with a certificate
BESIDE = (0, 0, 1)  # what the seeds of that stand for
STEPS = ("importance", "hamiltonian", REFERENCE)  # of such an engine


@dataclass(frozen=True, eq=False)
class Asked:
    """One number in one analysis: its true value, and its draws (chain, draw)."""

    kind: Kind
    name: str
    truth: float
    draws: np.ndarray


@dataclass
class Models:
    """What a process has compiled: one model for each study and number of patients, for all cells that need it."""

    compiled: dict[tuple[str, str, int], Compiled] = field(default_factory=dict)

    def of(self, study: Study, engine: str, sampling: Sampling, patients: int) -> Compiled:
        key = study_hash(study), engine, patients
        if key not in self.compiled:
            self.compiled[key] = Compiled(study, engine, sampling)
        return self.compiled[key]


class Replicator:
    """Replicates of one cell.

    A model is compiled once for each number of patients, and again only for data that it cannot take (see
    `BuiltModel.facts`).

    Parameters
    ----------
    cell : Cell
        What all of them have in common.
    seed : int
        Seeds are addressed by (seed, role, place, replicate).
    engine, sampling : str, Sampling
        How each cohort is fitted.
    record : sequence of str
        The kinds of quantities that rows hold; with truths from the priors of the analysis each has a rank.
    place : int, optional
        Where the cell stands in the tree of seeds (default: where its key says).
    models : Models, optional
        Compiled ones, shared with other cells.
    comparators : sequence of str
        Other methods that answer beside, by name (`power/comparators.py`).
    predictive : Predictive, optional
        How interim looks judge futility, where they look ahead (`ahead.py`).
    """

    def __init__(
        self,
        cell: Cell,
        *,
        seed: int,
        engine: str = "nuts",
        sampling: Sampling | None = None,
        record: Sequence[Kind] = ("estimand", "decision", "parameter", "effect", "joint"),
        place: int | None = None,
        models: Models | None = None,
        comparators: Sequence[str] = (),
        predictive: Predictive | None = None,
    ):
        self.comparators = checked(comparators)
        self.cell, self.seed, self.engine, self.record = cell, seed, engine, tuple(record)
        self.sampling = sampling or usual(engine)
        self.place = int(cell.key, 16) if place is None else place
        self.models = models or Models()
        self._ahead = predictive and Ahead(cell, predictive, self.model, self.sampling, seed, self.place)
        self._constant: dict[str, float] = {}
        self._compiled: dict[int, Compiled] = {}

    def run(self, replicate: int) -> Row:
        """One replicate, whatever happened before."""
        try:
            simulated = self.simulate(replicate)
        except BayesmyoError as error:
            return Row(self.cell.key, replicate, "simulate", str(error))
        cohort, lost = simulated.cohort, int(simulated.lost.sum())
        row = Row(self.cell.key, replicate, patients=len(cohort), visits=cohort.rows.used, lost=lost)
        try:
            return self._analysed(row, simulated)
        except BayesmyoError as error:
            return replace(row, stage="fit", reason=str(error))

    def simulate(self, replicate: int) -> Simulated:
        """The cohort of a replicate."""
        rng = np.random.default_rng(address(self.seed, SIMULATE, self.place, replicate))
        truth = self.cell.truth(rng)
        if self.cell.cohort is not None:
            return remeasured(self.cell.study, self.cell.cohort, truth, rng)
        return simulate(self.cell.study, truth, rng, self.cell.patients)

    def fit(self, simulated: Simulated, replicate: int) -> Fit:
        """The fit of a replicate's cohort, whole, under its own seed, whatever its chains are worth."""
        seed = address(self.seed, SAMPLE, self.place, replicate)
        compiled = self.model(len(simulated.cohort))
        draws = compiled.draws(simulated.cohort, seed, sampling=self.sampling)
        how: dict[str, Any] = {"engine": self.engine, "seed": seed, "sampling": self.sampling, "how": compiled.how}
        return wrap(self.cell.analysis, simulated.cohort, draws, **how)

    def model(self, patients: int) -> Compiled:
        """The compiled model for a number of patients."""
        if patients not in self._compiled:
            self._compiled[patients] = self.models.of(self.cell.analysis, self.engine, self.sampling, patients)
        return self._compiled[patients]

    def _analysed(self, row: Row, simulated: Simulated) -> Row:
        """The row with what every look at the cohort says; sampled once more, all of it, where short chains cannot be
        trusted.
        """
        short = self._looked(row, simulated, self.sampling)
        if not (trusted(short) or not ENGINES[self.engine].posterior):
            short = self._looked(replace(row, attempts=2), simulated, longer(self.sampling))
        return self._beside(short, simulated)

    def _beside(self, row: Row, simulated: Simulated) -> Row:
        """The row with what the reference engine says beside one that answers with a certificate, of a few cohorts."""
        chance = np.random.default_rng(address(self.seed, SAMPLE, self.place, row.replicate, *BESIDE)).random()
        if row.step in ("", REFERENCE) or chance >= SHARE:
            return row
        seed = address(self.seed, SAMPLE, self.place, row.replicate, *BESIDE)
        compiled = self.models.of(self.cell.analysis, REFERENCE, SHORT, row.patients)
        try:
            drawn = compiled.draws(simulated.cohort, seed)
        except BayesmyoError:  # the answer stands by its own certificate
            return row
        posterior = posterior_truth(self.cell.analysis, simulated.cohort, drawn.posterior)
        asked = self._asked(simulated, posterior, address(self.seed, PREDICT, self.place, row.replicate))
        theirs = {a.name: a.draws for a in asked if a.kind == "estimand"}
        ours = [q for q in row.quantities if q.kind == "estimand" and q.look == row.patients]
        apart, wider = compared(ours, theirs, self.cell.analysis.interval)
        return replace(row, apart=apart, wider=wider)

    def _looked(self, row: Row, simulated: Simulated, sampling: Sampling) -> Row:
        new_patients = address(self.seed, PREDICT, self.place, row.replicate)
        rng = np.random.default_rng(new_patients)
        quantities: list[Quantity] = []
        diagnosed: list[Diagnostics] = []
        certificates: list[Certificate] = []
        divergences = 0
        undecided = list(self.cell.analysis.decisions)
        for look, part, told, clock in self._parts(simulated):
            again = (look, row.attempts) if row.attempts > 1 or look != row.patients else ()
            seed = address(self.seed, SAMPLE, self.place, row.replicate, *again)
            draws = self.model(len(told)).draws(told, seed, sampling=sampling)
            posterior = posterior_truth(self.cell.analysis, told, draws.posterior)
            posterior = posterior.without(*range(len(part.cohort), len(told)))
            asked = list(self._asked(part, posterior, new_patients))
            diagnoses = diagnose({f"{a.kind} {a.name}": a.draws for a in asked})
            said = list(self._quantities(asked, diagnoses, look, rng))
            if self._ahead and look != row.patients:
                undecided = _left(undecided, said, "decision", met=True)
                said += self._ahead.predicted(simulated, row.replicate, look, clock, posterior, undecided)
                undecided = _left(undecided, said, "predictive", met=False)
            quantities += said
            truths = {a.name: a.truth for a in asked if a.kind == "estimand"}
            quantities += (
                replace(q, look=look) for q in compare(self.cell.analysis, part.cohort, self.comparators, truths)
            )
            diagnosed += diagnoses.values()
            divergences += int(np.sum(draws.stats.get("diverging", 0)))
            certificates += [draws.certificate] if draws.certificate else []
        rhat, ess = worst(diagnosed)
        step = max((c.step for c in certificates), key=STEPS.index, default="")
        k = max((c.k for c in certificates if c.k is not None), default=None)
        how: dict[str, Any] = {"rhat": rhat, "ess": ess, "divergences": divergences, "step": step, "k": k}
        if self.cell.dated:
            quantities += calendar.dates(self.cell, simulated)
        return replace(row, **how, quantities=tuple(sorted(quantities, key=lambda q: q.look)))

    def _parts(self, simulated: Simulated) -> Iterator[tuple[int, Simulated, Cohort, np.ndarray]]:
        """Every look: what it is called, what is known then of those who are there, the cohort that is analysed, and
        until when each of those who are there is known, on his own clock.

        In calendar time this has all patients, whose likelihood is that of those who are there, so that one compiled
        model does for all looks; the whole is first, whose data choose how it is sampled.
        """
        patients = len(simulated.cohort)
        if not self.cell.dated:
            for look in self.cell.looks or (patients,):
                part = simulated if look == patients else first(simulated, look)
                yield look, part, part.cohort, np.full(look, np.inf)
            return
        yield patients, simulated, simulated.cohort, np.full(patients, np.inf)
        for look, date in calendar.held(self.cell, simulated):
            told = calendar.seen(self.cell.study, simulated, date)
            there = first(told, calendar.enrolled(simulated, date))
            yield look, there, told.cohort, calendar.clocks(simulated, date)[: len(there.cohort)]

    def _asked(self, simulated: Simulated, posterior: Truth, seed: int) -> Iterator[Asked]:
        """Every number that is recorded, but decisions, which are made from estimands."""
        study, truth = self.cell.analysis, simulated.truth
        events = simulated.cohort.events
        prediction = TruthPrediction(study, posterior, address(seed, PREDICT), events=events)
        for name in self._estimands():
            true = self._true(name, truth, seed, prediction)
            yield Asked("estimand", name, true, study.estimands[name].of(prediction))
        if "parameter" in self.record:
            for p in moving(study):
                true = float(truth.value(p.outcome, p.name)) if self.cell.alike else np.nan
                yield Asked("parameter", p.full_name, true, posterior.value(p.outcome, p.name))
        if self.cell.alike and "effect" in self.record:
            for name, true, drawn in first_patient(study, simulated.cohort, truth, posterior):
                yield Asked("effect", name, true, drawn)
        if self.cell.alike and "joint" in self.record:
            true = float(joint(study, simulated.cohort, truth))
            yield Asked("joint", JOINT, true, joint(study, simulated.cohort, posterior))

    def _estimands(self) -> list[str]:
        """Names of the estimands that are needed."""
        study = self.cell.analysis
        needed = {d.estimand for d in study.decisions.values()} if "decision" in self.record else set()
        return [name for name in study.estimands if "estimand" in self.record or name in needed]

    def _true(self, name: str, truth: Truth, seed: int, drawn: TruthPrediction) -> float:
        """The true value of an estimand, NaN where the study that simulates does not have it; the new patient is a
        patient to come.

        A value that is ranked among draws is computed as they are: an integral with the same number of points.
        """
        estimand = self.cell.study.estimands.get(name)
        if estimand is None:
            return float("nan")
        if name in self._constant:
            return self._constant[name]
        of_all = estimand.population in ("population average", "average patient")
        constant = self.cell.fixed and not truth.covariates and of_all
        if constant:
            seed = address(self.seed, PREDICT, self.place)  # that of the first replicate, whichever comes first here
        among = drawn.among if self.cell.exchangeable else None
        value = float(estimand.of(TruthPrediction(self.cell.study, truth, seed, among, drawn.events)))
        if constant:
            self._constant[name] = value
        return value

    def _quantities(
        self, asked: Sequence[Asked], diagnoses: dict[str, Diagnostics], look: int, rng: np.random.Generator
    ) -> Iterator[Quantity]:
        study = self.cell.analysis
        tail = (1 - study.interval) / 2
        for a in asked:
            if a.kind == "estimand" and "estimand" not in self.record:
                continue
            d = diagnoses[f"{a.kind} {a.name}"]
            ranked = self.cell.exchangeable and np.isfinite(a.truth)
            lower, median, upper = map(float, np.quantile(a.draws, [tail, 0.5, 1 - tail]))
            center, sd = float(a.draws.mean()), float(a.draws.std(ddof=1))
            rank = position(a.truth, a.draws, d.ess_bulk, rng) if ranked else None
            said: dict[str, Any] = {"median": median, "lower": lower, "upper": upper, "rank": rank}
            yield Quantity(a.kind, a.name, look, a.truth, center, sd, **said, ess=min(d.ess_bulk, d.ess_tail))
        if "decision" in self.record:
            estimands = {a.name: a for a in asked if a.kind == "estimand"}
            for name, decision in study.decisions.items():
                of = estimands[decision.estimand]
                v = decision.judge(of.draws)
                yield Quantity("decision", name, look, truth=of.truth, probability=v.probability, met=bool(v.met))


def longer(sampling: Sampling) -> Sampling:
    """How short chains that were not to be trusted are sampled again: tuned for longer too, which is what they lack.

    `fit`, whose chains are tuned for long enough, continues them instead (`model/mixing.py`).
    """
    return replace(sampling, draws=LONGER * sampling.draws, tune=LONGER * sampling.tune)


def first(simulated: Simulated, patients: int) -> Simulated:
    """The first patients of a simulated cohort, in the order of inclusion."""
    cohort, truth = simulated.cohort.first(patients), simulated.truth
    for i in range(len(simulated.cohort) - 1, patients - 1, -1):
        truth = truth.without(i)
    return Simulated(cohort, truth, simulated.follow_up[:patients], simulated.lost[:patients])


def _left(decisions: Sequence[str], quantities: Sequence[Quantity], kind: Kind, met: bool) -> list[str]:
    """The decisions that nothing of this kind has met, or not met."""
    settled = {q.name for q in quantities if q.kind == kind and q.met is met}
    return [name for name in decisions if name not in settled]


def worst(diagnosed: Sequence[Diagnostics]) -> tuple[float | None, float | None]:
    """The largest R-hat and the smallest effective number of draws; None where no quantity moves."""
    rhat = [d.rhat for d in diagnosed if np.isfinite(d.rhat)]
    ess = [min(d.ess_bulk, d.ess_tail) for d in diagnosed if np.isfinite(d.ess_bulk)]
    return max(rhat, default=None), min(ess, default=None)


def trusted(row: Row) -> bool:
    """Whether chains so short can be believed for one row among many."""
    return row.rhat is not None and row.ess is not None and row.rhat <= DISAGREE and row.ess >= FEW


@lru_cache(maxsize=1)
def _replicators(text: str) -> list[Replicator]:
    plan, models = Plan.from_json(text), Models()
    settings: dict[str, Any] = {
        name: getattr(plan, name) for name in ("seed", "engine", "sampling", "record", "comparators", "predictive")
    }
    return [Replicator(cell, models=models, **settings) for cell in plan.cells]


def work(plan: str, cell: int, replicates: Sequence[int]) -> list[dict[str, object]]:
    """What a worker is asked: some replicates of one cell of a plan (as JSON), as rows of plain values.

    The models that a process has compiled are kept for what it is asked next.
    """
    replicator = _replicators(plan)[cell]
    return [replicator.run(r).as_dict() for r in replicates]
