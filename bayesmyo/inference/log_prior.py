"""The log density of each prior at each draw, by parameter: what says how much of an answer is the prior's (psense)."""

from collections.abc import Mapping

import numpy as np

from bayesmyo.model.published import published
from bayesmyo.study.parameters import inventory
from bayesmyo.study.study import Study


def log_priors(study: Study, posterior: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(chain, draw) by parameter's full name, and of what was published by `evidence.NAME`.

    A joint prior, of thresholds or of correlations of three effects or more, is left out, as that of patients' effects
    and of groups is: power-scaling is of the population's own priors.

    References
    ----------
    Kallioinen, Paananen, Buerkner and Vehtari (2024), https://doi.org/10.1007/s11222-023-10366-5.
    """
    listed = [p for own in inventory(study).values() for p in own.values()]
    densities = {p.full_name: p.own.log_density(posterior[p.full_name]) for p in listed if p.own}
    values = {o: {n: posterior[p.full_name] for n, p in own.items()} for o, own in inventory(study).items()}
    known = {f"evidence.{k.names[0]}": np.asarray(k.log_density(values)) for k in published(study)}
    shape = next(iter(posterior.values())).shape[:2]
    return {name: np.broadcast_to(v, shape) for name, v in {**densities, **known}.items()}


__all__ = ["log_priors"]
