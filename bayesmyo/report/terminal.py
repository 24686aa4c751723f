"""Tables and sentences for a terminal, on stdout."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.table import lines_text
from bayesmyo.errors import printable
from bayesmyo.study import describe, in_r
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study

WIDTH_OF_A_FILE = 160


def console(stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for whole sentences in a file."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_FILE, highlight=False, soft_wrap=False)


def say(text: Any, style: str = "", stderr: bool = False) -> None:
    """Print text as it is: no markup is understood in it, and only a terminal breaks its lines."""
    shown = console(stderr)
    shown.print(Text(printable(str(text)), style=style), soft_wrap=not shown.file.isatty())


def show_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table; numbers are aligned to the right, the first column is never cut."""
    table = Table(title=Text(title, style="bold") if title else None, title_justify="left", box=None, pad_edge=False)
    numeric = [all(isinstance(r[i], int | float) or r[i] is None for r in rows) for i in range(len(headers))]
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if numeric[i] else "left", overflow="fold", no_wrap=i == 0)
    for r in rows:
        table.add_row(*(Text(figure(v, 3 if h == "rhat" else None)) for h, v in zip(headers, r, strict=True)))
    console().print(table)


def figure(value: Any, decimals: int | None = None) -> str:
    """A value for a reader: three significant digits unless decimals are asked for, a dash for nothing."""
    if value is None or value != value:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if decimals is not None:
            return f"{value:.{decimals}f}"
        if value == 0:
            return "0"
        if abs(value) >= 1e9:
            return f"{value:.2e}"
        return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.2e}" if abs(value) < 1e-3 else f"{value:.3g}"
    return printable(str(value))


def show_study(study: Study) -> None:
    """What was understood of a study."""
    say(study.title, "bold")
    how = describe.correlation_words(study)
    say(f"Time in {study.time.unit}s (column {study.time.column}); patients in column {study.patient}; {how}.")
    if study.covariates:
        say("Covariates")
    for line in describe.covariates(study):
        say(f"    {line}")
    for name in study.outcomes:
        say("")
        say(f"{name}: {describe.words(study, name)}")
        for line in describe.formula(study, name):
            say(f"    {line}")
        say(f"    lme4: {in_r.lme4(study, name)}")
        say(f"    brms: {in_r.brms(study, name)}")
    say("")
    rows = [
        (
            f"{p.outcome}.{p.parameter}",
            p.prior + ("" if p.stated else " (default)"),
            p.unit,
            p.median,
            f"{figure(p.lower)} to {figure(p.upper)}",
            p.natural_unit,
        )
        for p in describe.priors(study)
    ]
    interval = f"{study.interval:.0%} interval"
    show_table(
        ["parameter", "prior", "scale", "median", interval, "clinical unit"],
        rows,
        title="Priors, and what they hold likely in clinical units",
    )
    if study.estimands:
        say("Estimands")
    for name, e in study.estimands.items():
        say(f"    {name}: {describe.number(study, e)}, {describe.population(e)} ({describe.summary(study, e)})")
    for title, names in (
        ("Decisions", study.decisions),
        ("Responses", study.responses),
        ("Scenarios", study.scenarios),
    ):
        if names:
            say(f"{title}: {', '.join(names)}")
    for name in study.scenarios:
        if drawn := design_priors(study, name):
            listed = ", ".join(f"{parameter} ~ {prior}" for parameter, prior in drawn.items())
            say(f"    {name} is uncertain, and every simulated cohort draws its own truth: {listed}")


def show_cohort(study: Study, cohort: Cohort) -> None:
    """What was read of a table: every row accounted for, of the table and of each outcome."""
    r = cohort.rows
    aside = r.rows - r.used
    say(f"{cohort.source}: {r.rows} rows in = {r.used} used + {aside} set aside; {len(cohort.patients)} patients.")
    for why, lines in r.set_aside.items():
        say(f"  set aside, {why}: {len(lines)} ({lines_text(lines, most=10, word=r.word)})")
    rows = [(study.label(name), r.rows, o.used, r.rows - o.used, o.censored) for name, o in r.outcomes.items()]
    show_table(["outcome", "rows in", "= used", "+ set aside", "censored"], rows)
    for name, o in r.outcomes.items():
        for why, lines in o.set_aside.items():
            if why not in r.set_aside:
                say(f"  {study.label(name)}, {why}: {len(lines)} ({lines_text(lines, most=10, word=r.word)})")
    for notice in cohort.notices:
        say(f"Note: {notice}", "yellow")


