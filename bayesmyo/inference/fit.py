"""The verb `fit`, and what it returns: a Fit, which carries all that is needed to understand it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from html import escape
from math import prod
from typing import Any, Never

import numpy as np
import xarray as xr

from bayesmyo.cohort.cohort import Cohort, Episodes, Exits, Measurements, RowAccount
from bayesmyo.components.numbers import listing
from bayesmyo.errors import StorageError, UsageError, did_you_mean, must_be
from bayesmyo.inference.arguments import in_range, known_study, typed, usable
from bayesmyo.inference.build import build
from bayesmyo.inference.diagnostics import Diagnostics, diagnose
from bayesmyo.inference.engines import ENGINES, Certificate, Draws, Progress, Sampling
from bayesmyo.inference.layout import DRAWS, EPISODES, ESTIMANDS, EXITS, LOG_LIKELIHOOD, layout, rounded, tree_of
from bayesmyo.inference.mixing import sampled_on, too_few
from bayesmyo.inference.recover import complete
from bayesmyo.model.data import SHARED
from bayesmyo.model.joint import standard_residuals
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.residuals import mean as expected
from bayesmyo.model.residuals import with_errors
from bayesmyo.model.spec import spec
from bayesmyo.model.truth import OutcomeTruth, Truth, patient_columns
from bayesmyo.model.versions import versions
from bayesmyo.model.visits import trailing
from bayesmyo.seeds import PREDICT, SAMPLE, address
from bayesmyo.study.asks import added, modelled_otherwise
from bayesmyo.study.covariates import used
from bayesmyo.study.parameters import inventory, moving
from bayesmyo.study.predictors import CORRELATIONS, effects
from bayesmyo.study.read import parse_study
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash, to_toml

FORMAT = 3
LARGEST = 20_000_000  # numbers in the log-likelihood that a fit keeps
AT_ONCE = 4_000_000  # numbers in one array while it is computed
MEASUREMENT_FIELDS = tuple(f.name for f in fields(Measurements) if f.name != "covariates")


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A posterior that needs nothing else: `tree` holds the draws, the data, the study's text and how it was made.

    Attributes
    ----------
    tree : xarray.DataTree
        The groups `posterior`, `sample_stats`, `log_likelihood`, `log_prior` (of the population's parameters),
        `observed_data` and `constant_data`, ready for any function of ArviZ: `az.psense(fit.tree)`,
        `az.loo(fit.tree, var_name="cpk")`. Parameters are named `cpk.start`, patients' deviations `cpk.effect_start` (chain, draw, patient;
        to single precision), all on the link scale; observations are in outcome units. A large fit (draws times
        measurements above 20 million) leaves the log-likelihood out: `fit.group("log_likelihood")` computes it.

    Examples
    --------
    >>> fit.group("posterior")["cpk.start"].shape, fit.seed
    ((4, 1000), 1)
    """

    tree: xr.DataTree

    def __repr__(self) -> str:
        """Who, what, how, and what to call next: answers are told by what judges them first."""
        return "\n".join((self._told[0], *(f"  {term}: {said}" for term, said in self._told[1])))

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        title, pairs = self._told
        rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(said)}</dd>" for term, said in pairs)
        return f"<section><strong>{escape(title)}</strong><dl>{rows}</dl></section>"

    @property
    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        study, posterior = self.study, self.group("posterior")
        if self.shared:
            who = f"a shared copy without patient data, of {json.loads(self.tree.attrs['bayesmyo_shared'])['patients']} patients"
        else:
            cells = listing([f"{len(m):,} of {study.label(o)}" for o, m in self.cohort.measurements.items()])
            events = [f"{e.happened:,} of {study.label(n)}" for n, e in self.cohort.events.items()]
            who = f"{len(self.cohort):,} patients; measurements: {cells}"
            who += f"; events: {listing(events)}" if events else ""
        how = (
            f"{posterior.sizes['chain']} chains of {posterior.sizes['draw']:,} draws by {self.engine}, seed {self.seed}"
        )
        asked = [("asked", ", ".join(study.estimands))] if study.estimands else []
        asked += [("to be decided", ", ".join(study.decisions))] if study.decisions else []
        calls = "bayesmyo.check(fit), then bayesmyo.estimate(fit), bayesmyo.decisions(fit)"
        return f"Fit of {study.title}", [
            ("who", who), ("how", how), *asked, ("next", f'{calls}; bayesmyo.write_report(fit, "report.html")'),
        ]  # fmt: skip

    @cached_property
    def study(self) -> Study:
        return parse_study(self.tree.attrs["study"])

    @cached_property
    def cohort(self) -> Cohort:
        """The patients and measurements that were fitted. Raises StorageError for a shared copy, which has none."""
        if self.shared:
            raise StorageError("This is a shared copy without patient data: ask its owner for what needs the patients.")
        constant, observed = self.group("constant_data").data_vars, self.group("observed_data").data_vars
        data = {str(k): v.values for k, v in {**constant, **observed}.items()}
        measurements = {}
        for name in self.study.outcomes:
            fields_of: dict[str, Any] = {
                f: data.get(name if f == "value" else f"{name}.{f}") for f in MEASUREMENT_FIELDS
            }
            visits = {c: data[f"{name}.x.{c}"] for c in used(self.study, "visits")}
            measurements[name] = Measurements(**fields_of, covariates=visits)
        patients = tuple(str(p) for p in self.group("posterior")["patient"].values)
        rows = RowAccount.from_dict(json.loads(self.tree.attrs["rows"]))
        notices = tuple(json.loads(self.tree.attrs["notices"]))
        covariates = {c: data[f"{SHARED}.{c}"] for c in used(self.study, "patients")}
        source, sha256 = self.tree.attrs["data_source"], self.tree.attrs["data_sha256"]
        empty = {f: np.zeros(0, dtype) for f, dtype in EPISODES.items()}
        events = {
            name: Episodes(**{f: data.get(f"{name}.{f}", none) for f, none in empty.items()})
            for name in self.study.events
        }
        exits, stated = (data.get(name) for name in EXITS)
        left = (
            None
            if exits is None or stated is None
            else Exits(exits, stated, tuple(json.loads(self.tree.attrs["reasons"])))
        )
        return Cohort(patients, measurements, rows, notices, source, sha256, covariates, events, left)

    @cached_property
    def truth(self) -> Truth:
        """The posterior as truths, one for each (chain, draw): every parameter and every patient's effects, on the link
        scale.

        >>> fit.truth.outcomes["cpk"].effects["start"].shape  # deviations of these patients from the population
        (4, 1000, 12)
        """
        posterior = {str(k): v.values for k, v in self.group("posterior").data_vars.items()}
        return posterior_truth(self.study, self.cohort, posterior)

    @cached_property
    def estimands(self) -> dict[str, np.ndarray]:
        """Draws of every estimand of the study, in its order, each (chain, draw) in the unit of the estimand.

        >>> fit.estimands["cpk_ratio_12"].shape
        (4, 1000)
        """
        if self.shared:
            stored = self.group(ESTIMANDS)
            return {name: stored[name].values for name in self.study.estimands}
        prediction = self.prediction
        return {name: e.of(prediction) for name, e in self.study.estimands.items()}

    def asking(self, study: Study) -> "Fit":
        """The same draws asked by another study of the same model: its estimands, decisions, responses and interval.

        What is asked after the data were seen was not specified before: say so where it is reported.
        Raises UsageError where the model differs, or a shared copy has no patients to answer with.

        >>> later = bayesmyo.parse_study(study.text + '[estimands.cpk_24]\\nkind = "level"\\noutcome = "cpk"\\nat = 24\\n')
        >>> bayesmyo.estimate(fit.asking(later)).index.tolist()[-1]
        'cpk_24'
        """
        known_study(study)
        if differs := modelled_otherwise(self.study, study):
            what = f"is of another model: not the fit's {' and '.join(differs)}"
            mend = "only estimands, decisions, responses and the like may differ; fit it anew"
            raise UsageError("study", what, f'"{study.title}"', mend)
        if self.shared and (new := added(self.study, study)):
            what = f"asks what a shared copy without patients cannot tell: {', '.join(new)}"
            raise UsageError("study", what, mend="ask its owner")
        tree = self.tree.copy()
        tree.attrs = {**self.tree.attrs, "study": study.text or to_toml(study)}
        return Fit(tree)

    @cached_property
    def quantities(self) -> dict[str, dict[str, np.ndarray]]:
        """(chain, draw) values by kind and name: parameters that are no constants, estimands, and each patient's
        effects under the pseudonym.

        >>> fit.quantities["effect"]["cpk.effect_start[P03]"].shape
        (4, 1000)
        """
        kinds: dict[str, dict[str, np.ndarray]] = {"parameter": {}, "estimand": dict(self.estimands), "effect": {}}
        names = () if self.shared else self.cohort.pseudonyms()
        sampled = {p.full_name for p in moving(self.study)}
        for name, array in self.group("posterior").data_vars.items():
            if array.ndim == 2:
                kinds["parameter"] |= {str(name): array.values} if name in sampled else {}
            elif str(name).startswith(f"{SHARED}."):  # values imputed for patients who have none
                kinds["effect"] |= {f"{name}[{i + 1}]": array.values[..., i] for i in range(array.shape[-1])}
            else:
                kinds["effect"] |= {f"{name}[{names[i]}]": array.values[..., i] for i in range(array.shape[-1])}
        return kinds

    @cached_property
    def diagnostics(self) -> dict[str, dict[str, Diagnostics]]:
        """R-hat and effective draws of every quantity, by kind and name.

        >>> fit.diagnostics["estimand"]["cpk_ratio_12"].ess > 400
        True
        """
        return {kind: diagnose(group) for kind, group in self.quantities.items()}

    @property
    def shared(self) -> bool:
        """Whether this is a copy without patient data: parameters, estimands and decisions are there, and no patients."""
        return "bayesmyo_shared" in self.tree.attrs

    @property
    def prediction(self) -> TruthPrediction:
        """Levels in outcome units under every draw, for any population: what `fitted`, `posterior_epred` and
        `posterior_predict` are elsewhere.

        >>> fit.prediction.level("cpk", 12, "new patient", predicts="measurement").shape
        (4, 1000)
        >>> fit.prediction.each("cpk", 12).shape  # these patients, one by one
        (4, 1000, 12)
        """
        return TruthPrediction(self.study, self.truth, address(self.seed, PREDICT), events=self.cohort.events)

    def group(self, name: str) -> xr.Dataset:
        """One group of the tree as a dataset: `posterior`, `sample_stats`, `log_likelihood`, `observed_data`,
        `constant_data`.

        Raises UsageError for a group that there is not.
        """
        if name == LOG_LIKELIHOOD and name not in self.tree.children and not self.shared:
            arrays = {o: log_likelihood(self.study, self.cohort, self.truth, o) for o in self.study.outcomes}
            held = layout(self.study)[LOG_LIKELIHOOD]
            return xr.Dataset({o: (held[o].dims, v) for o, v in arrays.items()}, coords=_draw_coords(self.tree))
        if name not in self.tree.children:
            raise UsageError("group", "is not in this fit", f'"{name}"', did_you_mean(str(name), [*self.tree.children]))
        return self.tree.children[name].to_dataset()

    @property
    def seed(self) -> int:
        return int(self.tree.attrs["seed"])

    @property
    def engine(self) -> str:
        return str(self.tree.attrs["engine"])

    @property
    def sampling(self) -> dict[str, Any]:
        """Draws, tuning iterations, chains, target acceptance, and of how many draws one was kept (`every`).

        attempts: 2 where the draws that were asked for were too few, and the same chains were sampled on

        >>> fit.sampling["draws"], fit.sampling["every"], fit.sampling["attempts"]
        (1000, 1, 1)
        """
        return {"every": 1, "attempts": 1} | json.loads(self.tree.attrs["sampling"])

    @property
    def certificate(self) -> Certificate | None:
        """By which step an engine of several answered, and what that says of itself; None for any other engine.

        >>> fit.certificate is None  # of the engine nuts
        True
        """
        text = self.tree.attrs.get("certificate")
        return Certificate(**json.loads(text)) if text else None

    @property
    def versions(self) -> dict[str, str]:
        return dict(json.loads(self.tree.attrs["versions"]))

    def posterior_predictive(self, seed: int | None = None) -> xr.DataTree:
        """The same tree with a group `posterior_predictive`: replicated measurements of the same patients at the same
        visits, in outcome units, as posterior predictive checks need them. Drawn with NumPy, not by the model's code.

        >>> fit.posterior_predictive()["posterior_predictive"]["cpk"].dims
        ('chain', 'draw', 'cpk.visit')
        """
        rng = np.random.default_rng(address(self.seed if seed is None else seed, PREDICT))
        standard = standard_residuals(self.study, self.truth, self.cohort.measurements, rng)
        replicated = {}
        for name in self.study.outcomes:
            m = self.cohort.measurements[name]
            drawn = spec(self.study).measured[name].draw(self.truth, m, rng, standard.get(name))
            replicated[name] = (("chain", "draw", f"{name}.visit"), drawn)
        tree = self.tree.copy()
        tree["posterior_predictive"] = xr.DataTree(xr.Dataset(replicated, coords=_draw_coords(self.tree)))
        return tree

    def expected_values(self) -> xr.DataTree:
        """The same tree with a group `expected_values`: the measurement that is expected of the same patients at the same
        visits, in outcome units, as Bayesian R2 needs it.

        >>> import arviz as az
        >>> tree = fit.expected_values()
        >>> tree["expected_values"]["cpk"].dims
        ('chain', 'draw', 'cpk.visit')
        >>> 0 < float(az.residual_r2(tree, pred_mean="cpk", obs_name="cpk", group="expected_values").mean) < 1
        True
        """
        means = {}
        for name, o in self.study.outcomes.items():
            m = self.cohort.measurements[name]
            values = with_errors(trailing(self.truth.outcomes[name].values), m.error)
            etas = spec(self.study).measured[name].etas(self.truth, m)
            means[name] = (("chain", "draw", f"{name}.visit"), expected(o, etas, values))
        tree = self.tree.copy()
        tree["expected_values"] = xr.DataTree(xr.Dataset(means, coords=_draw_coords(self.tree)))
        return tree


