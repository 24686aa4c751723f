"""The log density of models of one outcome against SciPy: every family, zero parts, covariates, exposure, every
trajectory.
"""

import numpy as np
import pytest
from scipy import special, stats
from scipy.interpolate import CubicSpline

from tests.inference.density import (
    HEAD,
    STANDARD,
    WHO,
    Density,
    T,
    answers,
    draw,
    half,
    inform,
    normal,
    ordered_beta,
    rows,
    total,
)

S = np.log(2)  # the declared spread of a log-scale outcome
R = "y.correlation_half"
COVARIATES = """
[covariates.age]
typical = 50
scale = 10
[covariates.sex]
levels = ["f", "m"]
[covariates.season]
levels = ["summer", "winter"]
varies = "visits"
[covariates.age_sex]
product = ["age", "sex"]
[covariates.age_season]
product = ["age", "season"]
"""
AGE = np.array([40, 62, 55.0])[WHO]
SEX = np.array(["f", "m", "m"])[WHO]
SEASON = np.array(["winter", "summer", "summer", "summer", "winter", "winter", "summer", "winter", "summer"])
KNOWN = {"age": AGE, "sex": SEX, "season": SEASON}
X_AGE, X_MALE, X_WINTER = (AGE - 50) / 10, 1.0 * (SEX == "m"), 1.0 * (SEASON == "winter")


def outcome(family, trajectory="linear", typical=5.0, scale=2.0, more=""):
    """The table of one outcome; `family` and `trajectory` as kinds, or with their keys."""
    family, trajectory = (f'"{x}"' if x.isidentifier() else x for x in (family, trajectory))
    level = "" if typical is None else f"typical = {typical}\n"
    return (
        f'[outcomes.y]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\n{level}scale = {scale}\n'
        f"family = {{ kind = {family} }}\ntrajectory = {{ kind = {trajectory} }}\n{more}"
    )


def pair(p, first, second):
    """The covariance of two effects."""
    r = 2 * float(p[R]) - 1
    sds = np.array([p[f"y.sd_{first}"], p[f"y.sd_{second}"]])
    return np.outer(sds, sds) * [[1, r], [r, 1]]


# --- every family, with a straight line and with a plateau

AUX = {
    "negative_binomial": {"y.cv": half(S / 2)},
    "gamma": {"y.cv": half(S / 2)},
    "student_t": {"y.sigma": half(1), "y.nu": stats.gamma(2, scale=10)},
    "beta_binomial": {"y.precision": stats.lognorm(1, scale=0.21 / (0.21 * (2 / 20 / 0.21) / 2) ** 2 - 1)},
    "bernoulli": {},
    "ordered_beta": {
        "y.cut_floor": stats.lognorm(0.5, scale=3),
        "y.cut_ceiling": stats.lognorm(0.5, scale=3),
        "y.precision": stats.lognorm(1, scale=0.24 / (0.24 * (1 / 5 / 0.24) / 2) ** 2 - 1),
    },
    "poisson": {},
}
COUNTS = np.array([3, 0, 5, 1, 2, 2, 8, 4, 0])
SCORES = np.array([3, 0, 5, 1.5, 2, 2.5, 5, 4, 0.5])
AMOUNTS = np.array([3, 0.2, 5, 1.5, 2, 2.5, 5, 14, 0.5])
BITS = np.array([1, 0, 1, 1, 0, 1, 0, 1, 1])


def negative_binomial(eta, y, cv):
    shape = cv**-2
    return stats.nbinom(shape, shape / (shape + np.exp(eta))).logpmf(y)


def beta_binomial(eta, y, precision):
    mu = special.expit(eta)
    return stats.betabinom(20, mu * precision, (1 - mu) * precision).logpmf(y)


