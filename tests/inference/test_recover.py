"""The way back from what was sampled to every patient's effects, against the formulas written out."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.inference.recover import complete, recover
from tests.inference.density import HEAD, WHO, T, answers, built, partials, random_correlation, rows

SHAPE = (2, 5)
COVARIATES = '[covariates.age]\ntypical = 50\nscale = 10\n[covariates.sex]\nlevels = ["f", "m"]\n'
AGE, X_AGE, X_MALE = np.array([40, 62, 55])[WHO], np.array([-1, 1.2, 0.5]), np.array([0, 1, 1])
OUTCOME = '[outcomes.{}]\ncolumn = "{}"\nunit = "u"\nbetter = "higher"\ntypical = 5\nscale = 2\n'
PIECEWISE = OUTCOME.format("y", "y") + (
    'family = { kind = "poisson" }\ntrajectory = { kind = "piecewise", knots = [2] }\n'
    'effects = ["intercept", "slope_1", "slope_2"]\ncovariates = ["age"]\nmoderators = ["sex"]\n'
)
COUNTS = [3, 0, 5, 1, 2, 2, 8, 4, 0]
NAMES = ("intercept", "slope_1", "slope_2")


def correlations(rng, k):
    """A correlation matrix for each draw, and the halves of its partial correlations as they are sampled."""
    matrices = np.stack([[random_correlation(rng, k) for _ in range(SHAPE[1])] for _ in range(SHAPE[0])])
    halves = np.array([[(partials(r) + 1) / 2 for r in chain] for chain in matrices])
    return matrices, halves


def drawn(rng, names):
    """Positive numbers, one for each draw, for parameters by name."""
    return {n: rng.uniform(0.2, 2, SHAPE) for n in names}


@pytest.mark.parametrize("how", ["centred", "non-centred"])
def test_three_sampled_effects_come_back_with_their_correlations_by_name(rng, how):
    text = HEAD + COVARIATES + PIECEWISE + f'parameterisation = "{how}"\n'
    model = built(text, rows(y=COUNTS, age=AGE, sex=np.array(["f", "m", "m"])[WHO]))
    shifts = ["age", "slope_1_sex_m", "slope_2_sex_m"]
    raw = drawn(rng, [f"y.{n}" for n in (*NAMES, *shifts, *(f"sd_{n}" for n in NAMES))])
    r, raw["y.correlations_half"] = correlations(rng, 3)
    sds = np.stack([raw[f"y.sd_{n}"] for n in NAMES], axis=-1)
    z = rng.normal(size=(*SHAPE, 3, 3))  # patient, effect
    factor = np.linalg.cholesky(r * sds[..., :, None] * sds[..., None, :])
    b = np.einsum("...ij,...pj->...pi", factor, z)
    for j, n in enumerate(NAMES):
        shift = raw["y.age"][..., None] * X_AGE if j == 0 else raw[f"y.{n}_sex_m"][..., None] * X_MALE
        own = raw[f"y.{n}"][..., None] + shift + b[..., j]
        raw[f"y.raw_{n}"] = own if how == "centred" else z[..., j]
    found = recover(model, raw, model.data, rng)
    for j, n in enumerate(NAMES):
        np.testing.assert_allclose(found[f"y.effect_{n}"], b[..., j], atol=1e-10)
        for i in range(j):
            np.testing.assert_allclose(found[f"y.correlation_{NAMES[i]}_{n}"], r[..., i, j], atol=1e-10)
    scalars = {k for k in raw if ".raw_" not in k and not k.endswith("_half")}
    effects = {f"y.effect_{n}" for n in NAMES}
    between = {f"y.correlation_{NAMES[i]}_{NAMES[j]}" for j in range(3) for i in range(j)}
    assert found.keys() == scalars | effects | between
    assert all(np.array_equal(found[k], raw[k]) for k in scalars)


GAUSSIAN = OUTCOME.format("a", "a") + 'family = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\n'
SAMPLED = OUTCOME.format("b", "b") + (
    'family = { kind = "poisson" }\ntrajectory = { kind = "constant" }\nparameterisation = "centred"\n'
)
HURDLE = OUTCOME.format("c", "c") + (
    'family = { kind = "hurdle_lognormal" }\ntrajectory = { kind = "constant" }\n'
    '[outcomes.c.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "constant" }\ncorrelate = true\n'
)
A = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1, 6.0, 4.4, 5.0])
C = np.array([0, 3.0, 0, 4.0, 5.0, 2.0, 0, 0, 0])
MANY = (1, 60_000)


def test_integrated_effects_come_back_from_their_distribution_given_the_sampled_ones_and_the_measurements(rng):
    """Five effects of three outcomes, two of them sampled, under the same values in every draw."""
    text = HEAD + 'correlate = "across outcomes"\n' + GAUSSIAN + SAMPLED + HURDLE
    model = built(text, rows(a=A, b=COUNTS, c=C))
    assert model.how == {"a": "integrated", "b": "centred", "c": "integrated"}
    order = ["b.intercept", "c.zero_intercept", "a.intercept", "a.slope", "c.intercept"]  # the sampled first
    r, sds = random_correlation(rng, 5), np.array([0.6, 0.9, 1.2, 0.3, 0.5])
    own = {
        "a.intercept": 5,
        "a.slope": 0.1,
        "a.sigma": 0.7,
        "b.intercept": 1,
        "c.intercept": 1.2,
        "c.zero_intercept": -1,
        "c.sigma": 0.4,
    }
    own |= {f"{e.split('.')[0]}.sd_{e.split('.')[1]}": sd for e, sd in zip(order, sds, strict=True)}
    raw = {k: np.full(MANY, float(x)) for k, x in own.items()}
    raw["correlations_half"] = np.broadcast_to((partials(r) + 1) / 2, (*MANY, 10))
    v = r * np.outer(sds, sds)
    known = rng.normal(size=(3, 2)) @ np.linalg.cholesky(v[:2, :2]).T
    z = np.linalg.solve(np.linalg.cholesky(v[:2, :2]), known.T)
    raw["b.raw_intercept"] = np.broadcast_to(own["b.intercept"] + known[:, 0], (*MANY, 3))
    lower = np.linalg.cholesky(r[:2, :2])
    curve = -1 + sds[1] * lower[1, 0] * z[0][WHO]  # of zeros, with what the other sampled effect says of them
    value, precision = answers(np.where(C > 0, 0.0, 1.0), curve)
    w = sds[1] * lower[1, 1]
    m, u = (np.bincount(WHO, w * precision * x) for x in (w, value - curve))
    raw["c.raw_zero_intercept"] = np.broadcast_to(np.sqrt(1 + m) * z[1] - u / np.sqrt(1 + m), (*MANY, 3))
    found = recover(model, raw, model.data, rng)
    effects = [f"{e.split('.')[0]}.effect_{e.split('.')[1]}" for e in order]
    for j in range(2):
        np.testing.assert_allclose(found[effects[j]][0, 0], known[:, j], atol=1e-10)
    gain = v[2:, :2] @ np.linalg.inv(v[:2, :2])
    left = v[2:, 2:] - gain @ v[:2, 2:]
    for i in range(3):
        mine, positive = i == WHO, (i == WHO) & (C > 0)
        za = np.stack([np.ones(3), T[mine], np.zeros(3)], axis=1)
        zc = np.tile([0, 0, 1.0], (positive.sum(), 1))
        design, noise = np.concatenate([za, zc]), np.repeat([0.7**2, 0.4**2], [3, positive.sum()])
        residual = np.concatenate([A[mine] - 5 - 0.1 * T[mine], np.log(C[positive]) - 1.2])
        before = gain @ known[i]
        weight = left @ design.T @ np.linalg.inv(design @ left @ design.T + np.diag(noise))
        mean, covariance = before + weight @ (residual - design @ before), left - weight @ design @ left
        b = np.stack([found[e][0, :, i] for e in effects[2:]])
        sd = np.sqrt(np.diag(covariance))
        np.testing.assert_array_less(np.abs(b.mean(axis=1) - mean), 5 * sd / np.sqrt(MANY[1]))
        assert np.abs((np.cov(b) - covariance) / np.outer(sd, sd)).max() < 5 * np.sqrt(2 / MANY[1])
    assert found["correlations.a_intercept_b_intercept"] == pytest.approx(np.full(MANY, r[0, 2]))
    assert found["correlations.a_slope_c_zero_intercept"] == pytest.approx(np.full(MANY, r[1, 3]))
    assert found["c.correlation"] == pytest.approx(np.full(MANY, r[1, 4]))


LIMITED = GAUSSIAN + 'effects = ["intercept"]\ncensoring = "as typed"\ncovariates = ["age"]\n'
IMPUTED = '[covariates.age]\ntypical = 50\nscale = 10\nmissing = "imputed"\n'


def test_the_true_values_of_censored_cells_and_of_missing_covariates_are_those_of_the_draw(rng):
    typed = ["<3", "4..6", 6.6, 3.0, ">7", 5.5, "2.5..9", 4.4, 5.0]
    model = built(HEAD + IMPUTED + LIMITED, rows(a=typed, age=np.array([38, "", 61], dtype=object)[WHO]))
    n = 60_000
    own = {"a.intercept": 5.0, "a.slope": 0.1, "a.age": -2.0, "a.sd_intercept": 1.2, "a.sigma": 0.7}
    raw = {k: np.full((2, n), x) for k, x in own.items()}
    raw["covariates.age.imputed"] = np.repeat([0.5, -3.0], n).reshape(2, n, 1)  # another in each chain
    raw["a.beyond"] = np.broadcast_to([0.4, 1.5], (2, n, 2))
    raw["a.between"] = np.broadcast_to([0.25, 0.9], (2, n, 2))
    found = recover(model, raw, model.data, rng)
    y = np.array([2.6, 4.5, 6.6, 3, 8.5, 5.5, 2.5 + 0.9 * 6.5, 4.4, 5.0])
    for chain, imputed in enumerate([0.5, -3.0]):
        residual = y - 5 - 0.1 * T + 2 * np.array([-1.2, imputed, 1.1])[WHO]
        v = 1 / (1 / 1.2**2 + 3 / 0.7**2)
        for i in range(3):
            mean = v * residual[i == WHO].sum() / 0.7**2
            effect = (found["a.effect_intercept"][chain, :, i] - mean) / np.sqrt(v)
            assert stats.kstest(effect, "norm").pvalue > 0.001
    np.testing.assert_array_equal(found["covariates.age"], raw["covariates.age.imputed"])


def test_positive_doses_are_compared_with_their_own_covariates(rng):
    """Of nine cells five are zero: the covariates of patients, of visits, and imputed ones are those of the other
    four.
    """
    season = '[covariates.season]\nlevels = ["summer", "winter"]\nvaries = "visits"\n'
    hurdle = HURDLE.replace("[outcomes.c.zero]", 'covariates = ["age", "season"]\n[outcomes.c.zero]').replace(
        "correlate = true\n", ""
    )
    winter = np.array([0, 1, 1, 0, 1, 0, 1, 0, 0])
    table = rows(c=C, age=np.array([38, "", 61], dtype=object)[WHO], season=np.array(["summer", "winter"])[winter])
    model, n = built(HEAD + IMPUTED + season + hurdle, table), 20_000
    own = {"c.intercept": 1.2, "c.age": 0.8, "c.season_winter": -0.5, "c.sd_intercept": 0.7, "c.sigma": 0.4}
    own |= {"c.zero_intercept": -1.0, "c.sd_zero_intercept": 0.5}
    raw = {k: np.full((2, n), x) for k, x in own.items()} | {"c.raw_zero_intercept": np.zeros((2, n, 3))}
    raw["covariates.age.imputed"] = np.repeat([0.5, -3.0], n).reshape(2, n, 1)
    found = recover(model, raw, model.data, rng)
    for chain, imputed in enumerate([0.5, -3.0]):
        mean = 1.2 + 0.8 * np.array([-1.2, imputed, 1.1])[WHO] - 0.5 * winter
        for i in range(3):
            mine = (i == WHO) & (C > 0)
            v = 1 / (1 / 0.7**2 + mine.sum() / 0.4**2)
            effect = found["c.effect_intercept"][chain, :, i] - v * (np.log(C[mine]) - mean[mine]).sum() / 0.4**2
            assert stats.kstest(effect / np.sqrt(v), "norm").pvalue > 0.001


def test_a_column_without_gaps_is_itself_and_a_gap_is_filled_draw_by_draw():
    column = np.array([1.0, np.nan, 3.0, np.nan])
    assert complete(column, None) is column
    found = complete(column, np.arange(12.0).reshape(2, 3, 2))
    assert found.shape == (2, 3, 4)
    np.testing.assert_array_equal(found[1, 2], [1, 10, 3, 11])