def fit(
    study: Study,
    cohort: Cohort,
    *,
    engine: str = "nuts",
    seed: int = 1,
    sampling: Sampling | None = None,
    progress: Progress | None = None,
    **unknown: Never,
) -> Fit:
    """Fit a study's model to a cohort.

    Chains that are too short to be believed and show nothing worse are sampled on: four times as many draws, of which as
    many are kept as were asked for.

    Parameters
    ----------
    study : Study
        Of `read_study` or `find_study`.
    cohort : Cohort
        Of `read_cohort` or `cohort_from_frame`.
    engine : str
        "nuts" draws from the posterior, "laplace" faster where the posterior is nearly normal, and as "nuts" where it
        is not; "mock" from the prior, for tests and dry runs.
    seed : int
        Same seed, same study, same data, same versions: the same bits, on any number of cores.
    sampling : Sampling, optional
        Draws, tuning iterations, chains, cores.
    progress : callable, optional
        Called with the state of each chain.

    Returns
    -------
    Fit
        Its draws are worth what `check` says of them.

    Raises
    ------
    UsageError
        For an unknown engine, settings out of range, or a path where what it holds is wanted.
    EngineError
        Where sampling cannot start or finish.

    References
    ----------
    Hoffman and Gelman (2014), https://jmlr.org/papers/v15/hoffman14a.html.

    Examples
    --------
    >>> dry = bayesmyo.fit(study, cohort, engine="mock", sampling=bayesmyo.Sampling(draws=10, chains=2))
    >>> bayesmyo.check(dry)[0].sentence
    'The engine mock does not draw from the posterior: fit again with --engine nuts.'
    """
    usable(study, cohort, sampling, unknown)
    sampling = sampling or Sampling()
    in_range(engine, seed, sampling)
    model = build(study, cohort)
    prepared = ENGINES[engine].prepare(model, exchange=False)

    def sample(sampling: Sampling, attempt: int) -> Fit:
        draws = prepared.sample([model.data], [address(seed, SAMPLE)], sampling, progress)[0]
        return wrap(study, cohort, draws, engine=engine, seed=seed, sampling=sampling, how=model.how, attempts=attempt)

    return sampled_on(sample, sampling, short)


