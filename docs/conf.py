"""How the documentation is built: uv run --group docs sphinx-build -W -n -b html docs docs/_build/html. No network is used."""

import logging
import re
import sys
from pathlib import Path
from shutil import copyfile

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "bayesmyo"
author = "The bayesmyo authors"
version = release = re.findall(r'"(.+)"', (HERE.parent / "bayesmyo" / "_version.py").read_text())[0]
extensions = ["myst_nb", "sphinx.ext.autodoc", "mathml", "reference"]

source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the notebooks keep their outputs, and a test runs them

for talkative in ("arviz", "pytensor"):
    logging.getLogger(talkative).setLevel(logging.WARNING)

# the notebooks lie beside this folder, and Sphinx reads nothing that lies outside
(HERE / "notebooks").mkdir(exist_ok=True)
for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
    copyfile(notebook, HERE / "notebooks" / notebook.name)

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    # what other packages document, whose inventories would have to be fetched
    ("py:.*", r"(numpy|np|pandas|pd|xarray|xr|pathlib|collections|typing|matplotlib|abc)\..*"),
    ("py:class", r"(Path|Figure|DataTree|Security|Callable|Mapping|Sequence|optional|Any)"),
    # parts of the house that are met as arguments and results; the reference documents the face
    ("py:.*", r"bayesmyo\.(assess|cohort|components|figures|inference|model|report|simulation|study)\..*"),
    ("py:obj", r"bayesmyo\..*"),
]

html_theme = "furo"
html_title = f"bayesmyo {version}"
html_show_sourcelink = False
html_copy_source = False
