"""Effects informed by their own patients' measurements: the density that is sampled, and the way back, by dense
matrices.
"""

from functools import partial

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.components.families import FAMILIES as CATALOGUE
from bayesmyo.components.families import Cells
from bayesmyo.components.families.bernoulli import Bernoulli
from bayesmyo.components.families.hurdle_lognormal import HurdleLogNormal
from bayesmyo.inference.recover import recover
from tests.inference.density import (
    HEAD,
    STANDARD,
    WHO,
    Density,
    T,
    answers,
    built,
    draw,
    half,
    inform,
    lkj_betas,
    logit,
    of_patients,
    partials,
    random_correlation,
    rows,
    total,
)
from tests.inference.test_build_outcomes import (
    AUX,
    COUNTS,
    COVARIATES,
    FAMILIES,
    R,
    S,
    line,
    outcome,
    pair,
    plateau,
    population,
)

INFORMED = 'parameterisation = "informed"\n'


def score(y, cut_floor, cut_ceiling, precision):
    """Of a score from 0 to 5: between the ends by the delta method, at an end a Newton step from its cutpoint."""
    share = np.where(y % 5, y / 5, 0.5)
    value = np.select([y == 0, y == 5], [-cut_floor - 2, cut_ceiling + 2], logit(share))
    return value, np.where(y % 5, share * (1 - share) * (1 + precision), 0.25)


def counts(y, curve, overdispersion=0.0):
    """A step of Fisher's scoring from the patient's own rate: all its events and half a one, over all that the curve
    expects.
    """
    ratio = (of_patients(y) + 0.5) / of_patients(np.exp(curve))
    mu = np.exp(curve) * ratio
    return np.log(mu) + (y - mu) / mu, 1 / (1 / mu + overdispersion)


def points(y, curve, precision):
    """The same of points out of twenty, from the patient's own share at its average visit."""
    start = curve - of_patients(curve) / 3 + logit((of_patients(y) + 0.5) / 61)
    share = special.expit(start)
    variance = share * (1 - share)
    return start + (y / 20 - share) / variance, 20 * (1 + precision) / (20 + precision) * variance


# kind: a normal measurement on the link scale that is worth about as much as the cell: value and precision
WORTH = {
    "negative_binomial": lambda y, curve, cv: counts(y, curve, cv**2),
    "poisson": counts,
    "gamma": lambda y, curve, cv: (np.log(y), np.full(9, cv**-2)),
    "beta_binomial": points,
    "ordered_beta": lambda y, curve, **aux: score(y, **aux),
}


def as_draws(p):
    """A point as draws: one chain of one draw."""
    found = {k: np.asarray(v)[None, None] for k, v in p.items()}
    halves = [k for k in found if k.endswith(".correlation_half")]
    return found | {k.removesuffix("_half"): 2 * found[k] - 1 for k in halves}