# kind: (table of the family, typical on the link, spread on the link, measurements, log density)
FAMILIES = {
    "negative_binomial": (("negative_binomial",), np.log(5), S, COUNTS, negative_binomial),
    "gamma": (("gamma",), np.log(5), S, AMOUNTS, lambda eta, y,
     cv: stats.gamma(cv**-2, scale=cv**2 * np.exp(eta)).logpdf(y)),
    "student_t": (("student_t",), 5, 2, AMOUNTS, lambda eta, y, sigma, nu: stats.t(nu, eta, sigma).logpdf(y)),
    "beta_binomial": (('"beta_binomial", trials = 20', 14), special.logit(0.7), 2 / 20 / 0.21, COUNTS, beta_binomial),
    "bernoulli": (("bernoulli", 0.4, 0.1), special.logit(0.4), 0.1 / 0.24, BITS, lambda eta,
     y: stats.bernoulli(special.expit(eta)).logpmf(y)),
    "ordered_beta": (('"ordered_beta", lower = 0, upper = 5', 3, 1), special.logit(0.6), 1 / 5 / 0.24, SCORES,
                     lambda eta, y, cut_floor, cut_ceiling,
                     precision: ordered_beta(y / 5, eta, cut_floor, cut_ceiling, precision)),
    "poisson": (("poisson",), np.log(5), S, COUNTS, lambda eta, y: stats.poisson(np.exp(eta)).logpmf(y)),
}  # fmt: skip


def line(own):
    return own[0] + own[1] * T


def plateau(own, half_time):
    return own[1] + (own[0] - own[1]) * 0.5 ** (T / half_time)


def population(kind, trajectory):
    """The names of the two effects, and the default prior of every parameter of the population."""
    _, typical, spread, *_ = FAMILIES[kind]
    straight = trajectory == "linear"
    first, second = ("intercept", "slope") if straight else ("start", "asymptote")
    priors = {
        f"y.{first}": stats.norm(typical, spread),
        f"y.{second}": stats.norm(0, 2 * spread / 12) if straight else stats.norm(typical, 2 * spread),
        f"y.sd_{first}": half(spread),
        f"y.sd_{second}": half(spread / 12 if straight else spread),
        R: stats.beta(2, 2),
    }
    return (first, second), priors | AUX[kind] | ({} if straight else {"y.half_time": stats.lognorm(0.5, scale=3)})


@pytest.mark.parametrize("trajectory", ["linear", "plateau"])
@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_around_a_curve_with_non_centred_effects(rng, kind, trajectory):
    (family, *numbers), _, _, y, logpdf = FAMILIES[kind]
    text = outcome(family, trajectory, *numbers, more='parameterisation = "non-centred"\n')
    density = Density(HEAD + text, rows(y=y))
    names, priors = population(kind, trajectory)
    priors |= {f"y.raw_{n}": (STANDARD, 3) for n in names}
    for _ in range(3):
        p = draw(rng, priors)
        z = np.stack([p[f"y.raw_{n}"] for n in names])
        own = np.array([[p[f"y.{n}"]] for n in names]) + np.linalg.cholesky(pair(p, *names)) @ z
        eta = line(own[:, WHO]) if trajectory == "linear" else plateau(own[:, WHO], p["y.half_time"])
        aux = {k.removeprefix("y."): p[k] for k in AUX[kind]}
        truth = total(priors, p) + logpdf(eta, y, **aux).sum()
        assert density(p) == pytest.approx(truth, rel=1e-8, abs=1e-7)


# --- cumulative: thresholds have a joint prior

GRADES = np.array([0, 1, 3, 2, 2, 1, 3, 0, 2])
LEVELS = '"cumulative", levels = ["0", "1", "2", "3"]'