def short(fit: Fit) -> bool:
    """Whether more draws of the same chains are all that a fit lacks: none diverged, and chains can be compared."""
    stats = fit.group("sample_stats")
    diverged = "diverging" in stats and bool(stats["diverging"].any())
    if not ENGINES[fit.engine].posterior or diverged or fit.group("posterior").sizes["chain"] < 2:
        return False
    return too_few([d for group in fit.diagnostics.values() for d in group.values()])


def wrap(
    study: Study,
    cohort: Cohort,
    draws: Draws,
    *,
    engine: str,
    seed: int,
    sampling: Sampling,
    how: Mapping[str, str],
    attempts: int = 1,
) -> Fit:
    """Draws of an engine as a Fit. A draw that was kept has the number that it has among all that were sampled."""
    held = layout(study)
    posterior = {k: rounded(held["posterior"], k, v) for k, v in draws.posterior.items()}
    stats = {k: rounded(held["sample_stats"], k, v) for k, v in draws.stats.items()}
    arrays: dict[str, dict[str, np.ndarray]] = {"posterior": posterior, "sample_stats": stats}
    if prod(_shape(draws)) * sum(len(m) for m in cohort.measurements.values()) <= LARGEST:
        truth = posterior_truth(study, cohort, posterior)
        arrays[LOG_LIKELIHOOD] = {name: log_likelihood(study, cohort, truth, name) for name in study.outcomes}
    observed: dict[str, Any] = {}
    constant: dict[str, Any] = {}
    for name in study.outcomes:
        m = cohort.measurements[name]
        observed[name] = m.value
        stored = {f: getattr(m, f) for f in MEASUREMENT_FIELDS if f != "value"}
        constant |= {f"{name}.{f}": v for f, v in stored.items() if v is not None}
        constant |= {f"{name}.x.{c}": v for c, v in m.covariates.items()}
    constant |= {f"{SHARED}.{c}": v for c, v in cohort.covariates.items()}
    for name in study.events:
        constant |= {f"{name}.{f}": getattr(cohort.events[name], f) for f in EPISODES if len(cohort.events[name])}
    if cohort.exits is not None:
        constant |= dict(zip(EXITS, (cohort.exits.time, cohort.exits.stated), strict=True))
    for group, data in (("observed_data", observed), ("constant_data", constant)):
        arrays[group] = {k: rounded(held[group], k, v) for k, v in data.items()}
    settings = {k: v for k, v in asdict(sampling).items() if k != "cores"} | {"attempts": attempts}
    attributes = {
        "bayesmyo_format": FORMAT,
        "study": study.text or to_toml(study),
        "study_sha256": study_hash(study),
        "data_source": cohort.source,
        "data_sha256": cohort.sha256,
        "rows": json.dumps(cohort.rows.as_dict()),
        "notices": json.dumps(list(cohort.notices)),
        "engine": engine,
        "seed": str(seed),
        "sampling": json.dumps(settings),
        "parameterisation": json.dumps(dict(how)),
        "versions": json.dumps(versions()),
    }
    if draws.certificate is not None:
        attributes["certificate"] = json.dumps(asdict(draws.certificate))
    if cohort.exits is not None:
        attributes["reasons"] = json.dumps(list(cohort.exits.reason))
    return Fit(tree_of(study, arrays, cohort.patients, attributes))


