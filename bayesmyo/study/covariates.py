"""Covariates as the numbers that multiply coefficients: columns of the design.

A numeric covariate is one column, zero at its typical value and one at one `scale` above it. A categorical one has a
column of zeros and ones for each level but the reference. A product has the products of its parts' columns. All that is
declared, so nothing here depends on the data; and zero everywhere is the reference patient.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from bayesmyo.study.study import Covariate, Study

SIGNS = {
    "+": "plus",
    "-": "minus",
    "−": "minus",
    "<": "below",
    ">": "above",
    "≤": "at_most",
    "≥": "at_least",
    "=": "equal",
}


def slug(text: str) -> str:
    """A level as a part of a parameter's name: its letters and digits."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "level"


def slugs(levels: Iterable[str]) -> tuple[str, ...]:
    """Levels as parts of parameters' names; where letters and digits do not tell them apart (`-` and `+`, `<6m` and
    `>6m`), a sign in front of one or after it is a word of its name.
    """
    levels = tuple(levels)
    plain = tuple(map(slug, levels))
    return plain if len({*plain}) == len(plain) else tuple(map(_with_signs, levels))


def _with_signs(text: str) -> str:
    word = text.strip().lower()
    lead, tail = SIGNS.get(word[:1], ""), SIGNS.get(word[-1:], "") if word[:-1] else ""
    inner = re.sub(r"[^a-z0-9]+", "_", word).strip("_")
    return "_".join(filter(None, (lead, inner, tail))) or "level"


def first(c: Covariate) -> int:
    """The first level that has a coefficient: the second, but of a group, which has no reference, the first."""
    return 0 if c.group else 1


def columns(study: Study, name: str) -> tuple[str, ...]:
    """The design columns of one covariate."""
    c = study.covariates[name]
    if c.product:
        parts = [columns(study, part) for part in c.product]
        if all(len(p) == 1 for p in parts):
            return (name,)
        return tuple(f"{name}_{'_'.join(combination)}" for combination in product(*parts))
    if c.levels:
        return tuple(f"{name}_{part}" for part in slugs(c.levels)[first(c) :])
    return (name,)


def columns_of(study: Study, names: Iterable[str]) -> tuple[str, ...]:
    """The design columns of several covariates, in order."""
    return tuple(column for name in names for column in columns(study, name))


def base(study: Study, names: Iterable[str]) -> tuple[str, ...]:
    """The covariates with a column in the table that the named ones are made of, each once."""
    names_of: dict[str, None] = {}
    for name in names:
        parts = study.covariates[name].product
        names_of |= dict.fromkeys(base(study, parts)) if parts else {name: None}
    return tuple(names_of)


def used(study: Study, varies: str | None = None) -> tuple[str, ...]:
    """The covariates with a column in the table that some outcome uses, all or those that vary between `patients` or
    `visits`.
    """
    names: list[str] = []
    for o in study.declared.values():
        names += o.named
    return tuple(n for n in base(study, names) if varies is None or study.covariates[n].varies == varies)


def table_column(study: Study, name: str) -> str:
    """The column of the table that holds a covariate."""
    return study.covariates[name].column or name


def transformed(c: Covariate, value: Any) -> Any:
    """A numeric covariate on the scale on which it is centred."""
    value = np.asarray(value, dtype=float)
    return np.log(value) if c.transform == "log" else np.sqrt(value) if c.transform == "sqrt" else value


def coded(study: Study, name: str, values: Any) -> dict[str, Any]:
    """Columns of one covariate that has a column in the table.

    values: numbers as typed, or positions among the levels; NaN where missing, and then in every column.
    """
    c = study.covariates[name]
    values = np.asarray(values, dtype=float)
    if c.levels:
        missing = np.where(np.isnan(values), np.nan, 0.0)
        return {column: (values == k) + missing for k, column in enumerate(columns(study, name), first(c))}
    assert c.typical is not None
    assert c.scale is not None
    width = np.log(c.scale) if c.transform == "log" else c.scale
    return {name: (transformed(c, values) - transformed(c, c.typical)) / width}


def uncoded(study: Study, name: str, column: Any) -> Any:
    """A numeric covariate's column -> numbers as typed."""
    c = study.covariates[name]
    assert c.typical is not None
    assert c.scale is not None
    width = np.log(c.scale) if c.transform == "log" else c.scale
    moved = transformed(c, c.typical) + width * np.asarray(column)
    return np.exp(moved) if c.transform == "log" else np.square(moved) if c.transform == "sqrt" else moved


def of_patients(study: Study) -> tuple[str, ...]:
    """The covariates that patients have whatever the visit, products of such ones among them."""
    return tuple(n for n in study.covariates if all(study.covariates[b].varies == "patients" for b in base(study, [n])))


def stated(study: Study, name: str, coded_columns: Mapping[str, Any]) -> Any:
    """Design columns -> a covariate's values as `coded` takes them: numbers as typed, or positions among the levels."""
    c = study.covariates[name]
    if c.levels:
        return np.asarray(
            sum(k * np.asarray(coded_columns[column]) for k, column in enumerate(columns(study, name), first(c)))
        )
    return uncoded(study, name, coded_columns[name])


def with_products(study: Study, coded_columns: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The columns of the named covariates, products multiplied; absent ones are at the reference."""
    multiplied: dict[str, Any] = {}
    for name in names:
        parts = study.covariates[name].product
        if not parts:
            multiplied |= {column: coded_columns.get(column, 0.0) for column in columns(study, name)}
            continue
        inner = [with_products(study, coded_columns, [part]) for part in parts]
        for column, combination in zip(columns(study, name), product(*(p.values() for p in inner)), strict=True):
            value: Any = 1.0
            for factor in combination:
                value = value * factor
            multiplied[column] = value
    return multiplied
