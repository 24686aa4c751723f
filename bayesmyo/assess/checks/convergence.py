"""Have the chains found the same posterior, and are there enough draws to report it?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.diagnostics import Diagnostics, bfmi, diagnose
from bayesmyo.model.data import SHARED
from bayesmyo.model.engines import ENGINES
from bayesmyo.model.fit import Fit


@dataclass(frozen=True)
class Convergence:
    """The gate in front of every number, over parameters, patients' effects and estimands.

    rhat: at most 1.01 between two chains or more; ess: bulk and tail at least 400 (Vehtari et al. 2021); every draw
    finite, no parameter stuck; no divergence; at most one draw in a hundred at the maximum tree depth; E-BFMI of
    every chain at least 0.3 (Betancourt 2016). An engine that does not draw from the posterior fails for that alone.
    """

    name: str = "convergence"
    rhat: float = 1.01
    ess: float = 400.0
    depth_share: float = 0.01
    ebfmi: float = 0.3

    def run(self, fit: Fit) -> CheckResult:
        draws = quantities(fit)
        shown = {kind: diagnose(values) for kind, values in draws.items()}
        everything = {name: d for group in shown.values() for name, d in group.items()}
        problems = self._engine(fit) or [*self._draws(draws), *self._mixing(everything), *self._sampler(fit)]
        worst = max((d.rhat for d in everything.values() if np.isfinite(d.rhat)), default=float("nan"))
        least = min(
            (min(d.ess_bulk, d.ess_tail) for d in everything.values() if np.isfinite(d.ess_bulk)), default=float("nan")
        )
        if problems:
            sentence = " ".join(problems)
        else:
            sentence = (
                f"The chains agree: R-hat at most {worst:.3f} and at least {least:,.0f} effective draws "
                f"for each of {len(everything)} quantities, no divergence."
            )
        rows = [row(name, kind, d) for kind in ("parameter", "estimand") for name, d in shown[kind].items()]
        rows += [row(name, "effect", d) for name, d in _worst(shown["effect"]).items()]
        return CheckResult(self.name, not problems, sentence, tuple(rows))

    def _engine(self, fit: Fit) -> list[str]:
        if fit.engine in ENGINES and not ENGINES[fit.engine].posterior:
            return [f"The engine {fit.engine} does not draw from the posterior: fit again with --engine nuts."]
        return []

    def _draws(self, draws: dict[str, dict[str, np.ndarray]]) -> list[str]:
        problems = []
        everything = [(kind, name, values) for kind, group in draws.items() for name, values in group.items()]
        infinite = [name for _, name, values in everything if not np.isfinite(values).all()]
        stuck = [name for kind, name, values in everything if kind != "estimand" and (values == values.flat[0]).all()]
        if infinite:
            problems.append(
                f"Draws of {len(infinite)} of {len(everything)} quantities are not finite (such as {infinite[0]}): try a tighter prior."
            )
        if stuck:
            problems.append(
                f"{len(stuck)} of {len(everything)} quantities never moved (such as {stuck[0]}): try another seed, or a tighter prior."
            )
        if len(everything[0][2]) < 2:
            problems.append("A single chain cannot be compared with another: try --chains 4.")
        return problems

    def _mixing(self, found: dict[str, Diagnostics]) -> list[str]:
        problems = []
        apart = {n: d.rhat for n, d in found.items() if d.rhat > self.rhat}
        few = {n: min(d.ess_bulk, d.ess_tail) for n, d in found.items() if min(d.ess_bulk, d.ess_tail) < self.ess}
        if apart:
            name = max(apart, key=lambda n: apart[n])
            problems.append(
                f"The chains disagree on {len(apart)} of {len(found)} quantities (worst: {name}, R-hat {apart[name]:.{4 if apart[name] < self.rhat + 0.001 else 3}f}, "
                f"at most {self.rhat:g} is trusted): try more iterations (--tune 2000 --draws 2000), a tighter prior, or a simpler trajectory."
            )
        if few:
            name = min(few, key=lambda n: few[n])
            problems.append(
                f"{len(few)} of {len(found)} quantities have too few effective draws (least: {name}, {few[name]:.0f}, "
                f"at least {self.ess:g} are needed): try --draws 4000."
            )
        return problems

    def _sampler(self, fit: Fit) -> list[str]:
        stats = fit.group("sample_stats").data_vars
        problems = []
        diverging = int(stats["diverging"].sum()) if "diverging" in stats else 0
        if diverging:
            problems.append(
                f"{diverging:,} of {stats['diverging'].size:,} draws diverged, so parts of the posterior were not visited: "
                'try --target-accept 0.98, or parameterisation = "non-centred" for an outcome with few visits.'
            )
        if "reached_max_treedepth" in stats:
            share = float(stats["reached_max_treedepth"].mean())
            if share > self.depth_share:
                problems.append(
                    f"{share:.0%} of the draws reached the maximum tree depth: the posterior is badly scaled; look for a weakly identified parameter."
                )
        if "energy" in stats:
            lowest = float(bfmi(stats["energy"].values).min())
            if lowest < self.ebfmi:
                problems.append(
                    f"E-BFMI is {lowest:.2f} in one chain (at least {self.ebfmi:g}): heavy tails; try a tighter prior on the SDs."
                )
        return problems


def quantities(fit: Fit) -> dict[str, dict[str, np.ndarray]]:
    """(chain, draw) values by kind and name: parameters, estimands, and each patient's effects under the pseudonym."""
    found: dict[str, dict[str, np.ndarray]] = {"parameter": {}, "estimand": {}, "effect": {}}
    names = () if fit.shared else fit.cohort.pseudonyms()
    for name, array in fit.group("posterior").data_vars.items():
        if array.ndim == 2:
            found["parameter"][str(name)] = array.values
        elif str(name).startswith(f"{SHARED}."):  # values imputed for patients who have none
            found["effect"] |= {f"{name}[{i + 1}]": array.values[..., i] for i in range(array.shape[-1])}
        else:
            found["effect"] |= {f"{name}[{names[i]}]": array.values[..., i] for i in range(array.shape[-1])}
    found["estimand"] = dict(fit.estimands)
    return found


def row(name: str, kind: str, d: Diagnostics) -> dict[str, Any]:
    return {"quantity": name, "kind": kind, "rhat": d.rhat, "ess_bulk": d.ess_bulk, "ess_tail": d.ess_tail}


def _worst(found: dict[str, Diagnostics]) -> dict[str, Diagnostics]:
    """The effect with the highest R-hat and the one with the fewest effective draws."""
    moving = {n: d for n, d in found.items() if np.isfinite(d.rhat)}
    if not moving:
        return {}
    names = [max(moving, key=lambda n: moving[n].rhat), min(moving, key=lambda n: moving[n].ess_bulk)]
    return {n: moving[n] for n in dict.fromkeys(names)}