def show_rows(what: str, rows: Sequence[dict[str, Any]], interval: float) -> None:
    """Estimands as sentences under a table, decisions as sentences, parameters as a table. What is withheld shows no number."""
    band = f"{interval:.0%} interval"
    shown: list[tuple[Any, ...]]
    if not rows:
        say(f"The study declares no {what}.")
    elif what == "estimates":
        shown = [
            (r["name"], *_shown(r, r["median"], _band(r, "lower", "upper")), r["unit"], r["population"], r["summary"], r["ess"], _verdict(r))
            for r in rows
        ]  # fmt: skip
        show_table(["estimand", "median", band, "unit", "population", "summary", "ess", "verdict"], shown)
    elif what == "decisions":
        shown = [
            (r["name"], r["kind"], *_shown(r, r["met"], chance(r["probability"], 3), r["margin"]), _verdict(r))
            for r in rows
        ]
        show_table(["decision", "kind", "met", "probability", "margin", "verdict"], shown)
    elif what == "parameters":
        shown = [
            (r["name"], r["mean"], r["sd"], _band(r, "lower", "upper"), r["unit"], r["rhat"], r["ess_bulk"], r["ess_tail"],
             _band(r, "prior_lower", "prior_upper"))
            for r in rows
        ]  # fmt: skip
        show_table(["parameter", "mean", "sd", band, "unit", "rhat", "ess bulk", "ess tail", "prior's " + band], shown)
        return
    elif what == "correlations":
        shown = [
            (r["first"], r["second"], *_shown(r, r["median"], _band(r, "lower", "upper")), _band(r, "prior_lower", "prior_upper"))
            for r in rows
        ]  # fmt: skip
        show_table(["patients' own", "and", "r", band, "prior's " + band], shown)
        # in words, those that a reader asks for first: do improvements come together?
        rows = [r for r in rows if r["first"].endswith(" change") and r["second"].endswith(" change")] or rows
    say("")
    for sentence in dict.fromkeys(r["sentence"] for r in rows):
        say(f"- {sentence}")


def show_responses(rows: Sequence[dict[str, Any]]) -> None:
    """Each rule's counts with their bounds, in sentences, and patient by patient."""
    if not rows:
        say("The study declares no responses.")
    for i, r in enumerate(rows):
        if i:
            say("")
        own = " (the study's own rule)" if r["rule"] else ""
        say(f"{r['name']}{own}{f': {title}' if (title := r['title']) else ''}", "bold")
        counts = [
            (c["name"], *_shown(c, c["median"], f"{c['lower']} to {c['upper']}", c["mean"], f"{c['worst']} to {c['best']}"))
            for c in r["categories"]
        ]  # fmt: skip
        show_table(["category", "patients", f"{r['interval']:.0%} interval", "mean", "none or all unseen"], counts)
        for sentence in dict.fromkeys(c["sentence"] for c in r["categories"]):
            say(f"- {sentence}")
        names = {c["name"]: c for c in r["categories"]}
        each = [
            (p["patient"], p["last_seen"], "seen" if p["seen"] else "predicted",
             *(_shown(c, chance(p["probabilities"][n]))[0] for n, c in names.items()))
            for p in r["by_patient"]
        ]  # fmt: skip
        show_table(["patient", "last seen", "judged", *names], each)
    for note in dict.fromkeys(note for r in rows for note in r["notes"]):
        say(f"Note: {note}", "yellow")


def _shown(row: dict[str, Any], first: Any, *others: Any) -> tuple[Any, ...]:
    """The numbers of a row; the word withheld in the place of the first, and dashes, where they are not for a reader."""
    return ("withheld", *("-" for _ in others)) if row["withheld"] else (first, *others)


def _verdict(row: dict[str, Any]) -> str | None:
    """Prior against data; of what is withheld for another reason, nothing."""
    return row["verdict"] if not row["withheld"] or row["verdict"] == "do not report" else None


def chance(p: float | None, decimals: int = 2) -> str:
    """A probability that never claims certainty, and a dash where there is none."""
    least = 10.0**-decimals
    if p is None:
        return "-"
    return f"<{least:g}" if p < least else f">{1 - least:g}" if p > 1 - least else f"{p:.{decimals}f}"


def show_verification(found: Any) -> None:
    """What was verified of a stored fit, and the versions that differ from those installed."""
    say(f"{found.path}: sha256 {found.sha256}")
    for check in found.checks:
        say(
            f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.sentence}",
            "" if check.passed else "bold red",
        )
    differing = {name: pair for name, pair in found.versions.items() if pair[0] != pair[1]}
    if differing:
        show_table(["package", "wrote the fit", "installed"], [(name, *pair) for name, pair in differing.items()])
    else:
        say("Written with the versions that are installed.")


def show_influence(found: Any, study: Study) -> None:
    """Patients, the most influential first; what leaving one out does to each decision."""
    headers = [
        "patient",
        "measurements",
        f"last {study.time.unit}",
        "moves most",
        "by (SD)",
        "score",
        "mcse",
        "by",
        "flips",
    ]
    rows = [
        (
            p.patient,
            p.measurements,
            p.last,
            p.moved,
            p.shift,
            round(p.score, 1),
            p.mcse,
            p.method,
            ", ".join(p.flips) or "none",
        )
        for p in found.patients
    ]
    show_table(headers, rows)
    say("")
    for sentence in found.sentences or ("The study declares no decision that a patient could flip.",):
        say(f"- {sentence}")
    _say_rough([p.patient for p in found.patients if p.rough])


def show_comparisons(found: Sequence[Any]) -> None:
    """Fits, the best first, and whether the data can rank them."""
    headers = ["fit", "score", "mcse", "difference", "se", "ranked", "most against", "study"]
    show_table(
        headers,
        [
            (
                c.name,
                round(c.score, 1),
                c.mcse,
                c.difference,
                c.se,
                "-" if not c.sentence else c.ranked,
                c.worst,
                c.title,
            )
            for c in found
        ],
    )
    say("")
    for c in found:
        if c.sentence:
            say(f"- {c.sentence}")
    for c in found:
        _say_rough(c.rough, f" of {c.name}")


def _say_rough(patients: Sequence[str], of: str = "") -> None:
    if patients:
        say(f"- The short refits{of} without {', '.join(patients)} did not converge well: their figures are rough.")


def _band(r: dict[str, Any], lower: str, upper: str) -> str:
    return f"{figure(r[lower])} to {figure(r[upper])}"
