"""Run notebooks from top to bottom and keep what they print and draw, figures in few colours so that the files stay small.

uv run python scripts/notebooks.py notebooks/predictive_checks.ipynb ...
"""

import argparse
import base64
import io
from pathlib import Path

import nbclient
import nbformat
from PIL import Image

COLOURS = 48


def smaller(png: str) -> str:
    """A figure with a palette in place of full colour: a fourth of the size, and no visible difference."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    kept = io.BytesIO()
    image.save(kept, format="PNG", optimize=True)
    return base64.b64encode(kept.getvalue()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    for path in parser.parse_args().notebooks:
        notebook = nbformat.read(path, as_version=4)
        where = {"metadata": {"path": str(path.parent)}}
        nbclient.NotebookClient(notebook, timeout=1200, kernel_name="python3", resources=where).execute()
        for cell in notebook.cells:
            cell.metadata = {k: v for k, v in cell.metadata.items() if k != "execution"}
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    output["data"]["image/png"] = smaller(output["data"]["image/png"])
        nbformat.write(notebook, path)
        print(path, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
