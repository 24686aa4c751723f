"""The studies that ship with bayesmyo: `models/` in a checkout, `bayesmyo/study/bundled/` in a wheel."""

from pathlib import Path

from bayesmyo.errors import Fault, StudyError, did_you_mean
from bayesmyo.study.read import read_study
from bayesmyo.study.study import Study

INSTALLED = Path(__file__).parent / "bundled"
CHECKOUT = Path(__file__).parents[2] / "models"


def studies() -> dict[str, Path]:
    """The bundled studies by name.

    Returns
    -------
    dict
        Name -> path of its TOML file.

    Examples
    --------
    >>> list(bayesmyo.studies())
    ['ivig', 'ivig-joint', 'ivig-paper', 'ivig-separate', 'safety', 'safety-events']
    """
    folder = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=lambda p: p.stem)}


def find_study(name: str | Path) -> Study:
    """The study of a bundled name or of a path.

    Parameters
    ----------
    name
        Anything with a `/` or ending in `.toml` is a path; any other word is a bundled name, unless a file of that name
        is here.

    Raises
    ------
    StudyError
        Where there is neither, or with every fault of the file.

    Examples
    --------
    >>> bayesmyo.find_study("ivig").title
    'IVIG in dermatomyositis and polymyositis'
    """
    bundled = studies()
    text = str(name)
    if text in bundled:
        return read_study(bundled[text])
    if "/" in text or "\\" in text or text.endswith(".toml") or Path(text).is_file():
        return read_study(text)
    mend = did_you_mean(text, list(bundled))
    raise StudyError(text, [Fault("study", "is neither a bundled study nor a file", mend=mend)])
