"""Studies: TOML that is nested or long, and numbers, names and texts that no study has."""

import random
from collections.abc import Iterator
from functools import partial

from tests.conftest import SMALL
from tests.hostile.case import Case

HEAD = '[study]\ntitle = "x"\npatient = "p"\ntime = { column = "t", unit = "month", typical = 12 }\n'
ONE = 'column = "c{n}"\nunit = "u"\nbetter = "lower"\ntypical = 10\nscale = 2\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\n'
ABSURD = (
    "1e308",
    "-1e308",
    "1e-300",
    "5e-324",
    "-0.0",
    "0x" + "f" * 90,
    "1e400",
    "nan",
    "inf",
    "9" * 99,
    "1e-170",
    "1e170",
    "1e16",
    "-1e-200",
    "true",
    "1979-05-27",
    "[1e308]",
)
PRIORS = (
    "normal(0, 1e308)",
    "normal(1e308, 1e-308)",
    "lognormal(1e308, 1)",
    "lognormal(0, 1e308)",
    "gamma(1e-300, 1e300)",
    "lkj(1e-300)",
    "lkj(1e300)",
    "half_student_t(1e-300, 1e300)",
    "exponential(5e-324)",
    "normal(0, -0.0)",
    "normal(0, " + "9" * 4000 + ")",
    "normal(" + "1," * 100_000 + "1)",
    "normal(" * 50_000,
    " " * 300_000 + "x",
)
ENCODINGS = (
    "punycode",
    "idna",
    "rot13",
    "rot_13",
    "hex",
    "hex_codec",
    "base64",
    "zlib",
    "bz2",
    "uu",
    "quopri",
    "undefined",
    "unicode_escape",
    "raw_unicode_escape",
    "utf-7",
    "mbcs",
    "oem",
    "utf-8\0",
    "../x",
    "__init__",
    "aliases",
    "x" * 90,
    "charmap",
    "utf_8_sig",
    "palmos",
    "string_escape",
    "unicode_internal",
)
NUMBERS = (
    "typical = 50",
    "scale = 10",
    "minimum = 0",
    "maximum = 100",
    "typical = 1200",
    "scale = 2.5",
    "from = 0",
    "to = 12",
    "below = 0.5",
    "probability = 0.9",
    "mean = 24",
    "sd = 12",
    "maximum = 60",
    "then_every = 6",
    "jitter = 0.3",
    "patients = 12",
    "intercept = 50",
    "slope = 0.5",
    "sd_intercept = 8",
    "correlation = -0.4",
    "sigma = 4",
    "start = 800",
    "asymptote = 200",
    "half_time = 3",
    "sd_start = 0.8",
    "typical = 24",
)
TO_BE = (
    "gaussian",
    "lognormal",
    "gamma",
    "ordered_beta",
    "beta_binomial",
    "negative_binomial",
    "poisson",
    "student_t",
    "bernoulli",
    "cumulative",
    "hurdle_lognormal",
)


def outcome(n: int, text: str = ONE) -> str:
    return f"[outcomes.o{n}]\n" + text.replace("{n}", str(n))


