"""Delimited text: long cells that make patterns slow, and many of whatever is looked at one against the other."""

import random
from collections.abc import Iterator
from functools import partial

from tests.hostile.case import COVARIATE, HEAD, Case, declaring

LONG = 99_000  # characters, fewer than a cell may have
ROOM = 980_000  # bytes
ALPHABETS = (
    "A",
    "1",
    "@",
    "a@",
    "a@b",
    ".",
    "1.",
    "1,",
    "1,234,",
    "0O",
    "O",
    "l1",
    " ",
    "\t",
    "1 ",
    "a ",
    "ab, ",
    "ab-",
    "-",
    "1-",
    "1/",
    "<",
    "..",
    "1..",
    "(",
    "[",
    "'",
    "=",
    "é",
    "\u0301\u0327",
    "\ufdfa",
    "Р",
    "\u200b",
    "٣",
    "_",
    "µ",
    "%",
    "+1",
)
ENDS = ("", "x", "@", "!", "1", " ", "1@a.", "O!")
WITH_ALL = declaring(
    data='thousands = "\'"\nidentifying = ["secret"]', time='since = "began"', cpk='censoring = "as typed"',
    strength='covariates = ["arm", "age"]', rest=COVARIATE
)  # fmt: skip
DATED = declaring(time='date = "DD/MM/YYYY", since = "began"')


def long_cell(text: str, header: str, row: str) -> bytes:
    """A table whose second of three rows has the text in the place of {}."""
    return "\n".join([header, row.replace("{}", "1"), row.replace("{}", text), row.replace("{}", "2"), ""]).encode()


def many(header: str, row: str, most: int = 400_000) -> bytes:
    """As many rows as there is room for; `#` in a row is its number."""
    lines, size = [header], len(header)
    for n in range(most):
        line = row.replace("#", str(n))
        size += len(line.encode()) + 1
        if size > ROOM:
            break
        lines.append(line)
    return "\n".join([*lines, ""]).encode()


def wide(columns: int, name: str = "c#", rows: int = 1) -> bytes:
    header = ",".join([HEAD, *(name.replace("#", str(n)) for n in range(columns))])
    return "\n".join([header, *([f"A,0,50,900{',' * columns}"] * rows), ""]).encode()[:MOST_OF_WIDE]


MOST_OF_WIDE = ROOM


