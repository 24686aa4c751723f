"""The JSON documents that other programs read: one each, versioned, without NaN."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bayesmyo.assess.evidence import cited
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.covariates import level_counts
from bayesmyo.errors import InputError
from bayesmyo.model import planned
from bayesmyo.report.blocks import Block, Items, Paragraph, Table
from bayesmyo.study import describe, in_r
from bayesmyo.study.describe_events import event_formula, event_words
from bayesmyo.study.predictors import effects
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash

SCHEMA = 1


def document(**parts: Any) -> str:
    """A JSON document with its schema version, in ASCII; what is not finite is null."""
    return json.dumps(finite({"schema_version": SCHEMA, **parts}), indent=2, allow_nan=False)


def finite(value: Any) -> Any:
    """The same value with NaN and infinities as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(v) for v in value]
    return value


def study_part(study: Study, cohort: Cohort | None = None) -> dict[str, Any]:
    """What was understood of a study: per outcome its model in words, in formula and in R, and every prior.

    Parameters
    ----------
    study : Study
        What was read.
    cohort : Cohort, optional
        The patients whose times the lines for R are for.

    Returns
    -------
    dict
        Plain values, as `document` writes them.
    """
    first = {name: cohort.earliest(name) if cohort else 0.0 for name in study.outcomes}
    return {
        "title": study.title,
        "sha256": study_hash(study),
        "outcomes": [
            {
                "name": name,
                "label": study.label(name),
                "unit": o.unit,
                "family": o.family.kind,
                "trajectory": o.trajectory.kind,
                "effects": [e.key for e in effects(study, name)],
                "words": describe.words(study, name),
                "formula": describe.formula(study, name),
                "lme4": in_r.likelihood(study, name, first[name]),
                "brms": in_r.brms(study, name, first[name]),
            }
            for name, o in study.outcomes.items()
        ],
        **_events(study),
        **({"evidence": cited(study)} if study.evidence else {}),
        "table_in_r": in_r.table(study),
        "covariates": describe.covariates(study),
        "priors": [asdict(line) for line in describe.priors(study)],
        "estimands": list(study.estimands),
        "decisions": list(study.decisions),
        "responses": list(study.responses),
        "scenarios": list(study.scenarios),
        "design_priors": {name: drawn for name in study.scenarios if (drawn := design_priors(study, name))},
        **_planned(study),
    }


def _events(study: Study) -> dict[str, Any]:
    """Each event in words and in formula; nothing where there are none."""
    listed = [
        {
            "name": name,
            "label": study.label(name),
            "hazard": event.hazard.kind,
            "depends": dict(event.depends),
            "words": event_words(study, name),
            "formula": event_formula(study, name),
        }
        for name, event in study.events.items()
    ]
    return {"events": listed} if listed else {}


def _planned(study: Study) -> dict[str, Any]:
    """What the [design] comes to, and what is true under each scenario; nothing where there is no design."""
    if study.design is None:
        return {}
    truths = {s: {k: asdict(v) for k, v in planned.true_values(study, s).items()} for s in study.scenarios}
    return {"design": asdict(planned.schedule(study, study.design)), "truths": truths}


def cohort_part(study: Study, cohort: Cohort) -> dict[str, Any]:
    """What was read of a table: patients, rows used and set aside with their lines, cells of each outcome, levels,
    notices."""
    return {
        "source": cohort.source,
        "sha256": cohort.sha256,
        "patients": len(cohort.patients),
        **cohort.rows.as_dict(),
        "levels": level_counts(study, cohort),
        "notices": list(cohort.notices),
    }


def faults_part(error: InputError) -> list[dict[str, str]]:
    """Every fault of an input: where it is, what it is, what was found, how to mend it, and its code."""
    return [asdict(fault) for fault in error.faults]


def paper_part(parts: Mapping[str, Sequence[Block]]) -> dict[str, Any]:
    """Each part of a manuscript: its tables as they are shown, and its words, paragraph by paragraph."""
    told: dict[str, Any] = {}
    for name, blocks in parts.items():
        tables = [
            {
                "name": t.name,
                "caption": t.caption,
                "columns": list(t.headers),
                "rows": [[str(c) for c in r] for r in t.rows],
            }
            for t in blocks
            if isinstance(t, Table)
        ]
        words = [
            line
            for b in blocks
            for line in (b.items if isinstance(b, Items) else [b.text] if isinstance(b, Paragraph) else [])
        ]
        told[name] = {"tables": tables, "text": words}
    return told
