"""Have the chains reached the same posterior, and are there enough draws to report it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.diagnostics import Diagnostics, bfmi
from bayesmyo.components.numbers import rhat_text
from bayesmyo.inference.diagnostics import Mixing
from bayesmyo.inference.engines import ENGINES
from bayesmyo.inference.fit import Fit
from bayesmyo.inference.mixing import MIXED, TIMES


@dataclass(frozen=True)
class Convergence:
    """The gate in front of every number, over parameters, patients' effects and estimands.

    asked: R-hat at most 1.01 between two chains or more, bulk and tail ESS at least 400 (Vehtari et al. 2021; `fit` has
        sampled on where that was missed by little, see `model/mixing.py`)
    Every draw finite, no chain stuck; no divergence; at most one draw in a hundred at the maximum tree depth; E-BFMI
    of every chain at least 0.3 (Betancourt 2016). An engine that does not draw from the posterior fails for that
    alone.
    """

    name: str = "convergence"
    asked: Mixing = MIXED
    depth_share: float = 0.01
    ebfmi: float = 0.3

    def run(self, fit: Fit) -> CheckResult:
        shown = fit.diagnostics
        everything = {name: d for group in shown.values() for name, d in group.items()}
        problems = self._engine(fit) or [*self._draws(fit), *self._mixing(fit, everything), *self._sampler(fit)]
        if problems:
            sentence = " ".join(problems)
        else:
            worst = max((d.rhat for d in everything.values() if np.isfinite(d.rhat)), default=float("nan"))
            least = min((d.ess for d in everything.values() if np.isfinite(d.ess)), default=float("nan"))
            sentence = (
                f"The chains agree: R-hat at most {worst:.3f} and at least {least:,.0f} effective draws "
                f"for each of {len(everything)} quantities, no divergence."
            )
        sentence += _sampled_on(fit) + _certified(fit)
        rows = [row(name, kind, d) for kind in ("parameter", "estimand") for name, d in shown[kind].items()]
        rows += [row(name, "effect", d) for name, d in _worst(shown["effect"]).items()]
        return CheckResult(self.name, not problems, sentence, tuple(rows))

    def _engine(self, fit: Fit) -> list[str]:
        if fit.engine in ENGINES and not ENGINES[fit.engine].posterior:
            return [f"The engine {fit.engine} does not draw from the posterior: fit again with --engine nuts."]
        return []

    def _draws(self, fit: Fit) -> list[str]:
        problems = []
        everything = {name: values for group in fit.quantities.values() for name, values in group.items()}
        infinite = [name for name, values in everything.items() if not np.isfinite(values).all()]
        if infinite:
            which = f"{len(infinite)} of {len(everything)} quantities are not finite (such as {infinite[0]})"
            problems.append(f"Draws of {which}: try a tighter prior.")
        if stuck := _stuck(fit):
            name, chains = next(iter(stuck.items()))
            where = "" if chains.all() else f" in chain {', '.join(map(str, 1 + np.flatnonzero(chains)))}"
            problems.append(
                f"{len(stuck)} of {len(everything)} quantities never moved (such as {name}{where}): "
                "try another seed, or a tighter prior."
            )
        if fit.group("posterior").sizes["chain"] < 2:
            problems.append("A single chain cannot be compared with another: try --chains 4.")
        return problems

    def _mixing(self, fit: Fit, everything: Mapping[str, Diagnostics]) -> list[str]:
        """Of a quantity that is stuck in a chain that alone is said; and so of estimands, which are made of them."""
        problems = []
        left_out = {*_stuck(fit), *fit.estimands} if _stuck(fit) else set()
        moving = {name: d for name, d in everything.items() if name not in left_out}
        apart = {name: d.rhat for name, d in moving.items() if d.rhat > self.asked.rhat}
        few = {name: d.ess for name, d in moving.items() if d.ess < self.asked.ess}
        if apart:
            name = max(apart, key=lambda n: apart[n])
            decimals = 4 if apart[name] < self.asked.rhat + 0.001 else 3  # as many as tell it from what is trusted
            problems.append(
                f"The chains disagree on {len(apart)} of {len(everything)} quantities "
                f"(worst: {name}, R-hat {rhat_text(apart[name], decimals)}, at most {self.asked.rhat:g} is trusted): "
                "try more iterations (--tune 2000 --draws 2000), a tighter prior, or a simpler trajectory."
            )
        if few:
            name = min(few, key=lambda n: few[n])
            problems.append(
                f"{len(few)} of {len(everything)} quantities have too few effective draws "
                f"(least: {name}, {few[name]:.0f}, at least {self.asked.ess:g} are needed): try --draws 4000."
            )
        return problems

    def _sampler(self, fit: Fit) -> list[str]:
        stats = fit.group("sample_stats").data_vars
        problems = []
        diverging = int(stats["diverging"].sum()) if "diverging" in stats else 0
        if diverging:
            problems.append(
                f"{diverging:,} of {stats['diverging'].size:,} draws diverged, so parts of the posterior were not "
                'visited: try --target-accept 0.98, or parameterisation = "non-centred" for an outcome with few visits.'
            )
        if "reached_max_treedepth" in stats:
            share = float(stats["reached_max_treedepth"].mean())
            if share > self.depth_share:
                scaled = "the posterior is badly scaled; look for a weakly identified parameter"
                problems.append(f"{share:.0%} of the draws reached the maximum tree depth: {scaled}.")
        if "energy" in stats:
            lowest = float(bfmi(stats["energy"].values).min())
            if lowest < self.ebfmi:
                low = f"E-BFMI is {lowest:.2f} in one chain (at least {self.ebfmi:g})"
                problems.append(f"{low}: heavy tails; try a tighter prior on the SDs.")
        return problems


def _certified(fit: Fit) -> str:
    """By which step an engine of several answered; nothing of any other engine."""
    c = fit.certificate
    if c is None:
        return ""
    if c.step == "importance":
        k = "" if c.k is None else f" (Pareto k {c.k:.2f}, reliable at most at 0.7)"
        return f" Drawn by importance sampling around a normal approximation{k}."
    if c.step == "hamiltonian":
        return " Drawn by Hamiltonian trajectories in the coordinates of a normal approximation."
    return f" Drawn by the engine {c.step}: a normal approximation does not serve, because {c.why}."


def _stuck(fit: Fit) -> dict[str, np.ndarray]:
    """Which chains never moved, (chain,), of each parameter and effect for which there are any."""
    sampled = {**fit.quantities["parameter"], **fit.quantities["effect"]}
    still = {name: (values == values[:, :1]).all(axis=1) for name, values in sampled.items()}
    return {name: chains for name, chains in still.items() if chains.any()}


def _sampled_on(fit: Fit) -> str:
    """What `fit` did where the draws that were asked for were too few."""
    s = fit.sampling
    if s["attempts"] < 2:
        return ""
    asked, sampled = s["draws"] * s["every"] // TIMES, s["draws"] * s["every"]
    return f" Sampled twice: {asked:,} draws of each chain were too few; of {sampled:,} one in {s['every']} is kept."


def row(name: str, kind: str, d: Diagnostics) -> dict[str, Any]:
    return {"quantity": name, "kind": kind, "rhat": d.rhat, "ess_bulk": d.ess_bulk, "ess_tail": d.ess_tail}


def _worst(effects: dict[str, Diagnostics]) -> dict[str, Diagnostics]:
    """The effect with the highest R-hat and the one with the fewest effective draws."""
    moving = {n: d for n, d in effects.items() if np.isfinite(d.rhat)}
    if not moving:
        return {}
    names = [max(moving, key=lambda n: moving[n].rhat), min(moving, key=lambda n: moving[n].ess_bulk)]
    return {n: moving[n] for n in dict.fromkeys(names)}