def crafted(rng: random.Random) -> Iterator[tuple[str, partial[str]]]:
    yield "200,000 nested keys", partial(lambda: HEAD + "a" + ".a" * 200_000 + " = 1\n")
    yield "200,000 nested quoted keys", partial(lambda: HEAD + '"a"' + '."a"' * 200_000 + " = 1\n")
    yield "a table of 200,000 nested names", partial(lambda: HEAD + "[a" + ".a" * 200_000 + "]\n")
    yield (
        "1,000 lines of 300 nested keys",
        partial(lambda: HEAD + "".join(f"k{n}" + ".a" * 300 + " = 1\n" for n in range(1_000))),
    )
    yield (
        "60,000 lines of 9 nested keys",
        partial(lambda: HEAD + "".join(f"a.b.c.d.e.f.k{n} = 1\n" for n in range(40_000))),
    )
    yield "40,000 tables", partial(lambda: HEAD + "".join(f"[a.b.c.d.k{n}]\n" for n in range(40_000)))
    yield "40,000 tables of a list", partial(lambda: HEAD + "[[a]]\n" * 160_000)
    yield "lists within lists", partial(lambda: HEAD + "x = " + "[" * 400_000)
    yield "tables within tables", partial(lambda: HEAD + "x = " + "{a = " * 100_000)
    yield "a list of 300,000 numbers", partial(lambda: HEAD + "interval = [" + "1, " * 300_000 + "]\n")
    yield "a list of 100,000 lists", partial(lambda: HEAD + "interval = [" + "[1], " * 100_000 + "]\n")
    yield "a number of 900,000 digits", partial(lambda: HEAD + "interval = " + "9" * 900_000)
    yield "a hexadecimal number of 900,000 digits", partial(lambda: HEAD + "interval = 0x" + "f" * 900_000)
    yield "a fraction of 900,000 digits", partial(lambda: HEAD + "interval = 0." + "9" * 900_000)
    yield "a text of 900,000 characters", partial(lambda: HEAD + f'treatment = "{"x" * 900_000}"\n' + outcome(1))
    yield "a title of 900,000 characters", partial(lambda: (HEAD + outcome(1)).replace('"x"', f'"{"x" * 900_000}"', 1))
    yield "a key of 900,000 characters", partial(lambda: HEAD + f'"{"x" * 900_000}" = 1\n' + outcome(1))
    yield (
        "90 keys of 9,000 characters",
        partial(lambda: HEAD + "".join(f'"{"x" * 9_000}{n}" = 1\n' for n in range(90)) + outcome(1)),
    )
    yield "texts that are never closed", partial(lambda: HEAD + 'x = "\\' * 150_000)
    yield "texts of many lines that are never closed", partial(lambda: HEAD + 'x = """a' * 100_000)
    yield "nothing but quotes", partial(lambda: HEAD + "x = " + '"' * 900_000)
    yield "nothing but line ends", partial(lambda: HEAD + "\n" * 900_000 + outcome(1))
    yield "nothing but spaces", partial(lambda: HEAD + "x = " + " " * 900_000 + "1\n" + outcome(1))
    yield "nothing but comments", partial(lambda: HEAD + "#\n" * 450_000 + outcome(1))
    yield (
        "unknown keys wherever they may be",
        partial(
            lambda: (
                HEAD
                + "".join(outcome(n) + "".join(f"colunm{k} = 1\n" for k in range(190)) for n in range(30))
                + "".join(f"[estimands.e{n}]\n" + "".join(f"k{k} = 1\n" for k in range(190)) for n in range(200))
            )[:990_000]
        ),
    )
    yield (
        "unknown keys of decisions",
        partial(
            lambda: (
                HEAD
                + outcome(1)
                + "".join(
                    f"[decisions.e{n}]\nkind = 'probability'\n" + "".join(f"estimandd{k} = 1\n" for k in range(190))
                    for n in range(200)
                )
            )[:990_000]
        ),
    )
    yield (
        "unknown keys of scenarios",
        partial(
            lambda: (
                (
                    SMALL
                    + "".join(
                        f"[scenarios.e{n}.strength]\n" + "".join(f"interceptt{k} = 1\n" for k in range(190))
                        for n in range(190)
                    )
                )[:980_000]
                + "\n"
            )
        ),
    )
    yield (
        "scenarios like each other",
        partial(lambda: SMALL + "".join(f'[scenarios.e{n}]\nlike = "e{(n + 1) % 190}"\n' for n in range(190))),
    )
    yield (
        "scenarios in a chain",
        partial(
            lambda: (
                SMALL
                + '[scenarios.e0]\nlike = "improves"\n'
                + "".join(
                    f'[scenarios.e{n}]\nlike = "e{n - 1}"\n[scenarios.e{n}.cpk]\nstart = {n}.5\n' for n in range(1, 190)
                )
            )
        ),
    )
    yield (
        "30 outcomes of 100 covariates",
        partial(
            lambda: (
                HEAD
                + "".join(f"[covariates.x{n}]\ntypical = 1\nscale = 2\n" for n in range(100))
                + "".join(
                    outcome(n) + f"covariates = [{', '.join(f'"x{k}"' for k in range(100))}]\n" for n in range(30)
                )
            )
        ),
    )
    yield (
        "30 outcomes of 100 covariates of 200 levels",
        partial(
            lambda: (
                HEAD
                + "".join(
                    f"[covariates.x{n}]\nlevels = [{', '.join(f'"l{k}"' for k in range(200))}]\n" for n in range(100)
                )
                + "".join(
                    outcome(n)
                    + f"covariates = [{', '.join(f'"x{k}"' for k in range(100))}]\nmoderators = [{', '.join(f'"x{k}"' for k in range(100))}]\n"
                    for n in range(30)
                )
            )
        ),
    )
    yield (
        "a product of three covariates of 200 levels",
        partial(
            lambda: (
                HEAD
                + "".join(
                    f"[covariates.x{n}]\nlevels = [{', '.join(f'"l{k}"' for k in range(200))}]\n" for n in range(4)
                )
                + '[covariates.p]\nproduct = ["x0", "x1", "x2", "x3"]\n'
                + outcome(1)
                + 'covariates = ["p"]\n'
            )
        ),
    )
    yield (
        "a product of 90 covariates",
        partial(
            lambda: (
                HEAD
                + "".join(f'[covariates.x{n}]\nlevels = ["a", "b", "c"]\n' for n in range(90))
                + f"[covariates.p]\nproduct = [{', '.join(f'"x{k}"' for k in range(90))}]\n"
                + outcome(1)
                + 'covariates = ["p"]\n'
            )
        ),
    )
    yield (
        "30 outcomes that are correlated",
        partial(
            lambda: (
                HEAD.replace("[study]", '[study]\ncorrelate = "across outcomes"')
                + "".join(outcome(n) for n in range(30))
            )
        ),
    )
    yield (
        "30 outcomes of 190 knots",
        partial(
            lambda: (
                HEAD
                + "".join(
                    outcome(n).replace('"linear"', '"spline", knots = [' + ", ".join(map(str, range(190))) + "]")
                    for n in range(30)
                )
            )
        ),
    )
    yield (
        "30 outcomes of 190 categories",
        partial(
            lambda: (
                HEAD
                + "".join(
                    outcome(n)
                    .replace("typical = 10\n", "")
                    .replace(
                        '{ kind = "gaussian" }',
                        f'{{ kind = "cumulative", levels = [{", ".join(f'"k{k}"' for k in range(190))}] }}',
                    )
                    for n in range(30)
                )
            )
        ),
    )
    yield (
        "a score of 10^15 points",
        partial(lambda: HEAD + outcome(1).replace('"gaussian"', '"beta_binomial", trials = 1000000000000000')),
    )
    yield "a visit every 1e-9 months", partial(lambda: SMALL.replace("then_every = 6", "then_every = 1e-9"))
    yield "10^15 patients", partial(lambda: SMALL.replace("patients = 12", "patients = 1000000000000000"))
    yield (
        "200 first visits of 1e30 months",
        partial(
            lambda: SMALL.replace("first = [0, 1, 3]", f"first = [{', '.join(f'{n}e20' for n in range(199))}]").replace(
                "maximum = 60", "maximum = 1e30"
            )
        ),
    )
    yield (
        "200 estimands, decisions and responses",
        partial(
            lambda: (
                SMALL
                + "".join(
                    f'[estimands.e{n}]\nkind = "change"\noutcome = "cpk"\nfrom = 0\nto = {n + 1}\n[decisions.d{n}]\nkind = "probability"\nestimand = "e{n}"\nbelow = 0.5\nprobability = 0.9\n'
                    for n in range(190)
                )
            )
        ),
    )
    yield (
        "a pattern of dates of 200,000 signs",
        partial(
            lambda: (HEAD + outcome(1)).replace("typical = 12", f'typical = 12, date = "YYYY{"-" * 200_000}MM-DD"')
        ),
    )
    yield "a spread of 1e-300", partial(lambda: SMALL.replace("scale = 10", "scale = 1e-300"))
    for _ in range(16):
        places, values = rng.sample(NUMBERS, 3), rng.sample(ABSURD, 3)
        yield (
            f"absurd numbers: {', '.join(f'{p.split()[0]} {v[:12]}' for p, v in zip(places, values, strict=True))}",
            partial(_absurd, tuple(places), tuple(values), rng.choice(TO_BE)),
        )
    for text in PRIORS:
        yield (
            f"the prior {text[:30]}",
            partial(
                lambda t: SMALL.replace('label = "CPK"', f'label = "CPK"\npriors = {{ start = "{t}", sigma = "{t}" }}'),
                text,
            ),
        )
        yield (
            f"the scenario {text[:30]}",
            partial(
                lambda t: SMALL.replace("start = 800", f'start = "{t}"').replace("sigma = 0.3", f'sigma = "{t}"'), text
            ),
        )
    for text in rng.sample(ENCODINGS, 12):
        yield (
            f"the encoding {text[:20]!r}",
            partial(lambda t: f'[data]\nencoding = "{t}"\n'.replace("\0", "\\u0000") + SMALL, text),
        )


def _absurd(places: tuple[str, ...], values: tuple[str, ...], family: str) -> str:
    text = SMALL.replace("gaussian", family)
    for place, value in zip(places, values, strict=True):
        text = text.replace(place, f"{place.split(' = ')[0]} = {value}")
    return text


def cases(rng: random.Random) -> Iterator[Case]:
    for n, (name, make) in enumerate(crafted(rng)):
        yield Case(name, f"study-{n:02}.toml", partial(lambda m: m().encode(), make))
