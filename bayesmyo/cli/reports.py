"""A fit as a page that a reader may keep, and its figures, tables and paragraphs for a paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bayesmyo.cli.options import DATA, FIT, FORCE, JSON, PATIENTS, STUDY, not_an_input, trusted
from bayesmyo.errors import UsageError
from bayesmyo.files import folder, writable, write_bytes

PATIENT_LEVEL = Annotated[
    bool, typer.Option("--patient-level", help="Show single patients, by pseudonym, in figures and tables.")
]


def report(
    path: FIT,
    output: Annotated[Path, typer.Option("-o", "--output", help="The report: .html, or .md.", show_default=False)],
    study: Annotated[
        str | None,
        typer.Option(
            "--study", help="Take the table [report] from this study, which asks the same.", show_default=False
        ),
    ] = None,
    power: Annotated[
        Path | None,
        typer.Option("--power", help="A folder of `bayesmyo power` for the same study.", show_default=False),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="A folder of `bayesmyo calibrate` for the same study.", show_default=False),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside",
            help="A fit of the same data by another model; may be given again.",
            metavar="<path>",
            show_default=False,
        ),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", help="Also write every table as CSV into this folder.", show_default=False),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", help="Also write every figure as SVG and PDF into this folder.", show_default=False),
    ] = None,
    patient_level: PATIENT_LEVEL = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Also sample again: without each patient, and under other priors (minutes).")
    ] = False,
    force: FORCE = False,
) -> None:
    """Write a fit as one page for a reader.

    The page needs neither network nor script. Exit 1 if a check failed, and claims are withheld.
    """
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import progress, terminal
    from bayesmyo.report.write import write_report
    from bayesmyo.study import find_study

    not_an_input(output, path, *(beside or ()))
    writable(output, force)
    fit = load_fit(path)
    asked = find_study(study) if study else None
    beside_it = [load_fit(other) for other in beside or ()]
    also_read: dict[str, Any] = {"study": asked, "power": power, "calibration": calibration, "beside": beside_it}
    how: dict[str, Any] = {"tables": tables, "figures": figures, "patient_level": patient_level}
    how |= {"refit": refit, "force": force}
    with progress.steps("Sampling again") as step:
        made = write_report(fit, output, **also_read, **how, progress=step)
    terminal.say(f"Wrote {output}{_also(made.files[1:], tables, figures)}.")
    reasons = [f"({r.name}): {r.sentence}" for r in made.failed]
    trusted(reasons, "The report withholds what these checks forbid, and says why.")


def _also(files: Sequence[Path], tables: Path | None, figures: Path | None) -> str:
    """How many files stand beside a page, and where."""
    csv = sum(f.suffix == ".csv" for f in files)
    parts = [f"{csv} tables in {tables}"] if tables else []
    parts += [f"{len(files) - csv} figures in {figures}"] if figures else []
    return "".join(f" and {part}" for part in parts)


def figure(
    path: FIT,
    name: Annotated[
        str | None, typer.Argument(help="Which (default: list those of this fit).", show_default=False)
    ] = None,
    of: Annotated[
        str,
        typer.Option("--of", help="Of one outcome, estimand, event or rule alone.", metavar="NAME", show_default=False),
    ] = "",
    by: Annotated[
        str, typer.Option("--by", help="Told apart by this covariate, or reason.", metavar="NAME", show_default=False)
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The file: .svg, .pdf or .png (default: SVG, named after it).", show_default=False
        ),
    ] = None,
    dpi: Annotated[int | None, typer.Option(help="Of a PNG (default: 300).", min=50, show_default=False)] = None,
    patient_level: PATIENT_LEVEL = False,
    force: FORCE = False,
    json: JSON = False,
) -> None:
    """Draw a figure of a fit for a paper.

    It is as wide as one column of a journal, 85 mm, or two. Without a name, those of this fit are listed, of
    overview, trajectories, patients, groups, swimmer, event_curve, cumulative_incidence, estimates, forest,
    waterfall, each_patient, responses_by_visit, responses, tipping_curve, prior_and_posterior, priors, evidence,
    predictive, time_course, shares, pit, residuals and calibration. Exit 1 if a check failed: figures of what it
    forbids to say are marked.
    """
    from bayesmyo.assess.check import failed
    from bayesmyo.figures.catalogue import draw, entry_of, keys_of
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.drawn import DPI, drawn, form_of
    from bayesmyo.report.tables import slug

    ending = form_of(output) if output else ".svg"
    if dpi is not None and ending != ".png":
        raise UsageError("--dpi", "is of a PNG", f"{output or 'SVG'}", "name a file such as figure.png with -o")
    if output:
        not_an_input(output, path)
        writable(output, force)
    fit = load_fit(path)
    if name is None:
        _list_figures(fit, json)
        return
    entry = entry_of(name)
    keys = keys_of(fit, entry, of, by)
    if output and len(keys) > 1:
        mend = f"choose by --of or --by one of {'; '.join(' '.join(key) for key in keys)}"
        raise UsageError("-o", f"is one file, and {entry.name} makes {len(keys)} figures", str(output), mend)
    made = {
        output or Path(f"{slug(d.name)}.svg"): d.drawing for d in (draw(fit, entry, k, patient_level) for k in keys)
    }
    for file in made:
        writable(file, force)
    for file, drawing in made.items():
        write_bytes(file, drawn(drawing, ending, dpi or DPI))
    if json:
        typer.echo(documents.document(passed=not failed(fit), files=[str(file) for file in made]))
    else:
        terminal.say(f"Wrote {', '.join(str(file) for file in made)}.")
    if entry.answers:
        trusted([f"({r.name}): {r.sentence}" for r in failed(fit)], "Figures of what these checks forbid say so above.")


def _list_figures(fit: Any, json: bool) -> None:
    """Every figure that can be drawn of a fit, and of what."""
    from bayesmyo.figures.catalogue import CATALOGUE
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.blocks import Paragraph, Table

    known = {name: list(entry.keys(fit)) for name, entry in CATALOGUE.items()}
    if json:
        rows = [
            {"name": n, "shows": CATALOGUE[n].shows, "patients": CATALOGUE[n].single, "of": keys}
            for n, keys in known.items()
            if keys
        ]
        typer.echo(documents.document(figures=rows))
        return
    cells = tuple(
        (n + ("*" if CATALOGUE[n].single == "only" else ""), CATALOGUE[n].shows, ", ".join(" ".join(k) for k in keys))
        for n, keys in known.items()
        if keys
    )
    terminal.show(Table("figures", "", ("figure", "shows", "of"), cells, below=("of",)))
    terminal.show(Paragraph("* of single patients, by pseudonym: with --patient-level"))


def paper(
    study: STUDY,
    data: DATA,
    patients: PATIENTS = None,
    fit: Annotated[
        Path | None, typer.Option("--fit", help="Also its methods: a file of `bayesmyo fit`.", show_default=False)
    ] = None,
    power: Annotated[
        Path | None,
        typer.Option("--power", help="Also the sample size: a folder of `bayesmyo power`.", show_default=False),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="A column for each level of this covariate.", metavar="NAME", show_default=False)
    ] = "",
    smallest: Annotated[int, typer.Option("--smallest-cell", help="Show no count of patients below it.", min=1)] = 1,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A folder, for CSV, LaTeX, and HTML for Word.", show_default=False),
    ] = None,
    force: FORCE = False,
    json: JSON = False,
) -> None:
    """Write Table 1, flow of patients, methods.

    For a paper. Every declared covariate and every outcome at baseline are described, by group where one is named. Exit 1 if a check
    of the fit failed: the paragraph says so.
    """
    from bayesmyo.assess.check import failed
    from bayesmyo.cohort import read_cohort
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.blocks import SPACE, Heading
    from bayesmyo.report.paper.manuscript import manuscript
    from bayesmyo.study import find_study

    asked = find_study(study)
    of = load_fit(fit) if fit else None
    made = manuscript(asked, read_cohort(asked, data, patients), fit=of, power=power, by=by, smallest=smallest)
    files = made.files() if output else {}
    if output:
        into = folder(output)
        for name in files:
            writable(into / name, force)
        for name, content in files.items():
            write_bytes(into / name, content.encode())
    if json:
        typer.echo(documents.document(title=made.title, files=list(files), parts=documents.paper_part(made.parts)))
    else:
        for name, blocks in made.parts.items():
            terminal.show(Heading(name.replace("_", " ").capitalize()), *blocks, SPACE)
        if output:
            terminal.say(f"Wrote {', '.join(files)} into {output}.")
    trusted([f"({r.name}): {r.sentence}" for r in (failed(of) if of else [])])
