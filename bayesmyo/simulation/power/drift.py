"""Operating characteristics where what was published and the truth disagree.

The truth of a scenario stays, and the sources are moved: at drift d the prediction for another study like them, MAP, has
its mean d of its own SDs above the true value of the estimand, on the scale of the meta-analysis. Every drift is analysed
with the trust that the study states and with full trust, and beside them without what was published.

References: Schmidli et al. (2014), https://doi.org/10.1111/biom.12242 (robust mixtures under conflict); Viele et al.
(2014), https://doi.org/10.1002/pst.1589 (type I error over drift of historical data).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize

from bayesmyo.components.numbers import listing, significant
from bayesmyo.errors import Fault
from bayesmyo.meta.analysis import NormalSummary, meta_analysis
from bayesmyo.meta.normals import Normals
from bayesmyo.model.published import Published, published
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import describe
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study

DRIFT, TRUST = "drift", "trust"  # labels of cells
STATED, FULL, NONE = "as stated", "full", "none"
Labels = dict[str, str | float]


def drifted(study: Study, scenario: str, drift: Sequence[float]) -> Iterator[tuple[Labels, Study]]:
    """What analyses the cohorts of a scenario: without evidence, and at every drift with either trust."""
    yield {DRIFT: "-", TRUST: NONE}, replace(study, evidence={})
    truth = {outcome: of.values for outcome, of in from_scenario(study, scenario).outcomes.items()}
    for d in drift:
        moved = {name: e for p in published(study) for name, e in _moved(p, truth, d).items()}
        full = {name: replace(e, like_ours=1.0) for name, e in moved.items()}
        for trust, evidence in ((STATED, moved), (FULL, full)):
            if trust == FULL or moved != full:
                yield {DRIFT: d, TRUST: trust}, replace(study, evidence=evidence, text="")


def refused(study: Study, names: Sequence[str], drift: Sequence[float], given: bool, other: bool) -> Iterator[Fault]:
    """Why nothing can be asked over drift. names: of scenarios; given: truths are of a fit; other: another study analyses"""
    if not drift:
        return
    where = "--drift"
    if not study.evidence:
        yield Fault("study", "states no [evidence]: there is nothing to drift", mend="leave --drift out")
    if given:
        yield Fault(where, "and --from-fit do not go together", mend="a drift is from one truth: name a scenario")
    if other:
        yield Fault(where, "and --analysis do not go together", mend="state the evidence in the study itself")
    for name in names:
        if name in study.scenarios and design_priors(study, name):
            yield Fault(where, "is from one truth, and that of this scenario is drawn", f'"{name}"', "name another")


def unit_of_drift(study: Study) -> str:
    """What a drift of one is, of each estimand, in a sentence."""
    said = []
    for p in published(study):
        scale = f"on the scale of their meta-analysis, {p.link.link_name}"
        said.append(f"{significant(p.analysis.predictive.sd)} ({scale}) of {describe.number(study, p.estimand)}")
    return (
        "Drift is how far above the truth the sources predict another study like them, in SDs of that prediction: one is "
        f"{listing(said)}."
    )


def _moved(p: Published, truth: Any, drift: float) -> dict[str, Evidence]:
    """The sources of one estimand, all of them moved by as much."""
    told = [e.on(p.link) for e in p.evidence]
    default = p.default.normals
    theta = Normals.one(default.mean, default.sd)

    def predictive(by: float) -> Normals:
        return meta_analysis([NormalSummary(value + by, se) for value, se in told], theta, p.tau).predictive

    wanted = float(p.value(truth, np)) + drift * p.analysis.predictive.sd
    by = float(optimize.newton(lambda by: predictive(by).mean - wanted, wanted - predictive(0.0).mean))
    return {name: e.moved(p.link, by) for name, e in zip(p.names, p.evidence, strict=True)}
