"""Reference for a censored linear mixed model: marginal maximum likelihood in plain NumPy and SciPy.

Model: log(serBilir) ~ year + (year | id) on the pbc2 cohort, with an assay range put on it: below 0.8 is reported as
"<0.8" (left-censored), above 20 as ">20" (right-censored). A measured cell contributes the normal density of
log(serBilir), a censored one the normal probability beyond the limit. The two random effects of a patient are integrated
out by adaptive Gauss-Hermite quadrature centred at their mode. Nothing is shared with the package. Printed: the fit
without censoring, which must meet lme4::lmer(..., REML = FALSE) of pbc2_reference.R, and the censored fit. Standard
errors are from the numerical Hessian of all six parameters; lme4 holds the variances: see `_se_given_variances`.

Usage: python censored_reference.py PATH/pbc2.csv [NODES]   (per dimension; 31, as 15 leave 0.08 in the log-likelihood)
"""

import json
import sys

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp

LOWER, UPPER = 0.8, 20.0
NAMES = ("intercept", "slope", "sd_intercept", "sd_slope", "correlation", "sigma")


def load(path, censor):
    """One entry per cell: value or limit, year, side (0 measured, +1 left, -1 right), and each patient's first cell."""
    table = pd.read_csv(path, usecols=["id", "year", "serBilir"]).dropna().sort_values(["id", "year"])
    raw = table["serBilir"].to_numpy(float)
    side = np.where(raw < LOWER, 1, np.where(raw > UPPER, -1, 0)) * int(censor)
    y = np.log(np.clip(raw, LOWER, UPPER) if censor else raw)
    return y, table["year"].to_numpy(float), side, np.unique(table["id"].to_numpy(), return_index=True)[1]


def natural(theta):
    """The parameters of NAMES from the unconstrained ones."""
    return np.array([theta[0], theta[1], *np.exp(theta[2:4]), np.tanh(theta[4]), np.exp(theta[5])])


def cell_terms(residual, side, sigma):
    """Log-likelihood of each cell (first axis), with its first and second derivative in the linear predictor."""
    r = residual / sigma
    value = -0.5 * r**2 - 0.5 * np.log(2 * np.pi)
    first, second = r / sigma, np.full_like(r, -1 / sigma**2)
    out, sign = side != 0, side[side != 0].reshape(-1, *[1] * (r.ndim - 1))
    tail = log_ndtr(sign * r[out])  # log of Phi(r) for "<0.8", of 1 - Phi(r) for ">20"
    mills = np.exp(value[out] - tail)
    value -= np.log(sigma)
    value[out], first[out], second[out] = tail, -sign * mills / sigma, -mills * (mills + sign * r[out]) / sigma**2
    return value, first, second


def log_likelihood(theta, data, nodes):
    """Marginal log-likelihood. The random effects are chol @ z with z standard normal; the integral is over z."""
    y, year, side, start = data
    _, _, sd0, sd1, rho, sigma = natural(theta)
    base = y - theta[0] - theta[1] * year
    chol = np.array([[sd0, 0.0], [rho * sd1, np.sqrt(1 - rho**2) * sd1]])
    design = np.column_stack([np.ones_like(year), year]) @ chol  # cells x 2
    patient = np.repeat(np.arange(len(start)), np.diff(start, append=len(y)))
    z = np.zeros((len(start), 2))  # Newton to each patient's mode; the log-integrand is strictly concave
    for _ in range(30):
        _, first, second = cell_terms(base - (design * z[patient]).sum(axis=1), side, sigma)
        gradient = np.add.reduceat(design * first[:, None], start) - z
        precision = np.eye(2) - np.add.reduceat(np.einsum("ck,cl,c->ckl", design, design, second), start)
        z += (step := np.linalg.solve(precision, gradient[..., None])[..., 0])
    if np.abs(step).max() > 1e-8:
        raise RuntimeError("a patient's mode was not found")
    x, w = np.polynomial.hermite_e.hermegauss(nodes)  # weight exp(-x^2 / 2)
    grid = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    log_weight = np.log(np.outer(w, w).ravel()) + 0.5 * (grid**2).sum(axis=1)
    scale = np.linalg.inv(np.linalg.cholesky(precision))  # scale.T @ scale is the inverse of the precision
    points = z[:, None, :] + grid @ scale  # patients x nodes x 2
    residual = base[:, None] - (points[patient] @ design[:, :, None])[..., 0]  # cells x nodes
    value = np.add.reduceat(cell_terms(residual, side, sigma)[0], start)
    value += log_weight - 0.5 * (points**2).sum(axis=-1) - np.log(2 * np.pi)
    return float((logsumexp(value, axis=1) + np.log(np.linalg.det(scale))).sum())


def derivatives(function, theta, h=1e-3):
    """Central-difference gradient and Hessian."""
    steps = np.eye(len(theta)) * h
    gradient = np.array([function(theta + a) - function(theta - a) for a in steps]) / (2 * h)
    hessian = np.empty((len(theta), len(theta)))
    for i, j in zip(*np.tril_indices(len(theta)), strict=True):
        a, b = steps[i] + steps[j], steps[i] - steps[j]
        mixed = function(theta + a) - function(theta + b) - function(theta - b) + function(theta - a)
        hessian[i, j] = hessian[j, i] = mixed / (4 * h * h)
    return gradient, hessian


def fit(data, nodes):
    """Estimates, standard errors and log-likelihood at the maximum."""
    objective = lambda theta: -log_likelihood(theta, data, nodes)  # noqa: E731
    start = np.array([0.5, 0.1, 0.0, -1.5, 0.0, -1.0])
    theta = minimize(objective, start, method="BFGS", options={"gtol": 1e-2}).x
    for _ in range(2):  # Newton steps finish what BFGS leaves
        theta = theta - np.linalg.solve(*derivatives(objective, theta)[::-1])
    gradient, hessian = derivatives(objective, theta)
    estimate = natural(theta)
    jacobian = np.array([1.0, 1.0, estimate[2], estimate[3], 1 - estimate[4] ** 2, estimate[5]])
    error = np.sqrt(np.diag(np.linalg.inv(hessian))) * jacobian
    given_variances = np.sqrt(np.diag(np.linalg.inv(hessian[:2, :2])))
    names = [*NAMES, *(f"{n}_se" for n in NAMES), *(f"{n}_se_given_variances" for n in NAMES[:2])]
    result = dict(zip(names, [*estimate, *error, *given_variances], strict=True))
    return result | {"loglik": -objective(theta), "max_gradient": np.abs(gradient).max()}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    nodes = int(sys.argv[2]) if len(sys.argv) == 3 else 31
    for label, censor in (("uncensored_ml", False), ("censored_ml", True)):
        data = load(sys.argv[1], censor)
        result = {key: round(float(value), 6) for key, value in fit(data, nodes).items()}
        counts = {"n_left": int((data[2] == 1).sum()), "n_right": int((data[2] == -1).sum())}
        print(label, json.dumps(result | counts, indent=2))


if __name__ == "__main__":
    main()
