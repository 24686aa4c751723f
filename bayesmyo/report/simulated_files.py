"""What a simulation study writes beside its results: tables for programs (Parquet) and people (CSV), and figures."""

import io
from pathlib import Path

import pandas as pd

from bayesmyo.figures.drift_curves import drift_curves
from bayesmyo.figures.power_curves import power_curves
from bayesmyo.figures.rank_differences import rank_differences
from bayesmyo.figures.style import Drawing
from bayesmyo.files import write_bytes
from bayesmyo.report.html import html
from bayesmyo.report.protocol import power_page
from bayesmyo.simulation.calibration.verdict import Calibration
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.drift import DRIFT
from bayesmyo.simulation.store import Results
from bayesmyo.study.statements import Statements

FORMATS = ("svg", "pdf")


def write_power(
    results: Results,
    answer: PowerAnswer,
    folder: Path,
    target: float,
    futility: float | None = None,
    stated: Statements | None = None,
) -> list[str]:
    """Power by cell, look and decision, estimands, what claims would be worth, power curves, and a page of it all.

    Parameters
    ----------
    results : Results
        The folder of the simulation study.
    answer : PowerAnswer
        What it says, with that target and futility.
    folder : Path
        Where files are written.
    target : float
        The power of the smallest number of patients, between 0 and 1.
    futility : float, optional
        A probability below which a study stops at a look.
    stated : Statements, optional
        What only the author knows.

    Returns
    -------
    list of str
        The names of the files.

    Raises
    ------
    StorageError
        Where a file cannot be written.
    """
    tables = {"power": answer.table(), "estimands": answer.estimand_table(), "claims": answer.claim_table()}
    files = [file for name, table in tables.items() for file in _table(table, folder, name)]
    if any(d.rate.value is not None for d in answer.decisions):
        over_drift = any(DRIFT in d.labels for d in answer.decisions)
        drawn = drift_curves(answer.decisions) if over_drift else power_curves(answer.decisions, target)
        files += _figure(drawn, folder, "power")
    write_bytes(folder / "power.html", html(power_page(results, answer, target, futility, stated)).encode())
    return [*files, "power.html"]


def write_calibration(judged: Calibration, folder: Path) -> list[str]:
    """Every quantity of every cell, and where truths lie among draws: as `write_power`."""
    rows = judged.table()
    files = _table(rows, folder, "calibration")
    if rows.empty:
        return files
    return files + _figure(rank_differences(judged.cells, judged.quantities), folder, "calibration")


def _table(frame: pd.DataFrame, folder: Path, name: str) -> list[str]:
    parquet = io.BytesIO()
    frame.to_parquet(parquet, index=False)
    write_bytes(folder / f"{name}.parquet", parquet.getvalue())
    write_bytes(folder / f"{name}.csv", frame.to_csv(index=False).encode())
    return [f"{name}.parquet", f"{name}.csv"]


def _figure(drawn: Drawing, folder: Path, name: str) -> list[str]:
    for kind in FORMATS:
        out = io.BytesIO()
        drawn.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"CreationDate": None})
        write_bytes(folder / f"{name}.{kind}", out.getvalue())
    return [f"{name}.{kind}" for kind in FORMATS]
