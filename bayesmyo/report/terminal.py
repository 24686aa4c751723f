"""Tables and sentences for a terminal, on stdout."""

import errno
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from bayesmyo.components.numbers import apart, chance_decimals, chance_error, interval_errors, resolved, rhat_text
from bayesmyo.errors import printable
from bayesmyo.report.columns import Cell, Ends, Number, layout
from bayesmyo.study import describe
from bayesmyo.study.study import Study

WIDTH_OF_A_FILE = 80  # of a table; sentences are never broken in a file


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Said again, for the door to answer: by itself rich would end the process as if a check had failed."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(stderr: bool = False) -> Console:
    """A console as wide as the terminal. Colours come on a terminal only, and not where NO_COLOR is set."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_FILE, highlight=False)


def say(text: Any, style: str = "", stderr: bool = False) -> None:
    """Print text as it is: no markup is understood in it, and only a terminal breaks its lines, under where they begin."""
    shown = console(stderr)
    lines = printable(str(text)).split("\n")
    if shown.file.isatty():
        lines = [part for line in lines for part in _broken(line, shown.width)]
    for line in lines:
        shown.print(Text(line, style=style), soft_wrap=True)


def _broken(line: str, width: int) -> list[str]:
    """A line broken at words; what follows stands under where it began."""
    indent = " " * (len(line) - len(line.lstrip())) + ("  " if line.lstrip().startswith("- ") else "")
    broken = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return broken or [""]


def show_table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "", below: Sequence[str] = ()
) -> None:
    """Print a table no wider than the terminal; numbers are aligned to the right, the first column is never cut.

    below: columns of words that go to a second line of each row where the width does not do
    """
    right = [all(isinstance(r[i], int | float | Number) or r[i] is None for r in rows) for i in range(len(headers))]
    cells = [[_cell(h, v) for h, v in zip(headers, r, strict=True)] for r in rows]
    shown = console()
    head, body = layout([h.replace("_", " ") for h in headers], cells, shown.width, right, below)
    for line in [title, *head] if title else head:
        shown.print(Text(line, style="bold"), soft_wrap=True)
    for line in body:
        shown.print(Text(line), soft_wrap=True)


def _cell(header: str, value: Any) -> Cell:
    if header == "rhat" and isinstance(value, float) and value == value:
        return rhat_text(value)
    return value if isinstance(value, Ends | Number) else figure(value)


def figure(value: Any) -> str:
    """A value for a reader: three significant digits, a dash for nothing."""
    if value is None or value != value:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value == 0:
            return "0"
        if abs(value) >= 1e9:
            return f"{value:.2e}"
        return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.2e}" if abs(value) < 1e-3 else f"{value:.3g}"
    return printable(str(value))


def show_rows(what: str, rows: Sequence[dict[str, Any]], interval: float) -> None:
    """Estimands as sentences under a table, decisions as sentences, parameters as a table. What is withheld shows no number."""
    band = f"{interval:.0%} interval"
    shown: list[tuple[Any, ...]]
    if not rows:
        other = "; `bayesmyo estimate FIT --parameters` prints the parameters" if what == "estimates" else ""
        say(f"The study declares no {'estimands' if what == 'estimates' else what}{other}.")
    elif what == "estimates":
        shown = [
            (r["name"], *_shown(r, _number(r, "median"), _band(r)), r["unit"], _whole(r["ess"]), r["population"], r["summary"], _verdict(r))
            for r in rows
        ]  # fmt: skip
        below = ["population", "summary", "verdict"]
        show_table(["estimand", "median", band, "unit", "ess", *below], shown, below=below)
    elif what == "decisions":
        shown = [
            (
                r["name"],
                r["kind"],
                *_shown(r, r["met"], Number(_decided(r)), Number(resolved(r["margin"], r["mcse"]))),
                _verdict(r),
            )
            for r in rows
        ]
        show_table(["decision", "kind", "met", "probability", "margin", "verdict"], shown)
    elif what == "parameters":
        shown = [
            (r["name"], _number(r, "mean"), _number(r, "sd"), _band(r), r["rhat"], _whole(r["ess_bulk"]), _whole(r["ess_tail"]),
             r["unit"], _prior(r))
            for r in rows
        ]  # fmt: skip
        below = ["unit", "prior's " + band]
        show_table(["parameter", "mean", "sd", band, "rhat", "ess bulk", "ess tail", *below], shown, below=below)
        return
    elif what == "correlations":
        shown = [(r["first"], r["second"], *_shown(r, r["median"], _band(r)), _prior(r)) for r in rows]
        show_table(["patients' own", "and", "r", band, "prior's " + band], shown)
        # in words, those that a reader asks for first: do improvements come together?
        rows = [r for r in rows if r["first"].endswith(" change") and r["second"].endswith(" change")] or rows
    say("")
    for sentence in dict.fromkeys(r["sentence"] for r in rows):
        say(f"- {sentence}")


def show_each_patient(rows: Sequence[dict[str, Any]], study: Study, estimand: str) -> None:
    """What is asked of each patient, and a row for each; why not, where it is withheld."""
    say(f"In each patient: {describe.own_number(study, study.estimands[estimand])} ({rows[0]['unit']})", "bold")
    p = rows[0]["probability"]
    event = next(
        (f"probability {word} {declared:g}" for word, declared in (p or {}).items() if word != "value"), "probability"
    )
    shown = [
        (r["name"], *_shown(r, _number(r, "median"), _number(r, "mean"), _number(r, "sd"), _band(r), _chance(r)), _whole(r["ess"]))
        for r in rows
    ]  # fmt: skip
    show_table(["patient", "median", "mean", "sd", f"{study.interval:.0%} interval", event, "ess"], shown)
    for sentence in dict.fromkeys(r["sentence"] for r in rows if r["withheld"]):
        say(f"- {sentence}")


def _chance(r: dict[str, Any]) -> Number:
    """The probability beside a number, with the digits of its sentence."""
    p = r["probability"]
    return Number("-" if p is None else chance(p["value"], chance_decimals(chance_error(p["value"], r["ess"]))))


def show_responses(rows: Sequence[dict[str, Any]], study: Study) -> None:
    """Each rule's counts with their bounds, in sentences, and patient by patient."""
    if not rows:
        say("The study declares no responses.")
    for i, r in enumerate(rows):
        if i:
            say("")
        own = " (the study's own rule)" if r["rule"] else ""
        say(f"{r['name']}{own}{f': {title}' if (title := r['title']) else ''}", "bold")
        counts = [
            (c["name"], *_shown(c, c["median"], Ends(str(c["lower"]), str(c["upper"])), c["mean"], Ends(str(c["worst"]), str(c["best"]))))
            for c in r["categories"]
        ]  # fmt: skip
        show_table(["category", "patients", f"{r['interval']:.0%} interval", "mean", "none or all predicted"], counts)
        for sentence in dict.fromkeys(c["sentence"] for c in r["categories"]):
            say(f"- {sentence}")
        names = {c["name"]: c for c in r["categories"]}
        each = [
            (p["patient"], p["last_seen"], _missing(study, r["outcomes"], p["missing"]), "measured" if p["seen"] else "predicted",
             *(_shown(c, Number(chance(p["probabilities"][n])))[0] for n, c in names.items()))
            for p in r["by_patient"]
        ]  # fmt: skip
        show_table(["patient", "last seen", "last measured before", "judged", *names], each)
    for note in dict.fromkeys(note for r in rows for note in r["notes"]):
        say(f"Note: {note}", "yellow")