def log_likelihood(study: Study, cohort: Cohort, truth: Truth, outcome: str) -> np.ndarray:
    """(..., visit) log density of each measurement in outcome units, given the patients' own effects, whatever the
    others were; of an event (..., episode).

    Computed with NumPy, not by the model's code: nothing more is compiled. A large one is computed in blocks of draws.
    """
    rows = len(cohort.events[outcome] if outcome in study.events else cohort.measurements[outcome])
    total, step = prod(truth.shape), max(1, AT_ONCE // max(1, rows))
    if total > step:
        densities = np.empty((total, rows))
        for start in range(0, total, step):
            some = np.arange(start, min(start + step, total))
            densities[some] = log_likelihood(study, cohort, truth.take(some), outcome)
        return densities.reshape(*truth.shape, rows)
    return spec(study).submodels[outcome].log_density(truth, cohort)


def known_fit(fit: object) -> None:
    """Raises UsageError for what is no Fit, such as the path of one."""
    must_be(Fit, "fit", fit, f"read it first: bayesmyo.load_fit({typed(fit)})")


def posterior_truth(study: Study, cohort: Cohort, posterior: Mapping[str, np.ndarray]) -> Truth:
    """Draws by full name, as an engine returns them, as truths (chain, draw)."""
    values = {o: {n: posterior[p.full_name] for n, p in listed.items()} for o, listed in inventory(study).items()}
    outcomes = {
        name: OutcomeTruth(values[name], {e.key: posterior[e.full_name] for e in effects(study, name)})
        for name in study.declared
    }
    columns = patient_columns(study, cohort.covariates)
    columns = {k: complete(v, posterior.get(f"{SHARED}.{k}")) for k, v in columns.items()}
    return Truth(outcomes, values.get(CORRELATIONS, {}), columns)


def _shape(draws: Draws) -> tuple[int, ...]:
    return next(iter(draws.posterior.values())).shape[:2]


def _draw_coords(tree: xr.DataTree) -> dict[str, Any]:
    return {dim: tree["posterior"][dim].values for dim in DRAWS}
