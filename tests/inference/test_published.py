"""Published numbers in the posterior: as one model with the data, and as a prior made of them first.

The mean of normal measurements whose SD is given, so that both are known in closed form.
"""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.meta.normals import Normals
from bayesmyo.model.published import published
from bayesmyo.study import parse_study
from tests.inference.density import Density
from tests.inference.test_priors_exact import SIGMA, STUDY, VALUES, cohort_of, parse_table

Y, SE, TAU = np.array([55.0, 53.0, 56.5]), np.array([1.0, 2.0, 1.5]), 1.2
PRIOR = 50.0, 10.0
TABLE = "patient,month,y\n" + "".join(f"{i},0,{v}\n" for i, v in enumerate(VALUES))


def text(like_ours: float, prior: str = "normal(50, 10)") -> str:
    tables = [
        f'[evidence.e{i}]\nsource = "Paper {i}"\noutcome = "y"\nwhat = {{ kind = "level", at = 0 }}\nmean = {y}\nse = {se}\n'
        f'tau = "constant({TAU})"\nlike_ours = {like_ours}\n'
        for i, (y, se) in enumerate(zip(Y, SE, strict=True))
    ]
    return STUDY.format(prior=prior) + "\n".join(tables)


def combined() -> tuple[stats.rv_continuous, float]:
    """Meta-analytic combined: theta, and our own theta ~ Normal(theta, tau), given all data at once; and how likely
    our mean is, given what was published.
    """
    error = SIGMA / np.sqrt(len(VALUES))
    sources = np.diag(np.append(SE**2, error**2) + TAU**2) + PRIOR[1] ** 2  # of what is measured, theta integrated out
    ours = np.append(np.full(len(Y), PRIOR[1] ** 2), PRIOR[1] ** 2 + TAU**2)  # its covariance with our theta
    gain = np.linalg.solve(sources, ours)
    mean = PRIOR[0] + gain @ (np.append(Y, VALUES.mean()) - PRIOR[0])
    sd = np.sqrt(PRIOR[1] ** 2 + TAU**2 - gain @ ours)
    first = np.linalg.solve(sources[:3, :3], sources[:3, 3])
    predicted = PRIOR[0] + first @ (Y - PRIOR[0])
    variance = sources[3, 3] - first @ sources[:3, 3]
    return stats.norm(mean, sd), stats.norm(predicted, np.sqrt(variance)).pdf(VALUES.mean())


def by_default() -> tuple[stats.rv_continuous, float]:
    error = SIGMA / np.sqrt(len(VALUES))
    precision = PRIOR[1] ** -2 + error**-2
    mean = (PRIOR[0] / PRIOR[1] ** 2 + VALUES.mean() / error**2) / precision
    return stats.norm(mean, precision**-0.5), stats.norm(PRIOR[0], np.hypot(PRIOR[1], error)).pdf(VALUES.mean())


def exact(like_ours: float) -> Normals:
    (known, p1), (default, p0) = combined(), by_default()
    weight = like_ours * p1 / (like_ours * p1 + (1 - like_ours) * p0)
    return Normals.one(*known.args).mixed(weight, Normals.one(*default.args))


@pytest.mark.parametrize("like_ours", [0.0, 0.8, 1.0])
def test_the_joint_density_is_that_of_the_combined_analysis(like_ours):
    density = Density(text(like_ours), TABLE)
    grid = np.linspace(40, 62, 221)
    ours = np.array([density({"y.intercept": np.array(x)}) for x in grid])
    theirs = np.log(exact(like_ours).density(grid))
    likely = theirs > theirs.max() - 8
    assert np.ptp((ours - theirs)[likely]) < 0.02


def test_a_prior_that_is_pasted_says_what_the_tables_say():
    (p,) = published(parse_study(text(0.8)))
    pasted = Density(text(0.0, str(p.robust().prior())), TABLE)
    joint = Density(text(0.8), TABLE)
    grid = [np.array(x) for x in np.linspace(42, 60, 37)]
    apart = np.array([pasted({"y.intercept": x}) - joint({"y.intercept": x}) for x in grid])
    assert np.ptp(apart) < 0.01


@pytest.mark.sampling
@pytest.mark.parametrize("engine", ["nuts", "laplace"])
def test_draws_agree_with_the_closed_form(engine):
    known = text(0.8).replace("constant(4)", "lognormal(1.3862944, 1e-4)")  # all but known: that engine needs a density
    study = parse_study(known)
    cohort = cohort_of(study, parse_table(TABLE.encode(), "t.csv", study.data))
    result = fit(study, cohort, engine=engine, sampling=Sampling(draws=1000, tune=500, chains=4))
    drawn = np.sort(result.truth.outcomes["y"].values["intercept"].reshape(-1))
    distance = np.abs(exact(0.8).below(drawn) - (np.arange(len(drawn)) + 0.5) / len(drawn)).max()
    assert distance < 1.63 / np.sqrt(len(drawn) / 8)
