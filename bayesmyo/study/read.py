"""TOML text -> Study, every fault at once.

A table becomes a dataclass: its keys are the dataclass's fields, checked strictly. A table with a `kind`
becomes the component of that kind. What a well-formed study may still get wrong is in `check.py`.
"""

import errno
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bayesmyo.components.component import Component
from bayesmyo.components.decisions import DECISIONS
from bayesmyo.components.estimands import ESTIMANDS, Estimand
from bayesmyo.components.families import FAMILIES, Family
from bayesmyo.components.hazards import HAZARDS, Hazard
from bayesmyo.components.residuals import RESIDUALS, Residual
from bayesmyo.components.trajectories import TRAJECTORIES, Trajectory
from bayesmyo.errors import Fault, StudyError, did_you_mean
from bayesmyo.files import read_bytes
from bayesmyo.limits import STUDY_BYTES, STUDY_FAULTS
from bayesmyo.study import check, check_covariates
from bayesmyo.study.abstract import Abstract
from bayesmyo.study.check_data import SPACES
from bayesmyo.study.design import Design, Scenario
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.faults import unknown_keys
from bayesmyo.study.scan import beyond_study, scan
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Covariate, DataFormat, Event, Group, Outcome, Response, Study

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
CATALOGUES: dict[Any, Sequence[type[Component]]] = {
    Family: FAMILIES,
    Trajectory: TRAJECTORIES,
    Residual: RESIDUALS,
    Hazard: HAZARDS,
    Estimand: ESTIMANDS,
}
TABLES = [
    "study",
    "data",
    "covariates",
    "groups",
    "outcomes",
    "events",
    "evidence",
    "estimands",
    "decisions",
    "responses",
    "design",
    "published",
    "scenarios",
    "report",
]
STUDY_KEYS = (
    "title",
    "patient",
    "time",
    "treatment",
    "interval",
    "correlate",
    "correlation_prior",
    "correlate_residuals",
    "rule",
)
EXPECTED = {
    "float_type": "must be a number", "int_type": "must be a whole number", "string_type": "must be text",
    "bool_type": "must be true or false", "finite_number": "must be a finite number", "tuple_type": "must be a list",
    "dict_type": "must be a table", "int_from_float": "must be a whole number",
}  # fmt: skip