@pytest.mark.parametrize(
    ("prior", "link", "cdf"),
    [("ordered_normal(1, 4)", "logit", special.expit), ("induced_dirichlet(2, 1, 1, 4)", "probit", special.ndtr)]
)  # fmt: skip
def test_cumulative_grades_lie_between_ordered_thresholds(rng, prior, link, cdf):
    more = (
        f'effects = ["intercept", "slope"]\npriors = {{ thresholds = "{prior}" }}\nparameterisation = "non-centred"\n'
    )
    density = Density(HEAD + outcome(f'{LEVELS}, link = "{link}"', typical=None, more=more), rows(y=GRADES))
    priors = {
        "y.slope": stats.norm(0, 2 * 2 / 12),
        "y.sd_intercept": half(2),
        "y.sd_slope": half(2 / 12),
        R: stats.beta(2, 2),
        "y.raw_intercept": (STANDARD, 3),
        "y.raw_slope": (STANDARD, 3),
    }
    p = draw(rng, priors)
    truth = total(priors, p)
    if prior.startswith("ordered"):
        p |= {"y.thresholds_first": np.asarray(-1.5), "y.thresholds_gaps": np.array([0.7, 2.0])}
        thresholds = np.array([-1.5, -0.8, 1.2])
        truth += stats.norm(1, 4).logpdf(thresholds).sum() + np.log(6)  # in one of six orders
    else:
        p["y.thresholds_shares"] = np.array([0.1, 0.3, 0.4, 0.2])
        thresholds = special.ndtri([0.1, 0.4, 0.8])
        truth += stats.dirichlet([2, 1, 1, 4]).logpdf(p["y.thresholds_shares"])
    own = np.linalg.cholesky(pair(p, "intercept", "slope")) @ np.stack([p["y.raw_intercept"], p["y.raw_slope"]])
    eta = own[0, WHO] + (p["y.slope"] + own[1, WHO]) * T
    edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
    truth += np.log(cdf(edges[GRADES + 1] - eta) - cdf(edges[GRADES] - eta)).sum()
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


# --- counts: exposure, covariates of patients and visits, a product, a moderator


def counted(family):
    more = (
        'exposure = "weeks"\ncovariates = ["age", "season", "age_sex", "age_season"]\nmoderators = ["sex"]\n'
        'parameterisation = "centred"\n'
    )
    return Density(HEAD + COVARIATES + outcome(family, more=more), rows(y=COUNTS, weeks=WEEKS, **KNOWN))


WEEKS = np.array([4, 2, 2, 1, 4, 8, 4, 4, 3.0])
COUNTED = {
    "y.intercept": stats.norm(np.log(5), S),
    "y.slope": stats.norm(0, 2 * S / 12),
    "y.age": stats.norm(0, S),
    "y.season_winter": stats.norm(0, S),
    "y.age_sex": stats.norm(0, S),
    "y.age_season": stats.norm(0, S),
    "y.slope_sex_m": stats.norm(0, S / 12),
    "y.sd_intercept": half(S),
    "y.sd_slope": half(S / 12),
    R: stats.beta(2, 2),
}


@pytest.mark.parametrize("scattered", [False, True])
def test_counts_with_exposure_and_covariates_centred_around_what_covariates_say(rng, scattered):
    density = counted('"poisson", observation_effect = true' if scattered else "poisson")
    priors = COUNTED | ({"y.sd_observation": half(S / 2), "y.raw_observation": (STANDARD, 9)} if scattered else {})
    p = draw(rng, priors)
    first = [0, 3, 6]  # a visit of each patient
    own = p["y.intercept"] + p["y.age"] * X_AGE + p["y.age_sex"] * X_AGE * X_MALE
    slope = p["y.slope"] + p["y.slope_sex_m"] * X_MALE
    mean = np.stack([own[first], slope[first]], axis=1)
    v = pair(p, "intercept", "slope")
    raw = mean + rng.multivariate_normal([0, 0], v, 3)
    truth = total(priors, p) + sum(normal(m, v, x) for m, x in zip(mean, raw, strict=True))
    eta = raw[WHO, 0] + raw[WHO, 1] * T + (p["y.season_winter"] + p["y.age_season"] * X_AGE) * X_WINTER
    if scattered:
        eta = eta + p["y.sd_observation"] * p["y.raw_observation"]
    truth += stats.poisson(WEEKS * np.exp(eta)).logpmf(COUNTS).sum()
    p |= {"y.raw_intercept": raw[:, 0], "y.raw_slope": raw[:, 1]}
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


# --- a hurdle: two predictors, covariates and moderators on both