def _missing(study: Study, asked: Sequence[str], missing: dict[str, float | None]) -> str:
    """Which outcomes of a rule were last measured before its time, and when."""
    when = {"never" if t is None else figure(t) for t in missing.values()}
    if len(missing) == len(asked) > 1 and len(when) == 1:
        return f"all {when.pop()}"
    return ", ".join(f"{study.label(o)} {'never' if t is None else figure(t)}" for o, t in missing.items())


def _shown(row: dict[str, Any], first: Any, *others: Any) -> tuple[Any, ...]:
    """The numbers of a row; the word withheld in the place of the first, and dashes, where they are not for a reader."""
    return (Number("withheld"), *(Number("-") for _ in others)) if row["withheld"] else (first, *others)


def _decided(r: dict[str, Any]) -> str:
    """The probability of a decision, with the digits of its sentence."""
    p = r["probability"]
    return "-" if p is None else chance(p, chance_decimals(chance_error(p, r["ess"])))


def _verdict(row: dict[str, Any]) -> str:
    """Prior against data; of what is withheld for another reason, nothing."""
    told = not row["withheld"] or row["verdict"] in ("do not report", "the data hold nothing")
    return row["verdict"] or "" if told else ""


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


def show_influence(found: Any, study: Study, who: str = "patient") -> None:
    """Patients, or levels of a group, the most influential first; what leaving one out does to each decision."""
    methods = {p.method for p in found.patients}
    headers = [who, "measurements", f"last {study.time.unit}", "moves most", "by (SD)", "score", "mcse", "flips"]
    rows = [
        [p.patient, p.measurements, p.last, p.moved, p.shift, Number(f"{p.score:.1f}"), p.mcse, ", ".join(p.flips)]
        for p in found.patients
    ]
    if len(methods) > 1:
        headers.append("by")
        rows = [[*row, p.method] for row, p in zip(rows, found.patients, strict=True)]
    show_table(headers, rows, below=["flips"])
    say("")
    for sentence in found.sentences or ("The study declares no decision that a patient could flip.",):
        say(f"- {sentence}")
    _say_rough([p.patient for p in found.patients if p.rough])


