"""What a study may get wrong about the table: its format, its columns, its dates."""

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bayesmyo.errors import Fault
from bayesmyo.study.dates import compiled
from bayesmyo.study.faults import Faults, positive, unknown
from bayesmyo.study.study import MONTHS_PER, DataFormat, Outcome, Time

MOST_SKIPPED = 1000
SPACES = (" ", "\u00a0", "\u202f", "\u2009")  # a plain one, one that does not break, narrow ones
ENCODINGS = r"ascii|utf-8(-sig)?|utf-(16|32)(-[bl]e)?|iso8859-\d+|cp\d+|mac-\w+|koi8-\w|tis-620|big5(hkscs)?|gb2312|gbk|gb18030|hz|euc_\w+|shift_jis\w*|iso2022_\w+|johab|ptcp154|kz1048|hp-roman8"
BETWEEN_THOUSANDS = (",", ".", "'", "\u2019", *SPACES)


def encoding_of(name: str) -> str | None:
    """How Python calls an encoding of texts that tables are written in; None where it is none (`punycode` and `rot13`
    are none)."""
    try:
        plain = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return plain if re.fullmatch(ENCODINGS, plain) else None


def data_format(data: DataFormat | None, outcomes: Sequence[str]) -> Faults:
    """Faults of the table [data]; outcomes: the names that may be required at baseline."""
    if data is None:
        return
    if len(data.delimiter) != 1 or data.delimiter in '"\r\n':
        yield Fault("data.delimiter", "must be one character", repr(data.delimiter), r'such as ",", ";" or "\t"')
    if data.delimiter == data.decimal:
        mend = f'leave data.delimiter out: it is then "{";" if data.decimal == "," else ","}"'
        yield Fault("data.decimal", "is also the delimiter", repr(data.decimal), mend)
    if data.thousands is not None and data.thousands not in BETWEEN_THOUSANDS:
        what, mend = "must be one sign that can stand between thousands", '",", ".", "\'", "’" or a space'
        yield Fault("data.thousands", what, repr(data.thousands), mend)
    elif data.thousands == data.decimal:
        yield Fault("data.thousands", "is also the decimal sign", repr(data.thousands))
    if not 0 <= data.skip_lines <= MOST_SKIPPED:
        yield Fault("data.skip_lines", f"must lie between 0 and {MOST_SKIPPED}", str(data.skip_lines))
    if data.patients_sheet is not None and data.patients_sheet == data.sheet:
        yield Fault("data.patients_sheet", "is also the sheet of visits", f'"{data.sheet}"')
    for name in (data.require_baseline and data.require_baseline.outcomes) or ():
        yield from unknown("data.require_baseline.outcomes", name, outcomes, "is no outcome")
    if encoding_of(data.encoding) is None:
        yield Fault("data.encoding", "is not an encoding", repr(data.encoding), 'such as "utf-8" or "latin-1"')


def time(time: Time | None) -> Faults:
    """Faults of study.time."""
    if time is None:
        return
    singular = time.unit.removesuffix("s")
    if time.unit not in MONTHS_PER and singular in MONTHS_PER:
        yield Fault("study.time.unit", "is written in the singular", f'"{time.unit}"', f'"{singular}"')
    yield from positive("study.time", typical=time.typical)
    if time.date is None:
        return
    if compiled(time.date) is None:
        mend = 'name year, month and day once each: "YYYY-MM-DD", "DD/MM/YYYY", "DD-MON-YYYY", "DD.MM.YY"'
        yield Fault("study.time.date", "is not a pattern of dates", f'"{time.date}"', mend)
    if singular not in MONTHS_PER:
        yield from unknown("study.time.unit", time.unit, MONTHS_PER, "dates cannot be turned into this unit")


def columns(values: Mapping[str, Any]) -> Faults:
    """No column may serve twice, and none that identifies people may serve at all."""
    when, outcomes = values.get("time"), values["outcomes"].items()
    alone = [("study.patient", values.get("patient"))]
    if when is not None:
        alone += [(f"study.time.{key}", getattr(when, key)) for key in ("column", "since", "exit", "reason")]
    alone += [(f"outcomes.{name}.column", o.column) for name, o in outcomes]
    alone += [(f"events.{n}.{key}", getattr(e, key)) for n, e in values["events"].items() for key in ("at", "column")]
    alone += [(f"covariates.{n}.column", c.column or n) for n, c in values["covariates"].items() if not c.product]
    shared = [(f"outcomes.{name}.{key}", getattr(o, key)) for key in ("exposure", "error") for name, o in outcomes]
    shared += [(f"outcomes.{name}.recorded.column", o.recorded.column) for name, o in outcomes if o.recorded]
    owners: dict[str, str] = {}
    identifying = values["data"].identifying if values["data"] is not None else ()
    for where, column in (*alone, *shared):
        if column is None:
            continue
        if column in owners:
            yield Fault(where, f"is the same column as {owners[column]}", f'"{column}"')
        elif column in identifying and where != "study.patient":
            mend = "a column in data.identifying is not read"
            yield Fault(where, "is a column that identifies people", f'"{column}"', mend)
        if (where, column) in alone:
            owners.setdefault(column, where)


def recorded(where: str, o: Outcome) -> Faults:
    """Faults of an outcome's other units."""
    if o.recorded is None:
        return
    where, factors = f"{where}.recorded", o.recorded.factors
    if o.family.texts() is not None or o.map is not None:
        yield Fault(where, "has no meaning where cells are texts", mend="leave it out")
    yield from positive(f"{where}.factors", **factors)
    if not factors or (o.recorded.column is None and len(factors) > 1):
        example = f'such as factors = {{ "microkat/L" = 60 }} for {o.unit}'
        mend = f"{example}; several need a column that names the unit of each row"
        yield Fault(f"{where}.factors", "must name one unit", ", ".join(factors), mend)
    if factors.get(o.unit, 1) != 1:
        what = "is the outcome's own unit, whose factor is 1"
        yield Fault(f"{where}.factors.{o.unit}", what, f"{factors[o.unit]:g}")
