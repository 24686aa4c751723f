"""A fit, or a power study, as files that a reader may keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult
from bayesmyo.errors import UsageError
from bayesmyo.figures.catalogue import every
from bayesmyo.files import folder, writable, write_bytes
from bayesmyo.inference.fit import Fit
from bayesmyo.report.drawn import VECTORS, drawn
from bayesmyo.report.html import html
from bayesmyo.report.markdown import markdown
from bayesmyo.report.page import page
from bayesmyo.report.protocol import power_page
from bayesmyo.report.results import results, statements
from bayesmyo.report.simulations import asks, read_calibration, read_power
from bayesmyo.report.tables import csv_files, slug
from bayesmyo.simulation.options import TARGET, Solve
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.store import read_results
from bayesmyo.simulation.values import share
from bayesmyo.simulation.values import weights as known_weights
from bayesmyo.study.study import Study

FORMS = {".html": html, ".htm": html, ".md": markdown}


@dataclass(frozen=True)
class Report:
    """What was written.

    Parameters
    ----------
    files : tuple of Path
        The page first, then its tables, then its figures.
    failed : tuple of CheckResult
        The checks for which claims are withheld in it.

    """

    files: tuple[Path, ...]
    failed: tuple[CheckResult, ...]


def write_report(
    fit: Fit,
    path: str | Path,
    *,
    study: Study | None = None,
    power: str | Path | None = None,
    calibration: str | Path | None = None,
    tables: str | Path | None = None,
    figures: str | Path | None = None,
    beside: Sequence[Fit] = (),
    patient_level: bool = False,
    refit: bool = False,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Write a fit as one page for a reader, which needs neither network nor script.

    Claims are withheld where a check failed; the page says why.

    Parameters
    ----------
    fit : Fit
        What is told.
    path : str or Path
        A file that ends in .html or .md.
    study : Study, optional
        Take the table [report] from it, which must ask what the fit asked.
    power, calibration : str or Path, optional
        Folders of those commands for the same study.
    tables : str or Path, optional
        A folder, into which every table is written as CSV too.
    figures : str or Path, optional
        A folder, into which every figure of the catalogue is written too, as SVG and as PDF, in the width of a journal's
        column or two; those of single patients with `patient_level` alone.
    beside : sequence of Fit
        Fits of the same measurements by other models, whose answers stand beside those of this one.
    patient_level : bool
        Show single patients, by pseudonym.
    refit : bool
        Also sample again, without each patient and under other priors (minutes).
    force : bool
        Replace files that exist.
    progress : callable, optional
        Called with (done, of) while patients are left out.

    Returns
    -------
    Report
        The files, and in `failed` the checks that withhold claims: none of them, and the page may be passed on as it
        is.

    Raises
    ------
    UsageError
        Before anything is computed.
    StorageError
        Where a file cannot be written.

    Examples
    --------
    >>> bayesmyo.write_report(fit, "report.html").failed  # doctest: +SKIP
    ()

    """
    page_path = _page_path(path, force)
    stated = statements(fit, study) if study else None
    planned = read_power(Path(power), fit) if power else None
    calibrated = read_calibration(Path(calibration), fit) if calibration else None
    for beside_it in (tables, figures):
        if beside_it:
            folder(Path(beside_it))
    told = results(
        fit,
        stated=stated,
        refit=refit,
        patient_level=patient_level,
        power=planned,
        calibration=calibrated,
        others=beside,
        progress=progress,
    )
    made = page(told)
    files = {page_path: FORMS[page_path.suffix.lower()](made).encode()}
    if tables:
        files |= {Path(tables) / name: text.encode() for name, text in csv_files(made).items()}
    if figures:
        of_checks = [c for c in told.failed if c not in check(fit)]
        for d in every(fit, patient_level, of_checks):
            files |= {Path(figures) / f"{slug(d.name)}{ending}": drawn(d.drawing, ending) for ending in VECTORS}
    for name in files:
        writable(name, force)
    for name, content in files.items():
        write_bytes(name, content)
    return Report(tuple(files), told.failed)


def write_power_report(
    folder: str | Path,
    path: str | Path,
    *,
    study: Study | None = None,
    target: float = TARGET,
    futility: float | None = None,
    alpha: float | None = None,
    weights: Mapping[str, float] | None = None,
    force: bool = False,
) -> Path:
    """Write a power study as one page for a protocol. `bayesmyo power` writes it as `power.html` by itself.

    Question, design, what is taken to be true, the analysis with its priors, how often each decision is met with its
    Monte Carlo error, what it takes to do it again.

    Parameters
    ----------
    folder : str or Path
        Of `bayesmyo.power`, finished or not.
    path : str or Path
        A file that ends in .html or .md.
    study : Study, optional
        Take the table [report] from it.
    target : float
        The power of the smallest number of patients, as of `bayesmyo.power`.
    futility : float, optional
        Stop at a look where the probability is below this, as of `bayesmyo.power`.
    alpha : float, optional
        Solve for the threshold of every decision with at most this type I error.
    weights : mapping of str to float, optional
        How likely each scenario is held to be, as of `bayesmyo.power`.
    force : bool
        Replace a file that exists.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UsageError
        For a folder of anything else.
    StorageError
        Where the folder cannot be read, or the page not be written.

    Examples
    --------
    >>> bayesmyo.write_power_report("power", "power.html").name  # doctest: +SKIP
    'power.html'

    """
    page_path = _page_path(path, force)
    share("--target", target)
    share("--futility", futility)
    share("--alpha", alpha)
    known_weights("--weights", weights)
    simulated = read_results(folder)
    if simulated.plan.kind != "power":
        raise UsageError(str(folder), "was written by `bayesmyo calibrate`", mend="name a folder of `bayesmyo power`")
    if study is not None and asks(study) not in {asks(c.analysis) for c in simulated.plan.cells}:
        mend = "only [report], [design] and scenarios may differ"
        raise UsageError("study", "is not the one that was planned", f'"{study.title}"', mend)
    solve = None if alpha is None else Solve("threshold", alpha)
    answer = power_answer(simulated, target, futility, weights, solve)
    made = power_page(simulated, answer, target, futility, study.report if study else None)
    write_bytes(page_path, FORMS[page_path.suffix.lower()](made).encode())
    return page_path


def _page_path(path: str | Path, force: bool) -> Path:
    page_path = Path(path)
    if page_path.suffix.lower() not in FORMS:
        raise UsageError(str(page_path), "is neither .html nor .md", mend="name a file such as report.html")
    writable(page_path, force)
    return page_path