DOSES = np.array([40, 20, 0, 60, 0, 0, 30, 15, 10.0])
ZERO = (
    '[outcomes.y.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "linear" }\neffects = ["intercept"]\n'
    'covariates = ["sex"]\nmoderators = ["age"]\n'
)
ODDS = 0.1 / 0.16  # the declared spread of the zero part, on the logit
GROUPS = 2.5  # what groups may differ by on the logit, at least
HURDLE = {
    "y.intercept": stats.norm(np.log(30), S),
    "y.slope": stats.norm(0, 2 * S / 12),
    "y.age": stats.norm(0, S),
    "y.slope_sex_m": stats.norm(0, S / 12),
    "y.sd_intercept": half(S),
    "y.sd_slope": half(S / 12),
    "y.sigma": half(S / 2),
    "y.zero_intercept": stats.norm(special.logit(0.2), GROUPS),
    "y.zero_slope": stats.norm(0, GROUPS / 12),
    "y.zero_sex_m": stats.norm(0, GROUPS),
    "y.zero_slope_age": stats.norm(0, GROUPS / 12),
    "y.sd_zero_intercept": half(ODDS),
    "y.raw_zero_intercept": (STANDARD, 3),
    R: stats.beta(2, 2),
}


@pytest.mark.parametrize("how", ["integrated", "centred", "non-centred"])
def test_a_hurdle_has_whether_and_how_much_with_covariates_and_moderators_of_each(rng, how):
    text = outcome(
        "hurdle_lognormal", typical=30, more=f'covariates = ["age"]\nmoderators = ["sex"]\nparameterisation = "{how}"\n'
    )
    density = Density(HEAD + COVARIATES + text + ZERO, rows(y=DOSES, **KNOWN))
    p = draw(rng, HURDLE)
    truth, positive = total(HURDLE, p), DOSES > 0
    zero = p["y.zero_intercept"] + p["y.zero_sex_m"] * X_MALE + (p["y.zero_slope"] + p["y.zero_slope_age"] * X_AGE) * T
    own, sd = p["y.raw_zero_intercept"], p["y.sd_zero_intercept"]
    if how == "integrated":  # then whether is informed
        value, precision = answers(np.where(positive, 0.0, 1.0), zero)
        z, log_jacobian = inform(own[:, None], value - zero, precision, np.ones((9, 1)), np.array([[sd]]))
        truth += STANDARD.logpdf(z).sum() + log_jacobian - STANDARD.logpdf(own).sum()
        own = z[:, 0]
    zero = zero + sd * own[WHO]
    truth += stats.bernoulli(special.expit(zero)).logpmf(DOSES == 0).sum()
    level, slope = p["y.intercept"] + p["y.age"] * X_AGE, p["y.slope"] + p["y.slope_sex_m"] * X_MALE
    v, log_dose = pair(p, "intercept", "slope"), np.log(np.where(positive, DOSES, 1))
    if how == "integrated":
        for i in range(3):
            mine = positive & (i == WHO)
            z = np.stack([np.ones(mine.sum()), T[mine]], axis=1)
            covariance = z @ v @ z.T + p["y.sigma"] ** 2 * np.eye(mine.sum())
            truth += normal(level[mine] + slope[mine] * T[mine], covariance, log_dose[mine])
    else:
        z = rng.normal(size=(3, 2))
        b = z @ np.linalg.cholesky(v).T
        mean = np.stack([level, slope], axis=1)[[0, 3, 6]]
        truth += STANDARD.logpdf(z).sum() if how == "non-centred" else sum(normal([0, 0], v, x) for x in b)
        eta = level + b[WHO, 0] + (slope + b[WHO, 1]) * T
        truth += stats.norm(eta, p["y.sigma"]).logpdf(log_dose)[positive].sum()
        raw = z if how == "non-centred" else mean + b
        p |= {"y.raw_intercept": raw[:, 0], "y.raw_slope": raw[:, 1]}
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


# --- trajectories