def read_study(path: str | Path) -> Study:
    """Read a study file.

    Parameters
    ----------
    path
        Of a TOML file.

    Raises
    ------
    StudyError
        With every fault, and where it is.

    Examples
    --------
    >>> from pathlib import Path
    >>> written = Path("mine.toml").write_text(study.text)
    >>> list(bayesmyo.read_study("mine.toml").outcomes)
    ['strength', 'cpk']
    """
    path = Path(path)
    try:
        if not path.is_file():
            mend = "`bayesmyo studies` lists the bundled studies"
            raise StudyError(str(path), [Fault("file", "is not a file that can be read", mend=mend)])
        return parse_study(read_bytes(path, STUDY_BYTES).decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        why = Fault("file", f"byte {error.start} is not UTF-8", mend="save it as UTF-8")
        raise StudyError(path.name, [why]) from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise StudyError(path.name, [Fault("file", f"{error.strerror}; a study is a short text")]) from None
        raise StudyError(str(path), [Fault("file", "cannot be read", error.strerror or "")]) from None


def parse_study(text: str, source: str = "study") -> Study:
    """Understand the text of a study.

    Parameters
    ----------
    text
        TOML.
    source
        What the text is called in messages.

    Raises
    ------
    StudyError
        With every fault, and where it is.

    Examples
    --------
    >>> bayesmyo.parse_study(study.text).title
    'Small'
    """
    if stop := scan(text):
        raise StudyError(source, stop)
    try:
        document = tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # ValueError: not TOML, or a number of thousands of digits
        raise StudyError(source, [Fault("TOML", str(error) or "is nested too deeply")]) from None
    if limits := beyond_study(document):
        raise StudyError(source, limits[:STUDY_FAULTS])
    faults = [*unknown_keys("", document, TABLES)]
    values = _head(document, faults)
    data = document.setdefault("data", {})
    if isinstance(data, dict) and data.get("decimal") == ",":
        document["data"] = {"delimiter": ";", **data}
    for name, cls in (("data", DataFormat), ("design", Design), ("published", Abstract), ("report", Statements)):
        values[name] = _table(cls, document[name], name, faults) if name in document else None
    for name, read in READERS.items():
        values[name] = _each(document, name, faults, read)
        if name == "groups":  # each is a covariate too
            covariates = values["covariates"]
            faults += check_covariates.groups(values["groups"], covariates)
            covariates |= {n: g.covariate for n, g in values["groups"].items() if n not in covariates}
    faults += check.faults(document, values)
    if len(faults) > STUDY_FAULTS:
        faults = [*faults[:STUDY_FAULTS], Fault("study", f"and {len(faults) - STUDY_FAULTS} more faults")]
    if faults:
        raise StudyError(source, faults)
    return Study(**values, text=text)


def _head(document: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """What [study] says, by key."""
    head = document.get("study")
    if not isinstance(head, dict):
        faults.append(Fault("study", "the table [study] is missing", mend="`bayesmyo init` writes an example"))
        return {}
    faults += unknown_keys("study", head, STUDY_KEYS)
    hints, values = get_type_hints(Study), {}
    for name in STUDY_KEYS:
        if name in head:
            values[name] = _value(hints[name], head[name], f"study.{name}", faults)
        elif name in ("title", "patient", "time"):
            faults.append(Fault(f"study.{name}", "is missing"))
    return values


def _each(document: Mapping[str, Any], name: str, faults: list[Fault], read: Any) -> dict[str, Any]:
    """Read every named table of [name.*]; the ones with faults are left out."""
    tables = document.get(name, {})
    if not isinstance(tables, dict):
        faults.append(Fault(name, f"must hold tables, such as [{name}.my_name]"))
        return {}
    known = {key: read(doc, f"{name}.{key}", faults) for key, doc in tables.items()}
    return {key: value for key, value in known.items() if value is not None}


def _component(catalogue: Sequence[type[Component]], doc: Any, where: str, faults: list[Fault]) -> Any:
    """The component of the table's `kind`."""
    kinds = {_kind(c): c for c in catalogue}
    if not isinstance(doc, dict) or "kind" not in doc:
        mend = f'write {{ kind = "{next(iter(kinds))}" }}; allowed: {", ".join(kinds)}'
        faults.append(Fault(where, "needs a kind", repr_toml(doc), mend))
        return None
    kind = doc["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        also = {other: name for name, word in kinds.items() for other in word.also}
        mend = did_you_mean(also.get(str(kind), str(kind)), list(kinds))
        faults.append(Fault(f"{where}.kind", "is unknown", repr_toml(kind), mend))
        return None
    return _table(kinds[kind], doc, where, faults)


def _kind(component: type[Component]) -> str:
    return next(f.default for f in fields(component) if f.name == "kind")  # type: ignore[arg-type,return-value]


def _table(cls: Any, doc: Any, where: str, faults: list[Fault]) -> Any:
    """The dataclass whose fields are the table's keys, or None after noting what is wrong."""
    if not isinstance(doc, dict):
        faults.append(Fault(where, "must be a table", repr_toml(doc)))
        return None
    before = len(faults)
    hints = get_type_hints(cls)
    keys = {f.metadata.get("key", f.name): f for f in fields(cls) if not f.metadata.keys() & {"tables", "made"}}
    named = {key: f for f in fields(cls) for key in f.metadata.get("tables", ())}
    faults += unknown_keys(where, doc, [*keys, *named])
    values: dict[str, Any] = {}
    for key, f in keys.items():
        if key in doc:
            values[f.name] = _value(hints[f.name], doc[key], f"{where}.{key}", faults)
        elif f.default is MISSING and f.default_factory is MISSING:
            faults.append(Fault(f"{where}.{key}", "is missing"))
    for key, f in named.items():
        if key in doc:
            inner = get_args(hints[f.name])[1]
            values.setdefault(f.name, {})[key] = _value(inner, doc[key], f"{where}.{key}", faults)
    return cls(**values) if len(faults) == before else None


def _value(hint: Any, value: Any, where: str, faults: list[Fault]) -> Any:
    """One value of the declared type: a nested table, a component, or a leaf checked strictly."""
    several = [a for a in get_args(hint) if a is not NoneType] if get_origin(hint) in (Union, UnionType) else [hint]
    inner = next((a for a in several if is_dataclass(a) == isinstance(value, dict)), several[0])
    if any(map(is_dataclass, several)) and not is_dataclass(inner):
        hint = inner  # a word or a table: what is no table must be the word
    if inner in CATALOGUES:
        return _component(CATALOGUES[inner], value, where, faults)
    if is_dataclass(inner):
        return _table(inner, value, where, faults)
    if (of := _tables_of(inner)) is not None:
        return _tables(of, value, where, faults)
    try:
        read = _adapter(hint).validate_json(json.dumps(value))
    except TypeError:  # the only values of TOML that JSON does not have
        faults.append(Fault(where, "cannot be a date or a time", repr_toml(value)))
        return None
    except ValidationError as error:
        faults += (_leaf_fault(fault, where) for fault in error.errors(include_url=False))
        return None
    spaces = where == "data.delimiter" or (where == "data.thousands" and read in SPACES)
    prose = where.startswith("report.")  # may run over several lines
    texts = (text.replace("\n", " ") if prose else text for text in _texts(read))
    if not spaces and not all(text.isprintable() for text in texts):
        faults.append(Fault(where, "holds a control character or a line break", repr_toml(value)))
    return read


def _tables_of(hint: Any) -> Any:
    """What a mapping holds under each name, where those are tables of their own; else None."""
    if get_origin(hint) is not Mapping:
        return None
    held = get_args(hint)[1]
    return held if is_dataclass(held) or _tables_of(held) is not None else None


def _tables(held: Any, value: Any, where: str, faults: list[Fault]) -> Any:
    """Named tables, each of the declared type; None after noting what is wrong."""
    if not isinstance(value, dict):
        faults.append(Fault(where, "must hold tables by name", repr_toml(value)))
        return None
    known = {name: _value(held, inner, f"{where}.{name}", faults) for name, inner in value.items()}
    return None if None in known.values() else known


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in _texts(part))


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=STRICT)


def _leaf_fault(fault: Any, where: str) -> Fault:
    location = ".".join([where, *(str(part) for part in fault["loc"])])
    if fault["type"] == "literal_error":
        words = fault["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        mend = did_you_mean(str(fault["input"]), words)
        return Fault(location, "is not one of the words it can be", repr_toml(fault["input"]), mend)
    what = EXPECTED.get(fault["type"], fault["msg"][0].lower() + fault["msg"][1:])
    return Fault(location, what, repr_toml(fault["input"]))


def _evidence(doc: Any, where: str, faults: list[Fault]) -> Evidence | None:
    """[evidence.NAME], whose estimand is of the outcome that is named beside it."""
    asked = doc.get("what") if isinstance(doc, dict) else None
    if isinstance(asked, dict):
        word = next((word for word in ESTIMANDS if _kind(word) == asked.get("kind")), None)
        if word is not None and any(f.name == "outcome" for f in fields(word)):
            doc = {**doc, "what": {"outcome": doc.get("outcome", ""), **asked}}
    return _table(Evidence, doc, where, faults)


def _scenario(doc: Any, where: str, faults: list[Fault]) -> Scenario | None:
    """[scenarios.NAME] with `like`, `title`, `together`, and one table of values for each outcome."""
    if not isinstance(doc, dict):
        faults.append(Fault(where, "must be a table", repr_toml(doc)))
        return None
    before = len(faults)
    kinds = {"like": str, "title": str, "together": Mapping[str, Mapping[str, float]]}
    head = {k: _value(kind, doc[k], f"{where}.{k}", faults) for k, kind in kinds.items() if k in doc}
    values = {k: _numbers(v, f"{where}.{k}", faults) for k, v in doc.items() if k not in head}
    return Scenario(values=values, **head) if len(faults) == before else None


def _numbers(doc: Any, where: str, faults: list[Fault]) -> dict[str, float | str]:
    """Values by parameter: numbers, or texts of design priors, which are understood where parameters are known."""
    if not isinstance(doc, dict):
        faults.append(Fault(where, "must be a table", repr_toml(doc)))
        return {}
    return {k: _value(str if isinstance(v, str) else float, v, f"{where}.{k}", faults) for k, v in doc.items()}


READERS: dict[str, Callable[[Any, str, list[Fault]], Any]] = {
    "covariates": partial(_table, Covariate),
    "groups": partial(_table, Group),
    "outcomes": partial(_table, Outcome),
    "events": partial(_table, Event),
    "evidence": _evidence,
    "estimands": partial(_component, ESTIMANDS),
    "decisions": partial(_component, DECISIONS),
    "responses": partial(_table, Response),
    "scenarios": _scenario,
}


def repr_toml(value: Any) -> str:
    """A value as it would be typed, cut short."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
