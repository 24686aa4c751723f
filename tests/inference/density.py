"""A model's log density at a random point, and what it takes to write the same density by hand with SciPy."""

import numpy as np
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import special, stats

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.inference.build import build
from bayesmyo.study import parse_study

HEAD = '[study]\ntitle = "T"\npatient = "p"\ntime = { column = "t", unit = "month", typical = 12 }\n'
WHO = np.repeat([0, 1, 2], 3)
T = np.array([0, 1, 3, 0, 2, 5, 0, 4, 6.0])
STANDARD = stats.norm(0, 1)


def rows(**columns):
    """A table of three patients at three visits each; an empty text is a missing cell."""
    lines = [",".join(["p", "t", *columns])]
    for k in range(len(T)):
        lines.append(",".join(["abc"[WHO[k]], f"{T[k]:g}", *(str(v[k]) for v in columns.values())]))
    return "\n".join(lines) + "\n"


def built(text, table):
    study = parse_study(text)
    return build(study, cohort_of(study, parse_table(table.encode(), "t.csv", study.data)))


class Density:
    """The joint log density on the natural scale, terms of the model summed; every variable must be in the point."""

    def __init__(self, text, table):
        self.built = built(text, table)
        model = remove_value_transforms(self.built.pymc)
        self.names = {v.name for v in model.value_vars}
        self.compiled = model.compile_logp(jacobian=False, mode="FAST_COMPILE")

    def __call__(self, point):
        assert point.keys() == self.names
        return float(self.compiled(point))


def draw(rng, priors):
    """A point drawn from distributions, (distribution, size) for a vector."""
    listed = {k: d if isinstance(d, tuple) else (d, None) for k, d in priors.items()}
    return {k: np.asarray(d.rvs(size=n, random_state=rng)) for k, (d, n) in listed.items()}


def total(priors, point):
    """The log density of a point under those distributions."""
    return sum(np.sum((d[0] if isinstance(d, tuple) else d).logpdf(point[k])) for k, d in priors.items())


def half(sd):
    return stats.halfnorm(0, sd)


# --- effects that are informed by their own patients' measurements


def logit(share):
    return np.log(share / (1 - share))


def of_patients(x):
    """The sum over all cells of the same patient, at each cell."""
    return np.array([x[i == WHO].sum() for i in range(3)])[WHO]


def answers(yes, curve):
    """What each of three answers of a patient is worth: a step of Fisher's scoring from the patient's own share."""
    start = curve - of_patients(curve) / 3 + logit((of_patients(yes) + 0.5) / 4)
    share = special.expit(start)
    return start + (yes - share) / (share * (1 - share)), share * (1 - share)


def inform(t, residual, precision, design, factor):
    """(patient, effect) standardised effects of one outcome from what was sampled, and log |dz / dt|, patient by
    patient.

    design: (cell, effect); factor: the Cholesky factor of the effects' covariance
    """
    z, log_det = np.zeros_like(t), 0.0
    for i in range(3):
        mine = i == WHO
        w = design[mine] @ factor
        m = np.eye(t.shape[1]) + w.T @ (precision[mine, None] * w)
        c = np.linalg.cholesky(m)
        z[i] = np.linalg.solve(m, w.T @ (precision * residual)[mine]) + np.linalg.solve(c.T, t[i])
        log_det -= np.log(np.diag(c)).sum()
    return z, log_det


# --- correlations


def partials(r):
    """The partial correlation of each pair given all before the earlier one, row by row, by inverse matrices."""
    found = []
    for i in range(len(r)):
        for j in range(i):
            chosen = [*range(j), j, i]
            p = np.linalg.inv(r[np.ix_(chosen, chosen)])
            found.append(-p[-1, -2] / np.sqrt(p[-1, -1] * p[-2, -2]))
    return np.array(found)


def lkj_betas(eta, k):
    """The Beta of each partial correlation under LKJ(eta), row by row (Lewandowski et al. 2009)."""
    return stats.beta(*[[eta + (k - 2 - j) / 2 for i in range(k) for j in range(i)]] * 2)


def random_correlation(rng, k):
    """A correlation matrix well inside."""
    x = rng.normal(size=(k, 3 * k))
    v = x @ x.T
    return v / np.sqrt(np.outer(np.diag(v), np.diag(v)))


def normal(mean, covariance, y):
    """Log density of one patient's cells."""
    return stats.multivariate_normal(mean, covariance).logpdf(y) if len(y) else 0.0


def ordered_beta(y, eta, floor, ceiling, precision):
    """Of the share of the range (0 and 1 are its ends)."""
    mu = special.expit(eta)
    at_floor, at_ceiling = special.expit(-eta - floor), special.expit(eta - ceiling)
    inside = 1 - at_floor - at_ceiling
    with np.errstate(divide="ignore"):
        between = np.log(inside) + stats.beta(mu * precision, (1 - mu) * precision).logpdf(np.where(y % 1, y, 0.5))
    return np.select([y == 0, y == 1], [np.log(at_floor), np.log(at_ceiling)], between)