@pytest.mark.parametrize("kind", ["piecewise", "spline", "penalised"])
@pytest.mark.parametrize("how", ["integrated", "non-centred"])
def test_curves_with_knots(rng, kind, how):
    form = '"piecewise", knots = [2, 4]' if kind == "piecewise" else '"spline", knots = [0, 3, 6]'
    form += ", penalised = true" if kind == "penalised" else ""
    names = {"piecewise": ["intercept", "slope_3"], "spline": ["start", "change_3"], "penalised": ["start", "slope"]}[
        kind
    ]
    first, second = names
    more = f'effects = ["{first}", "{second}"]\nparameterisation = "{how}"\n'
    density = Density(HEAD + outcome("gaussian", form, more=more), rows(y=AMOUNTS))
    per = {"piecewise": 8, "spline": 1, "penalised": 12}[
        kind
    ]  # the last piece lasts from 4 to the end of a typical follow-up
    priors = {
        f"y.{first}": stats.norm(5, 2),
        f"y.sd_{first}": half(2),
        f"y.sd_{second}": half(2 / per),
        "y.sigma": half(1),
        R: stats.beta(2, 2),
    }
    if kind == "piecewise":
        priors |= {f"y.slope_{j}": stats.norm(0, 4 / lasts) for j, lasts in ((1, 2), (2, 2), (3, 8))}
    elif kind == "spline":
        priors |= {f"y.change_{j}": stats.norm(0, 4) for j in (2, 3)}
    else:
        priors |= {"y.slope": stats.norm(0, 4 / 12), "y.smooth": half(2), "y.wiggle_1": stats.norm(0, 1)}
    p = draw(rng, priors)

    def curve(own):
        if kind == "piecewise":
            spent = [np.clip(T, 0, 2), np.clip(T - 2, 0, 2), np.clip(T - 4, 0, None)]
            return own["intercept"] + sum(own[f"slope_{j}"] * x for j, x in enumerate(spent, 1))
        if kind == "spline":
            through = [own["start"], own["start"] + own["change_2"], own["start"] + own["change_3"]]
            return CubicSpline([0, 3, 6], through, bc_type="natural")(T)
        bump = CubicSpline([0, 3, 6], [0, 1, 0], bc_type="natural")  # the one direction that is 0 at both ends
        fine = np.linspace(0, 6, 20_001)
        size = np.sqrt(np.trapezoid(bump(fine) ** 2, fine) / 6)
        return own["start"] + own["slope"] * T + own["smooth"] * own["wiggle_1"] * bump(T) / size

    own = {k.removeprefix("y."): float(x) for k, x in p.items() if np.ndim(x) == 0}
    flat = dict.fromkeys(own, 0.0)
    z, v = np.stack([curve(flat | {n: 1.0}) for n in names], axis=1), pair(p, first, second)
    truth = total(priors, p)
    if how == "integrated":
        for i in range(3):
            mine = i == WHO
            truth += normal(curve(own)[mine], z[mine] @ v @ z[mine].T + p["y.sigma"] ** 2 * np.eye(3), AMOUNTS[mine])
    else:
        raw = rng.normal(size=(3, 2))
        b = raw @ np.linalg.cholesky(v).T
        eta = curve(own) + np.sum(z * b[WHO], axis=1)
        truth += STANDARD.logpdf(raw).sum() + stats.norm(eta, p["y.sigma"]).logpdf(AMOUNTS).sum()
        p |= {f"y.raw_{first}": raw[:, 0], f"y.raw_{second}": raw[:, 1]}
    assert density(p) == pytest.approx(truth, rel=1e-8, abs=1e-6)


def test_patients_differ_in_the_log_of_a_half_time(rng):
    names = ["start", "asymptote", "half_time"]
    more = 'effects = ["start", "asymptote", "half_time"]\nparameterisation = "non-centred"\n'
    density = Density(HEAD + 'correlate = "none"\n' + outcome("lognormal", "plateau", more=more), rows(y=AMOUNTS))
    priors = {
        "y.start": stats.norm(np.log(5), S),
        "y.asymptote": stats.norm(np.log(5), 2 * S),
        "y.half_time": stats.lognorm(0.5, scale=3),
        "y.sd_start": half(S),
        "y.sd_asymptote": half(S),
        "y.sd_half_time": half(0.5),
        "y.sigma": half(S / 2),
    } | {f"y.raw_{n}": (STANDARD, 3) for n in names}
    p = draw(rng, priors)
    start, asymptote = (p[f"y.{n}"] + p[f"y.sd_{n}"] * p[f"y.raw_{n}"][WHO] for n in names[:2])
    half_time = p["y.half_time"] * np.exp(p["y.sd_half_time"] * p["y.raw_half_time"])[WHO]
    eta = plateau((start, asymptote), half_time)
    truth = total(priors, p) + stats.norm(eta, p["y.sigma"]).logpdf(np.log(AMOUNTS)).sum()
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)