@pytest.mark.parametrize("trajectory", ["linear", "plateau"])
@pytest.mark.parametrize("kind", WORTH)
def test_every_family_is_informed_by_what_its_cells_are_worth(rng, kind, trajectory):
    (family, *numbers), _, _, y, logpdf = FAMILIES[kind]
    density = Density(HEAD + outcome(family, trajectory, *numbers, more=INFORMED), rows(y=y))
    names, priors = population(kind, trajectory)
    for _ in range(3):
        p = draw(rng, priors)
        curve = line if trajectory == "linear" else partial(plateau, half_time=p["y.half_time"])
        design = np.stack([curve(np.eye(2)[:, [j] * 9]) for j in range(2)], axis=1)
        factor = np.linalg.cholesky(pair(p, *names))
        aux = {k.removeprefix("y."): p[k] for k in AUX[kind]}
        mean = np.array([p[f"y.{n}"] for n in names])
        value, precision = WORTH[kind](y, design @ mean, **aux)
        t = rng.normal(size=(3, 2))
        z, log_jacobian = inform(t, value - design @ mean, precision, design, factor)
        b = z @ factor.T
        truth = total(priors, p) + STANDARD.logpdf(z).sum() + log_jacobian
        truth += logpdf(curve((mean + b)[WHO].T), y, **aux).sum()
        p |= {f"y.raw_{n}": t[:, j] for j, n in enumerate(names)}
        assert density(p) == pytest.approx(truth, rel=1e-8, abs=1e-7)
        found = recover(density.built, as_draws(p), density.built.data, rng)
        for j, n in enumerate(names):
            np.testing.assert_allclose(found[f"y.effect_{n}"][0, 0], b[:, j], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("correlate", ["within outcomes", "none"])
def test_of_a_normal_outcome_what_is_sampled_is_standard_normal(rng, correlate):
    """The approximation is exact there: the density is that of the integrated model and of independent standard
    normal numbers.
    """
    y = rng.normal(5, 2, 9).round(2)
    y[3:6] = 4.2
    text = HEAD + f'correlate = "{correlate}"\n' + outcome("gaussian")
    integrated, informed = (
        Density(text + f'parameterisation = "{how}"\n', rows(y=y)) for how in ("integrated", "informed")
    )
    priors = {
        "y.intercept": stats.norm(5, 2),
        "y.slope": stats.norm(0, 0.3),
        "y.sigma": half(1),
        "y.sd_intercept": half(2),
        "y.sd_slope": half(0.2),
    }
    priors |= {R: stats.beta(2, 2)} if correlate == "within outcomes" else {}
    for _ in range(3):
        p = draw(rng, priors)
        t = {f"y.raw_{n}": rng.normal(size=3) for n in ("intercept", "slope")}
        expected = integrated(p) + sum(STANDARD.logpdf(v).sum() for v in t.values())
        assert informed(p | t) == pytest.approx(expected, rel=1e-9, abs=1e-7)


def test_a_patient_without_measurements_has_what_the_population_has(rng):
    text = (
        HEAD
        + outcome("poisson")
        + INFORMED
        + outcome("gaussian").replace("outcomes.y", "outcomes.w").replace('"y"', '"w"')
    )
    y = [3, 0, 5, "", "", "", 8, 4, 0]
    model = built(text, rows(y=y, w=np.arange(9)))
    halves = [f"{o}.{n}" for o in "yw" for n in ("intercept", "slope", "sd_intercept", "sd_slope", "correlation")]
    raw = {k: np.full((1, 1), 0.5) for k in (*halves, "w.sigma")}
    raw |= {f"y.raw_{n}": rng.normal(size=(1, 1, 3)) for n in ("intercept", "slope")}
    found = recover(model, raw, model.data, rng)
    assert found["y.effect_intercept"][0, 0, 1] == pytest.approx(0.5 * raw["y.raw_intercept"][0, 0, 1])


def test_two_outcomes_are_informed_one_after_the_other(rng):
    """Correlated counts and amounts: the amounts' effects are informed by their own cells, given what those of the
    counts say.
    """
    amounts = np.array([3, 0.2, 5, 1.5, 2, 2.5, 5, 14, 0.5])
    second = outcome("gamma").replace("outcomes.y", "outcomes.w").replace('"y"', '"w"')
    text = HEAD + 'correlate = "across outcomes"\ncorrelation_prior = "lkj(3)"\n' + outcome("poisson") + second
    density = Density(text, rows(y=COUNTS, w=amounts))
    assert density.built.how == {"y": "informed", "w": "informed"}
    keys = [f"{o}.{{}}{n}" for o in "yw" for n in ("intercept", "slope")]
    priors = {}
    for o in "yw":
        priors |= {
            f"{o}.intercept": stats.norm(np.log(5), S),
            f"{o}.slope": stats.norm(0, 2 * S / 12),
            f"{o}.sd_intercept": half(S),
            f"{o}.sd_slope": half(S / 12),
        }
    priors["w.cv"] = half(S / 2)
    design = np.stack([np.ones(9), T], axis=1)
    for _ in range(3):
        p = draw(rng, priors)
        r = random_correlation(rng, 4)
        lower = np.linalg.cholesky(r)
        sds = np.array([p[k.format("sd_")] for k in keys])
        mean = np.array([p[k.format("")] for k in keys])
        t = rng.normal(size=(3, 4))
        truth = total(priors, p)
        p["correlations_half"] = (partials(r) + 1) / 2
        truth += lkj_betas(3, 4).logpdf(p["correlations_half"]).sum()
        value, precision = counts(COUNTS, design @ mean[:2])
        z_y, first = inform(t[:, :2], value - design @ mean[:2], precision, design, sds[:2, None] * lower[:2, :2])
        value, precision = WORTH["gamma"](amounts, None, cv=p["w.cv"])
        said = (z_y @ lower[2:, :2].T * sds[2:])[WHO]  # what the counts' effects say of those of the amounts
        residual = value - design @ mean[2:] - (design * said).sum(axis=1)
        z_w, then = inform(t[:, 2:], residual, precision, design, sds[2:, None] * lower[2:, 2:])
        z = np.concatenate([z_y, z_w], axis=1)
        own = mean + (z @ lower.T) * sds
        truth += STANDARD.logpdf(z).sum() + first + then
        eta = [(own[WHO, k : k + 2] * design).sum(axis=1) for k in (0, 2)]
        truth += stats.poisson(np.exp(eta[0])).logpmf(COUNTS).sum()
        truth += stats.gamma(p["w.cv"] ** -2, scale=p["w.cv"] ** 2 * np.exp(eta[1])).logpdf(amounts).sum()
        p |= {k.format("raw_"): t[:, j] for j, k in enumerate(keys)}
        assert density(p) == pytest.approx(truth, rel=1e-8, abs=1e-7)
        found = recover(density.built, as_draws(p), density.built.data, rng)
        for j, k in enumerate(keys):
            np.testing.assert_allclose(found[k.format("effect_")][0, 0], own[:, j] - mean[j], rtol=1e-7, atol=1e-9)


def test_exposure_and_covariates_are_part_of_what_informs(rng):
    weeks = np.array([1, 2, 4, 1, 1, 3, 2, 2, 6.0])
    more = 'effects = ["intercept"]\nexposure = "weeks"\ncovariates = ["age"]\n'
    text = HEAD + "[covariates.age]\ntypical = 50\nscale = 10\n" + outcome("poisson", more=more)
    density = Density(text, rows(y=COUNTS, weeks=weeks, age=np.array([40, 62, 55])[WHO]))
    x = np.array([-1, 1.2, 0.5])[WHO]
    priors = {
        "y.intercept": stats.norm(np.log(5), S),
        "y.slope": stats.norm(0, 2 * S / 12),
        "y.age": stats.norm(0, S),
        "y.sd_intercept": half(S),
    }
    p = draw(rng, priors)
    curve = p["y.intercept"] + p["y.slope"] * T + p["y.age"] * x + np.log(weeks)
    value, precision = counts(COUNTS, curve)
    t = rng.normal(size=(3, 1))
    z, log_jacobian = inform(t, value - curve, precision, np.ones((9, 1)), np.array([[p["y.sd_intercept"]]]))
    truth = total(priors, p) + STANDARD.logpdf(z).sum() + log_jacobian
    truth += stats.poisson(np.exp(curve + p["y.sd_intercept"] * z[WHO, 0])).logpmf(COUNTS).sum()
    p["y.raw_intercept"] = t[:, 0]
    assert density(p) == pytest.approx(truth, rel=1e-8, abs=1e-7)
    found = recover(density.built, as_draws(p), density.built.data, rng)
    np.testing.assert_allclose(found["y.effect_intercept"][0, 0], p["y.sd_intercept"] * z[:, 0], rtol=1e-8)


@pytest.mark.parametrize(
    "family", [f for f in CATALOGUE if f.approximated and f is not Bernoulli], ids=lambda f: f.__name__
)
def test_where_measurements_are_many_a_cell_is_worth_its_information(rng, family):
    """Near the true location value and precision are the mode and the curvature of the log density, to the order of
    the delta method.
    """
    name = family.__name__
    own = {"BetaBinomial": {"trials": 4000}, "OrderedBeta": {"lower": 0.0, "upper": 5.0}}.get(name, {})
    aux = {
        "Poisson": {}, "NegativeBinomial": {"cv": 0.05}, "Gamma": {"cv": 0.05}, "BetaBinomial": {"precision": 2000.0},
        "OrderedBeta": {"cut_floor": 9.0, "cut_ceiling": 9.0, "precision": 900.0}, "Gaussian": {"sigma": 0.3},
        "LogNormal": {"sigma": 0.3}, "HurdleLogNormal": {"sigma": 0.3},
    }[name]  # fmt: skip
    made = family(**own)
    location = np.full(400, 6.0 if made.link_name == "log" else 0.4)
    rest = {"zero": np.full(400, -20.0)} if made.has_zero_part else {}
    y = made.draw(rng, {"location": location, **rest}, aux)

    cells = Cells(made.encode(y))
    curve = location - rng.normal(0, 0.3)  # the patient lies somewhere beside it
    value, precision = made.approximate(cells, aux, curve, lambda x: np.full(400, np.sum(x)), np)
    h = 1e-3

    def slope(at):
        up, down = (made.log_density(cells, {"location": at + d, **rest}, aux) for d in (h, -h))
        return (up - down) / (2 * h)

    at = np.broadcast_to(np.asarray(value, dtype=float), y.shape)
    curvature = (slope(at + h) - slope(at - h)) / (2 * h)
    assert np.median(-curvature / precision) == pytest.approx(1, abs=0.05)
    assert np.median(np.abs(slope(at)) / np.sqrt(precision)) < 0.1


def test_a_family_that_cannot_says_so():
    assert {f.__name__ for f in CATALOGUE if not f.approximated} == {
        "Cumulative",
        "StudentT",
    }


def test_whether_a_patient_has_nothing_informs_the_part_of_zeros(rng):
    y = np.array([40, 0, 0, 60, 55, 30, 0, 15, 10.0])
    text = (
        HEAD
        + outcome("hurdle_lognormal", typical=30)
        + ('[outcomes.y.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "linear" }\neffects = ["intercept"]\n')
    )
    density = Density(text, rows(y=y))
    own = 0.1 / (0.2 * 0.8)  # the declared scale on the logit
    priors = {
        "y.zero_intercept": stats.norm(logit(0.2), own),
        "y.zero_slope": stats.norm(0, 2 * own / 12),
        "y.sd_zero_intercept": half(own),
    }
    shared = {v.name: rng.uniform(0.2, 0.6, v.shape.eval()) for v in density.built.pymc.free_RVs}
    zero = np.where(y == 0, 1.0, 0.0)
    left = []
    for _ in range(3):  # the rest of the density is the same in each: amounts know nothing of zeros
        p = shared | draw(rng, priors)
        curve = p["y.zero_intercept"] + p["y.zero_slope"] * T
        value, precision = answers(zero, curve)
        t, sd = rng.normal(size=(3, 1)), p["y.sd_zero_intercept"]
        z, log_jacobian = inform(t, value - curve, precision, np.ones((9, 1)), np.array([[sd]]))
        truth = total(priors, p) + STANDARD.logpdf(z).sum() + log_jacobian
        truth += stats.bernoulli(special.expit(curve + sd * z[WHO, 0])).logpmf(zero).sum()
        p["y.raw_zero_intercept"] = t[:, 0]
        left.append(density(p) - truth)
        recovered = recover(density.built, as_draws(p), density.built.data, rng)
        np.testing.assert_allclose(recovered["y.effect_zero_intercept"][0, 0], sd * z[:, 0], rtol=1e-8)
    assert left == pytest.approx([left[0]] * 3, rel=1e-8)


def test_many_answers_are_worth_their_information_together(rng):
    """A yes or no alone is worth little: all of a patient's have the mode and the curvature of their log density."""
    y = np.asarray(rng.random(4000) < 0.3, dtype=float)
    for value, precision in (
        Bernoulli().approximate(Cells(y), {}, np.full(4000, 0.4), lambda x: np.full(4000, np.sum(x)), np),
        HurdleLogNormal().approximate_zeros(Cells(1 - y), np.full(4000, 0.4), lambda x: np.full(4000, np.sum(x)), np),
    ):  # fmt: skip
        assert np.average(value, weights=precision) == pytest.approx(logit(y.mean()), abs=1e-3)
        assert np.sum(precision) == pytest.approx(4000 * y.mean() * (1 - y.mean()), rel=1e-3)


# --- whatever stands beside: the density of the effects themselves is that of the non-centred model

BESIDE = COVARIATES.replace("scale = 10\n", 'scale = 10\nmissing = "imputed"\n', 1)
COUNTED = outcome(
    '"poisson", observation_effect = true',
    more='exposure = "weeks"\ncovariates = ["age", "season"]\nmoderators = ["sex"]\nparameterisation = "HOW"\n',
)
CENSORED = outcome(
    "gamma", '"spline", knots = [0, 2, 6]',
    more='effects = ["start"]\ncensoring = "as typed"\nmoderators = ["age"]\nparameterisation = "HOW"\n'
).replace("outcomes.y", "outcomes.w").replace('"y"', '"w"')  # fmt: skip
HURDLE = outcome("hurdle_lognormal", typical=30).replace("outcomes.y", "outcomes.h").replace('"y"', '"h"') + (
    '[outcomes.h.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "constant" }\ncorrelate = true\n'
)
OWN_HALF_TIME = (
    outcome("lognormal", "plateau", more='effects = ["start", "half_time"]\n')
    .replace("outcomes.y", "outcomes.l")
    .replace('"y"', '"l"')
)
TABLE = rows(
    y=[3, 0, 5, "", "", "", 8, 4, 0], w=["3", "<0.4", "5", "1.5", "2..4", "2.5", ">5", "14", "0.5"],
    h=[40, 20, 0, 60, 0, 0, 30, 15, 10.0],
    l=[4, 6, 9, 3, 3, 4, 8, 7, 5.5], weeks=[1, 2, 4, 1, 1, 3, 2, 2, 6], age=[40, 40, 40, "", "", "", 55, 55, 55],
    sex=["f"] * 3 + ["m"] * 6,
    season=["winter", "summer", "summer", "summer", "winter", "winter", "summer", "winter", "summer"],
)  # fmt: skip


@pytest.mark.parametrize("other", [CENSORED, HURDLE, OWN_HALF_TIME], ids=["censored", "hurdle", "half-time"])
@pytest.mark.parametrize("correlate", ["none", "across outcomes"])
def test_the_density_of_the_effects_is_that_of_the_non_centred_model(rng, correlate, other):
    text = HEAD + f'correlate = "{correlate}"\n' + BESIDE + COUNTED + other
    informed, plain = (Density(text.replace("HOW", how), TABLE) for how in ("informed", "non-centred"))
    raws = sorted(n for n in informed.names if n.startswith(("y.raw_", "w.raw_")) and "observation" not in n)
    size = 3 * len(raws)
    assert raws[-2:] == ["y.raw_intercept", "y.raw_slope"]
    effects = [n.replace("raw_", "effect_") for n in raws]

    def moved(density, p):
        """The effects as they follow from what is sampled, b = start + matrix @ raw, patient by patient and effect
        by effect.
        """

        def b(raw):
            given = as_draws(p | dict(zip(raws, raw.reshape(-1, 3), strict=True)))
            given |= {k.removesuffix("_half"): 2 * v - 1 for k, v in given.items() if k.endswith(".correlation_half")}
            found = recover(density.built, given, density.built.data, np.random.default_rng(1))
            return np.concatenate([found[e][0, 0] for e in effects])

        start = b(np.zeros(size))
        return start, np.stack([b(unit) - start for unit in np.eye(size)], axis=1)

    for _ in range(3):
        p = {}
        for v in informed.built.pymc.free_RVs:
            shape = tuple(int(n) for n in v.shape.eval())
            p[v.name] = (
                rng.uniform(0.2, 0.9, shape) if not v.name.split(".")[-1].startswith("raw_") else rng.normal(size=shape)
            )
        first, matrix = moved(informed, p)
        b = first + matrix @ np.concatenate([p[n] for n in raws])
        other, plain_matrix = moved(plain, p)
        z = np.linalg.solve(plain_matrix, b - other)
        q = p | dict(zip(raws, z.reshape(-1, 3), strict=True))
        ours = informed({k: p[k] for k in informed.names}) - np.linalg.slogdet(matrix)[1]
        theirs = plain({k: q[k] for k in plain.names}) - np.linalg.slogdet(plain_matrix)[1]
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-7)
