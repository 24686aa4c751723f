"""How it was computed, and what to type to do it again."""

import shlex
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmyo._version import __version__
from bayesmyo.report.blocks import Block, Code, Section, Terms
from bayesmyo.report.simulations import asks
from bayesmyo.simulation.cell import Cell as Simulation
from bayesmyo.simulation.header import sha256
from bayesmyo.simulation.options import Solve
from bayesmyo.simulation.store import Results
from bayesmyo.study.write import to_toml

STEPS = {"importance": "importance sampling", "hamiltonian": "Hamiltonian trajectories", "nuts": "the engine nuts"}


def again(
    results: Results, target: float, futility: float | None, weights: Mapping[str, float], solve: Solve | None = None
) -> Section:
    plan, rows = results.plan, results.replicates
    s = plan.sampling
    twice = int((rows["attempts"] > 1).sum())
    much = (
        f"at most {plan.replicates:,} for each cell, until the Monte Carlo error is {plan.mcse:g}"
        if plan.mcse
        else f"{plan.replicates:,} for each cell"
    )
    terms = (
        ("Replicates", f"{much}; {len(rows):,} in all, {int((rows['stage'] != 'done').sum()):,} of them not fitted"),
        ("Sampling", f"{s.chains} chains of {s.draws} draws after {s.tune} of adaptation, by {plan.engine}; {twice:,} cohorts were sampled again, "
                     f"longer, because short chains disagreed; {int((rows['divergences'] > 0).sum()):,} with divergences"),
        *_certified(rows),
        ("Seed", str(plan.seed)),
        ("SHA-256 of the plan", sha256(plan.to_json().encode())),
        ("Versions", ", ".join(f"{k} {v}" for k, v in results.versions.items()) + f"; page by bayesmyo {__version__}"),
    )  # fmt: skip
    study, other = plan.cells[0].study, _another(plan.cells[0])
    blocks: list[Block] = [Terms(terms), Code("Command", command(results, target, futility, weights, solve))]
    if other:
        blocks.append(Code("The study that simulates (study.toml), in its first design", to_toml(study), folded=True))
        blocks.append(Code("The study that analyses (analysis.toml)", to_toml(plan.cells[0].analysis), folded=True))
    else:  # what analyses is the study before its design was varied
        blocks.append(Code("The study (study.toml)", to_toml(plan.cells[0].analysis), folded=True))
    return Section("reproduce", "To do it again", tuple(blocks))


def _certified(rows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """By which steps an engine of several answered, and how far it was from the reference engine; nothing of others."""
    counts = rows["step"][rows["step"] != ""].value_counts()
    if counts.empty:
        return ()
    shares = ", ".join(f"{STEPS[str(step)]} {n / counts.sum():.1%}" for step, n in counts.items())
    both = rows.dropna(subset=["apart", "wider"])
    said = f"{shares} of {int(counts.sum()):,} cohorts. "
    if both.empty:
        return (("Certificates", said + "None of these few was analysed by the engine nuts as well."),)
    said += (
        f"{len(both):,} were analysed by the engine nuts as well: medians of estimands differ by at most "
        f"{both['apart'].max():.1%} of their interval, which is "
        f"{np.exp(np.log(both['wider']).mean()):.3f} times as wide on average."
    )
    return (("Certificates", said),)


def _another(c: Simulation) -> bool:
    """Whether another study analyses what one simulates."""
    return asks(c.study) != asks(c.analysis)


def command(
    results: Results,
    target: float,
    futility: float | None = None,
    weights: Mapping[str, float] | None = None,
    solve: Solve | None = None,
) -> str:
    """What to type."""
    plan = results.plan
    values: dict[str, list[str]] = {}
    for c in plan.cells:
        for k, v in c.labels.items():
            text = repr(v).removesuffix(".0") if isinstance(v, float | int) else str(v)
            if text not in values.setdefault(k, []):
                values[k].append(text)
    if solve is not None and solve.start:  # a search has added the others
        values[solve.what.replace("-", "_")] = [f"{v:g}" for v in solve.start]
    options = []
    for key, listed in values.items():
        if key == "scenario" and not isinstance(plan.cells[0].truths, str):
            options.append("--from-fit fit.nc")
        elif key == "visits":
            options.append(f"--visits {'/'.join(v.replace(' ', ',') for v in listed)}")
        else:
            options.append(f"--{key.replace('_', '-')} {','.join(listed)}")
    if interim := sorted({look for c in plan.cells for look in c.looks[:-1]}):
        options.append(f"--looks {','.join(map(str, interim))}")
    if weights:
        options.append(f"--weights {shlex.quote(','.join(f'{name}={w!r}' for name, w in weights.items()))}")
    if dates := sorted({date for c in plan.cells for date in c.dates}):
        options.append(f"--look-at {','.join(repr(date).removesuffix('.0') for date in dates)}")
    if _another(plan.cells[0]):
        options.append("--analysis analysis.toml")
    options.append(f"--replicates {plan.replicates}" + ("" if plan.mcse is None else f" --mcse {plan.mcse!r}"))
    options.append(f"--comparators {shlex.quote(','.join(plan.comparators) or 'none')} --target {target!r}")
    if plan.predictive is not None:
        options.append(f"--futility {plan.predictive.below!r} --predictive {plan.predictive.cohorts}")
    elif futility is not None:
        options.append(f"--futility {futility!r}")
    options.append(f"--engine {plan.engine} --seed {plan.seed}")
    if solve is not None:
        options.append(f"--solve {solve.what}" + (f" --alpha {solve.alpha!r}" if solve.what == "threshold" else ""))
    return f"bayesmyo power study.toml -o power {' '.join(options)}"
