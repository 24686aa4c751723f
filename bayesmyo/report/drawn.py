"""Figures as files for a paper: vectors with text as outlines or fonts that travel along, the same bytes each time."""

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

from bayesmyo.errors import UsageError
from bayesmyo.figures.style import Drawing, any_letters

FORMS = {".svg": "svg", ".pdf": "pdf", ".png": "png"}
VECTORS = (".svg", ".pdf")
DPI = 300  # of a PNG: what most journals ask of a picture with letters
NO_DATE: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
SETTINGS: dict[Any, Any] = {"svg.hashsalt": "bayesmyo", "svg.fonttype": "path", "pdf.fonttype": 42}


def form_of(path: str | Path) -> str:
    """The ending of a file for a figure. Raises UsageError for one that is none of a figure."""
    ending = Path(path).suffix.lower()
    if ending not in FORMS:
        raise UsageError(str(path), "is none of .svg, .pdf and .png", mend="name a file such as figure.svg")
    return ending


def drawn(drawing: Drawing, ending: str, dpi: int = DPI) -> bytes:
    """A figure as the content of a file, in the size in which it was drawn: one column of a journal, or two.

    Parameters
    ----------
    ending : str
        Of the file: .svg and .pdf are vectors, and dpi is of .png alone.
    """
    form = FORMS[ending]
    out = BytesIO()
    with matplotlib.rc_context(SETTINGS), any_letters():
        drawing.savefig(out, format=form, dpi=dpi, metadata=NO_DATE[form])
    return out.getvalue()