def show_comparisons(found: Sequence[Any]) -> None:
    """Fits, the best first, and whether the data can rank them."""
    headers = ["fit", "score", "mcse", "difference", "se", "ranked", "most against", "study"]
    rows = [
        (c.name, Number(f"{c.score:.1f}"), c.mcse, c.difference, c.se, "-" if not c.sentence else c.ranked, c.worst, c.title)
        for c in found
    ]  # fmt: skip
    show_table(headers, rows, below=["study"])
    say("")
    for c in found:
        if c.sentence:
            say(f"- {c.sentence}")
    for c in found:
        _say_rough(c.rough, f" of {c.name}")


def _say_rough(patients: Sequence[str], of: str = "") -> None:
    if patients:
        say(f"- The short refits{of} without {', '.join(patients)} did not converge well: their figures are rough.")


def _number(r: dict[str, Any], what: str) -> Number:
    """A number with the digits that its Monte Carlo error leaves, as in its sentence; a dash where there is none."""
    value = r[what]
    if value is None or value != value:
        return Number("-")
    lower, median, upper = interval_errors(*(r.get(f"mcse_{end}") for end in ("lower", "median", "upper")))
    known = {
        "lower": lower,
        "median": median,
        "upper": upper,
        "mean": r.get("mcse") or 0.0,
        "sd": r.get("mcse_sd") or 0.0,
    }
    return Number(resolved(value, known[what], apart(r["lower"], r["upper"])))


def _band(r: dict[str, Any]) -> Ends:
    """The ends of an interval, with one number of digits where their Monte Carlo errors are much alike."""
    return Ends(_number(r, "lower"), _number(r, "upper"))


def _prior(r: dict[str, Any]) -> Ends:
    return Ends(figure(r["prior_lower"]), figure(r["prior_upper"]))


def _whole(value: float) -> Number:
    return Number("-" if value != value else f"{value:,.0f}")