def cases(rng: random.Random) -> Iterator[Case]:
    yield Case(
        "an unused column whose cell is one long word",
        "r99000.csv",
        partial(long_cell, "A" * LONG, f"{HEAD},remark", "A,0,50,900,{}"),
        declaring(),
    )
    yield Case(
        "a number of 99,000 digits", "d99000.csv", partial(long_cell, "1" * LONG, HEAD, "A,{},50,{}"), declaring()
    )
    places = {
        "an id": (f"{HEAD}", "{},0,50,900"), "a time": (HEAD, "A,{},50,900"), "a measurement": (HEAD, "A,0,50,{}"),
        "a remark": (f"{HEAD},x", "A,0,50,900,{}"),
        "a level": (f"{HEAD},began,arm,age", "A,0,50,900,0,{},50"),
        "a covariate": (f"{HEAD},began,arm,age", "A,0,50,900,0,ivig,{}"),
        "a start": (f"{HEAD},began,arm,age", "A,0,50,900,{},ivig,50"),
        "a column's name": (f"{HEAD},{{}}", "A,0,50,900,1"),
    }  # fmt: skip
    for place, (header, row) in places.items():
        study = WITH_ALL if "arm" in header else declaring(cpk='censoring = "as typed"', data='thousands = " "')
        for n in range(5):
            unit, end = rng.choice(ALPHABETS), rng.choice(ENDS)
            text = '"' + (unit * LONG)[: LONG - 10].replace('"', "") + end + '"'
            if place == "a column's name":
                made = partial(_name, text, row)
            else:
                made = partial(long_cell, text, header, row)
            yield Case(
                f"{place}: {unit!r} again and again, then {end!r}",
                f"long-{place.replace(' ', '-').replace("'", '')}-{n}.csv",
                made,
                study,
            )
    yield Case(
        "a date of 99,000 characters",
        "date.csv",
        partial(long_cell, "1/" * (LONG // 2), f"{HEAD},began", "A,{},50,900,01/01/2020"),
        DATED,
    )
    yield Case(
        "300 long cells of one column", "long-cells.csv", partial(many, HEAD, "A,#,50," + "1O" * 1600), declaring()
    )
    yield Case(
        "long ids, all alike", "long-ids.csv", partial(many, HEAD, "\u0301\u0327" * 900 + "#,0,50,900"), declaring()
    )
    yield Case(
        "intervals in intervals",
        "intervals.csv",
        partial(long_cell, "1.." * 33_000, HEAD, "A,0,50,{}"),
        declaring(cpk='censoring = "as typed"'),
    )
    yield Case("every row another patient", "patients.csv", partial(many, HEAD, "#,0,1,9"), declaring())
    yield Case(
        "every row another patient, one outcome missing", "halves.csv", partial(many, HEAD, "#,0,,"), declaring()
    )
    yield Case("every id another with zeros before it", "zeros.csv", partial(many, HEAD, "0#,0,1,9"), declaring())
    yield Case(
        "every second id another with zeros before it",
        "zeros-too.csv",
        partial(many, HEAD, "#,0,1,9\n00#,0,1,9"),
        declaring(),
    )
    yield Case("every id in two cases", "cases.csv", partial(many, HEAD, "a#,0,1,9\nA#,0,1,9"), declaring())
    yield Case("every id in look-alikes", "alike.csv", partial(many, HEAD, "P#,0,1,9\nР#,0,1,9"), declaring())
    yield Case("two patients in turns", "turns.csv", partial(many, HEAD, "A,#,1,9\nB,#,1,9"), declaring())
    yield Case(
        "every patient twice in turns",
        "apart.csv",
        lambda: many(HEAD, "#,0,1,9", 40_000) + many("", "#,1,1,9", 40_000)[1:],
        declaring(),
    )
    yield Case("one patient at one time", "one.csv", partial(many, HEAD, "A,0,1,9"), declaring())
    yield Case(
        "one patient at one time, averaged",
        "mean.csv",
        partial(many, HEAD, "A,0,1,#"),
        declaring(data='duplicates = "mean"'),
    )
    yield Case("pairs at one time", "pairs.csv", partial(many, HEAD, "A,#,1,9\nA,#,1,9"), declaring())
    yield Case(
        "times that fall",
        "falling.csv",
        lambda: b"\n".join([HEAD.encode(), *(b"A,%d,1,9" % (60_000 - n) for n in range(60_000)), b""]),
        declaring(),
    )
    yield Case(
        "no baseline for anyone",
        "no-baseline.csv",
        partial(many, HEAD, "#,3,1,9"),
        declaring(data="require_baseline = {}"),
    )
    yield Case("nobody measured", "nobody.csv", partial(many, HEAD, "#,3,,"), declaring())
    yield Case("every cell another fault", "faults.csv", partial(many, HEAD, "#,x#,y#,z#"), declaring())
    yield Case(
        "every level another", "levels.csv", partial(many, f"{HEAD},began,arm,age", "#,0,1,9,0,ivi#,50"), WITH_ALL
    )
    yield Case(
        "every level another case",
        "level-cases.csv",
        partial(many, f"{HEAD},began,arm,age", "#,0,1,9,0,IVIG,50"),
        WITH_ALL,
    )
    levels = ", ".join(f'"group{n:03}"' for n in range(200))
    yield Case(
        "levels unlike 200 declared ones",
        "unlike.csv",
        partial(many, f"{HEAD},arm", "#,0,1,9,grup#"),
        declaring(strength='covariates = ["arm"]', rest=f"[covariates.arm]\nlevels = [{levels}]\n"),
    )
    units = ", ".join(f'"unit{n:03}" = 2' for n in range(200))
    yield Case(
        "units unlike 200 declared ones",
        "units.csv",
        partial(many, f"{HEAD},u", "#,0,1,9,unut#"),
        declaring(cpk=f'recorded = {{ factors = {{ {units} }}, column = "u" }}'),
    )
    yield Case(
        "several values of one patient's covariate",
        "several.csv",
        partial(many, f"{HEAD},began,arm,age", "A,#,1,9,0,ivig,#"),
        WITH_ALL,
    )
    yield Case(
        "several starts of each patient",
        "starts.csv",
        partial(many, f"{HEAD},began,arm,age", "#,0,1,9,0,ivig,5\n#,1,1,9,1,ivig,5"),
        WITH_ALL,
    )
    yield Case(
        "rows of many lengths",
        "lengths.csv",
        lambda: ("\n".join([HEAD, *("," * n for n in range(1350))]) + "\n").encode(),
        declaring(),
    )
    yield Case("nothing but line ends", "ends.csv", lambda: HEAD.encode() + b"\n" * ROOM, declaring())
    yield Case(
        "a million characters on a million lines",
        "lines.csv",
        lambda: HEAD.encode() + b"\nA" * (ROOM // 2),
        declaring(),
    )
    yield Case("nothing but delimiters", "delimiters.csv", lambda: HEAD.encode() + b"\n" + b"," * ROOM, declaring())
    yield Case("nothing but quotes", "quotes.csv", lambda: HEAD.encode() + b"\n" + b'"' * ROOM, declaring())
    yield Case("a quote in every cell", "quoted.csv", partial(many, HEAD, 'A,"#","1""","9"'), declaring())
    yield Case("a quote that is never closed", "open.csv", lambda: many(HEAD, "A,#,1,9") + b'"A', declaring())
    yield Case(
        "nothing but NUL", "nul.csv", lambda: HEAD.encode() + b"\nA,0,50,900\n" + b"\0," * (ROOM // 2), declaring()
    )
    yield Case(
        "NUL in 2,000 columns", "nuls.csv", lambda: wide(2000, "c#", 60).replace(b"A,0,50", b"A,\0,50"), declaring()
    )
    for columns in (5_000, 50_000, 140_000):
        yield Case(f"{columns:,} columns", f"wide-{columns}.csv", partial(wide, columns), declaring())
    yield Case("5,000 columns and 100 rows", "wide-rows.csv", partial(wide, 5_000, "c#", 100), declaring())
    yield Case("5,000 columns of one name", "same.csv", partial(wide, 5_000, "c", 3), declaring())
    yield Case(
        "40,000 pairs of columns",
        "pairs-of-columns.csv",
        lambda: wide(40_000, "c#").split(b"\n")[0] + b"," + wide(40_000, "c#"),
        declaring(),
    )
    yield Case("5,000 columns without a name", "nameless.csv", partial(wide, 5_000, "", 3), declaring())
    yield Case("3,000 columns that say who", "who.csv", partial(wide, 3_000, "name #"), declaring())
    yield Case(
        "3,000 columns like the one that is missing",
        "like.csv",
        lambda: wide(3_000, "strenght#" + "h" * 60).replace(b"strength", b"power", 1),
        declaring(),
    )
    yield Case(
        "3,000 long columns like the one that is missing",
        "like-long.csv",
        lambda: wide(30, "strength" * 1500 + "#").replace(b",strength,", b",power,", 1),
        declaring().replace('column = "strength"', f'column = "{"strength" * 1400}"'),
    )
    yield Case(
        "150 pairs of columns that 150 outcomes read",
        "outcomes.csv",
        lambda: many(",".join(["patient", "month", *(f"c{n}" for n in range(30))]), "#,0" + ",1" * 30),
        many_outcomes(30),
    )
    yield Case(
        "100 covariates of 20,000 patients",
        "covariates.csv",
        lambda: many(",".join([HEAD, *(f"x{n}" for n in range(100))]), "#,0,50,900" + ",#" * 100),
        many_covariates(100),
    )
    yield Case(
        "20 covariates of 200 levels",
        "many-levels.csv",
        lambda: many(",".join([HEAD, *(f"x{n}" for n in range(20))]), "#,0,50,900" + ",l1" * 20),
        many_levels(20),
    )
    yield Case(
        "patients of the second table twice",
        "twice.csv",
        partial(many, "patient,x", "#,1\n#,1"),
        declaring(),
        patients=True,
    )
    yield Case(
        "a second table of a hundred thousand patients",
        "who-else.csv",
        partial(many, "patient,x", "#,1"),
        declaring(),
        patients=True,
    )


def _name(text: str, row: str) -> bytes:
    return f"{HEAD},{text}\n{row}\n".encode()


def many_outcomes(count: int) -> str:
    one = 'unit = "u"\nbetter = "lower"\ntypical = 10\nscale = 2\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\n'
    head = '[study]\ntitle = "x"\npatient = "patient"\ntime = { column = "month", unit = "month", typical = 12 }\n'
    return head + "".join(f'[outcomes.o{n}]\ncolumn = "c{n}"\n{one}' for n in range(count))


def many_covariates(count: int) -> str:
    named = ", ".join(f'"x{n}"' for n in range(count))
    return declaring(
        strength=f"covariates = [{named}]\nmoderators = [{named}]",
        rest="".join(f"[covariates.x{n}]\ntypical = 1\nscale = 2\n" for n in range(count)),
    )


def many_levels(count: int) -> str:
    named, levels = ", ".join(f'"x{n}"' for n in range(count)), ", ".join(f'"l{n}"' for n in range(200))
    return declaring(
        strength=f"covariates = [{named}]\nmoderators = [{named}]",
        rest="".join(f"[covariates.x{n}]\nlevels = [{levels}]\n" for n in range(count)),
    )
