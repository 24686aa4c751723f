"""What a stored fit says of itself: its table of contents, checked against an allow-list before one array is read.

A file of HDF5 can claim any shape, fill it with nothing, and point to itself, to other files or to the middle of its
own bytes; no walk through it is certain to end. So nothing that is read from disk is ever handed to the HDF5 library:
a fit carries, behind its netCDF, a table of contents in JSON with the place of every array among the bytes, and that
is what is read. It may name the variables that the study in it has, each of the one type and of the dimensions that it
must have, each at bytes of its own that are there: so a fit needs as much memory as it has bytes, twice that at most.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from itertools import pairwise
from math import prod
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bayesmyo.cohort.cohort import RowAccount
from bayesmyo.errors import BayesmyoError
from bayesmyo.inference.engines.engine import Certificate, Sampling
from bayesmyo.inference.layout import ESTIMANDS, EXITS, PATIENT, Layout, layout
from bayesmyo.limits import NAME, STUDY_BYTES
from bayesmyo.study.read import parse_study
from bayesmyo.study.study import Study

SAMPLING = TypeAdapter(Sampling)
SETTINGS = {f.name for f in fields(Sampling)} - {"cores"}
Size = Annotated[int, Field(ge=1, lt=2**48)]


class Region(BaseModel):
    """Where an array lies: its type, its shape, and its first byte."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    dtype: Annotated[str, Field(max_length=3)]
    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=3)]
    offset: Annotated[int, Field(ge=0, lt=2**48)]

    @property
    def end(self) -> int:
        return self.offset + prod(self.shape) * np.dtype(self.dtype).itemsize


class Contents(BaseModel):
    """The table of contents. attributes: of the tree; patients: ids; arrays: by group and variable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    bayesmyo_format: int
    attributes: dict[str, str]
    patients: tuple[Annotated[str, Field(min_length=1)], ...]
    arrays: dict[str, dict[str, Region]]


class _Head(BaseModel):
    bayesmyo_format: Annotated[int, Field(strict=True, ge=1)]


Check = Callable[[str], object]
Short = Annotated[str, Field(max_length=200)]


def _text(pattern: str) -> Check:
    return TypeAdapter(Annotated[str, Field(pattern=pattern)]).validate_python


def _json(kind: Any) -> Check:
    return partial(TypeAdapter(kind).validate_json, strict=True)


ROWS = TypeAdapter(RowAccount)
PRIVATE = {
    "data_source": "",
    "data_sha256": "",
    "rows": "{}",
    "notices": "[]",
}  # as a copy without patient data has them
OF_ALL: dict[str, Check] = {
    "study": str,
    "study_sha256": _text("^[0-9a-f]{64}$"),
    "engine": _text("^[a-z0-9_-]{1,100}$"),
    "seed": _text("^[0-9]{1,40}$"),
    "sampling": _json(dict[Short, int | float | str | None]),
    "parameterisation": _json(dict[Short, Short]),
    "versions": _json(dict[Short, Short]),
}
OF_PATIENTS: dict[str, Check] = {
    "data_source": _text("^.{0,1000}$"),
    "data_sha256": _text("^([0-9a-f]{64})?$"),
    "rows": _json(RowAccount),
    "notices": _json(list[str]),
}
OF_EXITS: dict[str, Check] = {
    "reasons": _json(list[Annotated[str, Field(max_length=NAME)]])
}  # where the table says when patients left
OF_STEPS: dict[str, Check] = {"certificate": _json(Certificate)}  # of an engine of several
OF_SHARED: dict[str, Check] = {
    "bayesmyo_shared": _json(dict[Short, Annotated[int, Field(ge=0)]]),
    **{name: _text(f"^{re.escape(blank)}$") for name, blank in PRIVATE.items()},
}


def format_of(raw: bytes) -> int:
    """The format that a table of contents says it has, whatever else it holds. Raises ValueError where it says none."""
    return _Head.model_validate_json(raw).bayesmyo_format


def understood(raw: bytes, size: int) -> tuple[Contents, Study]:
    """A table of contents and the study in it. raw: its JSON; size: bytes of the netCDF before it.

    Raises ValueError, in words, for whatever a fit of ours would not say.
    """
    contents = Contents.model_validate_json(raw)
    shared = "bayesmyo_shared" in contents.attributes
    _attributes(contents.attributes, shared)
    text = contents.attributes["study"]
    if len(text.encode()) > STUDY_BYTES:
        raise ValueError("its study is longer than a study can be")
    try:
        study = parse_study(text)
    except (BayesmyoError, RecursionError):
        raise ValueError("its study cannot be understood") from None
    if not shared and set(ROWS.validate_json(contents.attributes["rows"]).outcomes) != set(study.outcomes):
        raise ValueError("its account of rows is not of the outcomes of its study")
    _placed(contents, layout(study, shared), size)
    return contents, study


def words(error: ValueError) -> str:
    """Why a table of contents is refused, in a few words that hold nothing of it but names."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:60] for part in first["loc"][:4])
    return f"{where or 'its table of contents'}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _attributes(said: Mapping[str, str], shared: bool) -> None:
    """Exactly those that a fit has, each of its own kind."""
    kinds = OF_ALL | (OF_SHARED if shared else OF_PATIENTS | (OF_EXITS if "reasons" in said else {}))
    kinds |= OF_STEPS if "certificate" in said else {}
    if absent := [name for name in kinds if name not in said]:
        raise ValueError(f"{absent[0]} is missing")
    if said.keys() - kinds:
        raise ValueError("it has attributes that a fit has not")
    for name, check in kinds.items():
        try:
            check(said[name])
        except ValidationError:
            raise ValueError(f"{name} cannot be understood") from None
    settings = json.loads(said["sampling"])
    try:
        SAMPLING.validate_json(json.dumps({k: settings[k] for k in SETTINGS}), strict=True)
    except (KeyError, ValidationError):
        raise ValueError("sampling cannot be understood") from None


