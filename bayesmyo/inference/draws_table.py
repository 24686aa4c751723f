"""Draws as a table that R's package posterior reads: `posterior::as_draws_df(arrow::read_parquet("draws.parquet"))`."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmyo.errors import UsageError
from bayesmyo.files import writable, write_bytes
from bayesmyo.inference.fit import Fit, known_fit

FORMS = (".parquet", ".csv")


def draws_table(fit: Fit) -> pd.DataFrame:
    """Every draw a row: `.chain`, `.iteration` and `.draw`, counted from one, then parameters, patients' effects as
    `cpk.effect_start[3]` by their place in the cohort, and estimands.

    Parameters on the scale of the model, estimands in their own unit. R's package posterior takes it as it is.

    Parameters
    ----------
    fit : Fit
        A shared copy has no patients' effects.

    Returns
    -------
    pandas.DataFrame
        Chains one after another.

    References
    ----------
    Buerkner, Gabry, Kay and Vehtari, posterior, https://mc-stan.org/posterior.

    Examples
    --------
    >>> bayesmyo.draws_table(fit).columns[:3].tolist()
    ['.chain', '.iteration', '.draw']
    """
    known_fit(fit)
    posterior = fit.group("posterior")
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    columns: dict[str, np.ndarray] = {
        ".chain": np.repeat(np.arange(1, chains + 1), draws),
        ".iteration": np.tile(np.arange(1, draws + 1), chains),
        ".draw": np.arange(1, chains * draws + 1),
    }
    for name, array in posterior.data_vars.items():
        values = array.values.reshape(chains * draws, -1)
        if array.ndim == 2:
            columns[str(name)] = values[:, 0]
        else:
            columns |= {f"{name}[{i + 1}]": values[:, i] for i in range(values.shape[1])}
    columns |= {f"estimand.{name}": np.asarray(v).reshape(-1) for name, v in fit.estimands.items()}
    return pd.DataFrame(columns)


def write_draws(fit: Fit, path: str | Path, *, force: bool = False) -> Path:
    """Write the table of `draws_table` as Parquet or CSV.

    Parameters
    ----------
    fit : Fit
        Whose draws.
    path : str or Path
        A file that ends in .parquet or .csv.
    force : bool
        Replace a file that exists.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        For a file of another kind.
    StorageError
        Where it cannot be written.

    Examples
    --------
    >>> bayesmyo.write_draws(fit, "draws.parquet").name
    'draws.parquet'
    """
    named = draws_path(path, force)
    table = draws_table(fit)
    if named.suffix.lower() == ".csv":
        content = table.to_csv(index=False).encode()
    else:
        out = io.BytesIO()
        table.to_parquet(out, index=False)
        content = out.getvalue()
    write_bytes(named, content)
    return named


def draws_path(path: str | Path, force: bool = False) -> Path:
    """Where draws go. Raises UsageError for a file of another kind, StorageError where it cannot be written."""
    named = Path(path)
    if named.suffix.lower() not in FORMS:
        raise UsageError(str(named), "is neither .parquet nor .csv", mend="name a file such as draws.parquet")
    writable(named, force)
    return named


__all__ = ["draws_path", "draws_table", "write_draws"]
