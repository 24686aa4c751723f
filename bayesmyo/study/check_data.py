"""What a study may get wrong about the table: its format, its columns, its dates."""

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.dates import compiled
from bayesmyo.study.study import MONTHS_PER, DataFormat, Outcome, Time

MOST_SKIPPED = 1000
SPACES = (" ", "\u00a0", "\u202f", "\u2009")  # a plain one, one that does not break, narrow ones
ENCODINGS = r"ascii|utf-8(-sig)?|utf-(16|32)(-[bl]e)?|iso8859-\d+|cp\d+|mac-\w+|koi8-\w|tis-620|big5(hkscs)?|gb2312|gbk|gb18030|hz|euc_\w+|shift_jis\w*|iso2022_\w+|johab|ptcp154|kz1048|hp-roman8"
BETWEEN_THOUSANDS = (",", ".", "'", "\u2019", *SPACES)


def encoding_of(name: str) -> str | None:
    """How Python calls an encoding of texts that tables are written in; None where it is none (`punycode` and `rot13` are none)."""
    try:
        plain = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return plain if re.fullmatch(ENCODINGS, plain) else None


def data_format(data: DataFormat | None, outcomes: Sequence[str]) -> list[Fault]:
    """Faults of the table [data]; outcomes: the names that may be required at baseline."""
    found: list[Fault] = []
    if data is None:
        return found
    if len(data.delimiter) != 1 or data.delimiter in '"\r\n':
        mend = r'such as ",", ";" or "\t"'
        found.append(Fault("data.delimiter", "must be one character", repr(data.delimiter), mend))
    if data.delimiter == data.decimal:
        mend = f'leave data.delimiter out: it is then "{";" if data.decimal == "," else ","}"'
        found.append(Fault("data.decimal", "is also the delimiter", repr(data.decimal), mend))
    if data.thousands is not None and data.thousands not in BETWEEN_THOUSANDS:
        mend = '",", ".", "\'", "’" or a space'
        found.append(
            Fault("data.thousands", "must be one sign that can stand between thousands", repr(data.thousands), mend)
        )
    elif data.thousands == data.decimal:
        found.append(Fault("data.thousands", "is also the decimal sign", repr(data.thousands)))
    if not 0 <= data.skip_lines <= MOST_SKIPPED:
        what = f"must lie between 0 and {MOST_SKIPPED}"
        found.append(Fault("data.skip_lines", what, str(data.skip_lines)))
    if data.patients_sheet is not None and data.patients_sheet == data.sheet:
        found.append(Fault("data.patients_sheet", "is also the sheet of visits", f'"{data.sheet}"'))
    if data.require_baseline is not None:
        for name in data.require_baseline.outcomes or ():
            if name not in outcomes:
                mend = did_you_mean(name, outcomes)
                found.append(Fault("data.require_baseline.outcomes", "is no outcome", f'"{name}"', mend))
    if encoding_of(data.encoding) is None:
        found.append(Fault("data.encoding", "is not an encoding", repr(data.encoding), 'such as "utf-8" or "latin-1"'))
    return found


def time(time: Time | None) -> list[Fault]:
    """Faults of study.time."""
    found: list[Fault] = []
    if time is None:
        return found
    singular = time.unit.removesuffix("s")
    if time.unit not in MONTHS_PER and singular in MONTHS_PER:
        found.append(Fault("study.time.unit", "is written in the singular", f'"{time.unit}"', f'"{singular}"'))
    if time.typical is not None and time.typical <= 0:
        found.append(Fault("study.time.typical", "must be positive", f"{time.typical:g}"))
    if time.date is not None:
        if compiled(time.date) is None:
            mend = 'name year, month and day once each: "YYYY-MM-DD", "DD/MM/YYYY", "DD-MON-YYYY", "DD.MM.YY"'
            found.append(Fault("study.time.date", "is not a pattern of dates", f'"{time.date}"', mend))
        if time.unit not in MONTHS_PER and singular not in MONTHS_PER:
            what = "dates cannot be turned into this unit"
            found.append(Fault("study.time.unit", what, f'"{time.unit}"', did_you_mean(time.unit, list(MONTHS_PER))))
    return found


def columns(values: Mapping[str, Any]) -> list[Fault]:
    """No column may serve twice, and none that identifies people may serve at all."""
    when = values.get("time")
    alone = [("study.patient", values.get("patient"))]
    if when is not None:
        alone += [(f"study.time.{key}", getattr(when, key)) for key in ("column", "since", "exit")]
    alone += [(f"outcomes.{name}.column", o.column) for name, o in values["outcomes"].items()]
    alone += [(f"covariates.{n}.column", c.column or n) for n, c in values["covariates"].items() if not c.product]
    shared = [(f"outcomes.{name}.exposure", o.exposure) for name, o in values["outcomes"].items()]
    shared += [(f"outcomes.{name}.error", o.error) for name, o in values["outcomes"].items()]
    shared += [
        (f"outcomes.{name}.recorded.column", o.recorded.column)
        for name, o in values["outcomes"].items()
        if o.recorded is not None
    ]
    owners: dict[str, str] = {}
    found = []
    identifying = values["data"].identifying if values["data"] is not None else ()
    for where, column in (*alone, *shared):
        if column is None:
            continue
        if column in owners:
            found.append(Fault(where, f"is the same column as {owners[column]}", f'"{column}"'))
        elif column in identifying and where != "study.patient":
            mend = "a column in data.identifying is not read"
            found.append(Fault(where, "is a column that identifies people", f'"{column}"', mend))
        if (where, column) in alone:
            owners.setdefault(column, where)
    return found


def recorded(where: str, o: Outcome) -> list[Fault]:
    """Faults of an outcome's other units."""
    found: list[Fault] = []
    if o.recorded is None:
        return found
    where = f"{where}.recorded"
    if o.family.texts() is not None or o.map is not None:
        found.append(Fault(where, "has no meaning where cells are texts", mend="leave it out"))
    factors = o.recorded.factors
    for unit, factor in factors.items():
        if not factor > 0:
            found.append(Fault(f"{where}.factors.{unit}", "must be positive", f"{factor:g}"))
    if not factors or (o.recorded.column is None and len(factors) > 1):
        mend = f'such as factors = {{ "microkat/L" = 60 }} for {o.unit}; several need a column that names the unit of each row'
        found.append(Fault(f"{where}.factors", "must name one unit", ", ".join(factors), mend))
    if factors.get(o.unit, 1) != 1:
        found.append(
            Fault(f"{where}.factors.{o.unit}", "is the outcome's own unit, whose factor is 1", f"{factors[o.unit]:g}")
        )
    return found