def _placed(contents: Contents, held: Layout, size: int) -> None:
    """Every array is one that the study has, of its type and dimensions, and lies on bytes that no other array has."""
    sizes = {PATIENT: len(contents.patients)}
    if len(set(contents.patients)) != len(contents.patients):
        raise ValueError("it has two patients of one id")
    if bool(contents.patients) == (ESTIMANDS in held):
        raise ValueError("a shared copy has no patients, and any other fit has some")
    for group, variables in held.items():
        present = contents.arrays.get(group, {})
        if absent := [name for name, v in variables.items() if not v.optional and name not in present]:
            raise ValueError(f"it is not whole: {group}/{absent[0]} is missing")
        if unknown := [name for name in present if name not in variables]:
            raise ValueError(f"{group}/{unknown[0][:60]} is in no fit of its study")
        for name, region in present.items():
            v = variables[name]
            if region.dtype != v.in_file or len(region.shape) != len(v.dims):
                raise ValueError(f"{group}/{name} is not of its type and dimensions")
            for dim, length in zip(v.dims, region.shape, strict=True):
                if sizes.setdefault(dim, length) != length:
                    raise ValueError(f"{group}/{name} has another number of {dim}s than it should have")
    if unknown := [group for group in contents.arrays if group not in held]:
        raise ValueError(f"{unknown[0][:60]} is in no fit")
    _together(contents, held)
    regions = sorted((r for g in contents.arrays.values() for r in g.values()), key=lambda r: r.offset)
    if any(one.end > other.offset for one, other in pairwise(regions)) or (regions and regions[-1].end > size):
        raise ValueError("its arrays lie over one another, or beyond its end")


def _together(contents: Contents, held: Layout) -> None:
    """What a fit may be without, it is without altogether: the episodes of an event, or when and why patients left."""
    present, constant = contents.arrays.get("constant_data", {}), held.get("constant_data", {})
    episodes: dict[tuple[str, ...], set[str]] = {}
    for name, v in constant.items():
        if v.dims[0].endswith(".episode"):
            episodes.setdefault(v.dims, set()).add(name)
    for whole in episodes.values():
        absent = sorted(whole - present.keys())
        if 0 < len(absent) < len(whole):
            raise ValueError(f"it is not whole: constant_data/{absent[0]} is missing")
    reasons = contents.attributes.get("reasons")
    if {*EXITS} & present.keys() != (set() if reasons is None else {*EXITS}):
        raise ValueError("it says when patients left, or why, but not both")
    if reasons is not None and len(json.loads(reasons)) != len(contents.patients):
        raise ValueError("it has not one reason for each patient")
