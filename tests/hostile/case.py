"""One hostile file, with what is read beside it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.conftest import SMALL

MOST_BYTES = 1_000_000  # of a file that is answered within the limits of time and memory, whatever is in it
HEAD = "patient,month,strength,cpk"
COVARIATE = '[covariates.arm]\nlevels = ["ivig", "placebo"]\n[covariates.age]\ntypical = 50\nscale = 10\n'


@dataclass(frozen=True)
class Case:
    """A file made to do harm.

    name: says what it is; file: its name, whose suffix says what it claims to be; make: its bytes
    study: the text of the study that it is read with, where it is a table; `patients`: whether it is the second table
    """

    name: str
    file: str
    make: Callable[[], bytes]
    study: str = SMALL
    patients: bool = False

    @property
    def kind(self) -> str:
        return {"csv": "table", "xlsx": "workbook", "parquet": "Parquet", "toml": "study"}[self.file.split(".")[-1]]


def declaring(data: str = "", time: str = "", strength: str = "", cpk: str = "", rest: str = "") -> str:
    """The small study with more keys in [data], study.time and its outcomes, and more tables; nothing but what
    tables are read with.
    """
    text = SMALL[: SMALL.index("[scenarios")]
    text = text.replace("typical = 24 }", f"typical = 24, {time} }}" if time else "typical = 24 }", 1)
    text = text.replace('label = "Strength"', f'label = "Strength"\n{strength}')
    text = text.replace('label = "CPK"', f'label = "CPK"\n{cpk}')
    return (f"[data]\n{data}\n" if data else "") + text + rest
