"""Study -> TOML text, and the hash that names a study whatever its comments and layout."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import tomli_w

from bayesmyo.study.design import Scenario
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.study import Study

HEAD = ("title", "patient", "time", "treatment", "interval", "correlate", "correlation_prior")
SAID = ("correlate_residuals", "rule")  # what a study that does not say it is written without


def to_toml(study: Study) -> str:
    """The study as canonical TOML: every key that holds, in the order of its tables; comments are not kept.

    It is read back as the same study (`parse_study`).
    """
    said = [name for name in SAID if getattr(study, name)]
    document: dict[str, Any] = {"study": {name: _plain(getattr(study, name)) for name in (*HEAD, *said)}}
    for f in fields(study):
        value = getattr(study, f.name)
        if f.name not in (*HEAD, *SAID, "text") and value is not None and value != {}:
            document[f.name] = _plain(value)
    for name in study.groups:  # each is a covariate too
        document["covariates"].pop(name, None)
    if not document.get("covariates", True):
        del document["covariates"]
    return tomli_w.dumps(document)


def study_hash(study: Study) -> str:
    """SHA-256 of the canonical text: equal for two files that ask the same question, whatever [report] says beside
    it."""
    return hashlib.sha256(to_toml(replace(study, report=None)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Dataclasses as tables, tuples as lists, absent values left out."""
    if isinstance(value, Scenario):
        head = {"like": value.like, "title": value.title, "together": _plain(value.together)}
        return {k: v for k, v in head.items() if v} | _plain(value.values)
    if is_dataclass(value):
        pairs = {
            f.metadata.get("key", f.name): getattr(value, f.name) for f in fields(value) if "made" not in f.metadata
        }
        for f in fields(value):
            if "tables" in f.metadata:
                pairs |= pairs.pop(f.name)
        plain = {k: _plain(v) for k, v in pairs.items() if v is not None and v != {}}
        if isinstance(value, Evidence):
            del plain["what"]["outcome"]  # it stands beside
        return plain
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
