"""Write docs/vocabulary.md: every word of a study file, from the dataclasses that define them.

uv run python scripts/vocabulary.py
"""

import inspect
import json
import textwrap
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from bayesmyo.components.component import Component
from bayesmyo.components.decisions import DECISIONS
from bayesmyo.components.distributions import LANGUAGE
from bayesmyo.components.estimands import ESTIMANDS, Contrast, Criterion, Estimand
from bayesmyo.components.families import FAMILIES
from bayesmyo.components.hazards import HAZARDS
from bayesmyo.components.residuals import RESIDUALS
from bayesmyo.components.trajectories import TRAJECTORIES, Trajectory
from bayesmyo.study.abstract import Abstract, Count, Number, Responders, Spread
from bayesmyo.study.design import Design, FollowUp, Loss, Randomised, Visits
from bayesmyo.study.evidence import Evidence
from bayesmyo.study.statements import StatedEstimand, Statements
from bayesmyo.study.study import (
    Covariate,
    DataFormat,
    Distributional,
    Event,
    Group,
    Limits,
    Outcome,
    Response,
    Study,
    Time,
)  # fmt: skip

PAGE = Path(__file__).parents[1] / "docs" / "vocabulary.md"
HEAD = """# The vocabulary of a study file

A study file is TOML. This page is written from the code (`scripts/vocabulary.py`); a test says when it drifts.
`bayesmyo init NAME` writes a commented example, and `bayesmyo validate` says what was understood.
"""


def keys(cls: Any, skip: tuple[str, ...] = ()) -> str:
    """A table of a dataclass's TOML keys: type and default."""
    hints = get_type_hints(cls)
    rows = ["| key | is | default |", "|---|---|---|"]
    for f in fields(cls):
        if f.name in skip or "made" in f.metadata:
            continue
        if "tables" in f.metadata:
            rows += [f"| `{name}` | table, see below |  |" for name in f.metadata["tables"]]
            continue
        required = f.default is MISSING and f.default_factory is MISSING
        default = "" if f.default in (None, MISSING, "") else f"`{shown(f.default)}`"
        rows.append(
            f"| `{f.metadata.get('key', f.name)}` | {words(hints[f.name])} | {'**required**' if required else default} |"
        )
    return "\n".join(rows)


def shown(value: Any) -> str:
    """A default as it would be typed."""
    return f'{{ kind = "{value.kind}" }}' if isinstance(value, Component) else json.dumps(value)


def words(hint: Any) -> str:
    """A type in words."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(words(a) for a in get_args(hint) if a is not NoneType)
    simple = {float: "number", int: "whole number", str: "text", bool: "true or false"}
    if hint in simple:
        return simple[hint]
    if getattr(hint, "__origin__", None) is tuple:
        return f"list of {words(get_args(hint)[0])}"
    if all(isinstance(a, str) for a in get_args(hint)) and get_args(hint):
        return " or ".join(f"`{a}`" for a in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Component):
        name = hint.__name__.lower()
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}, see below"
    return "table"


def doc(cls: Any) -> str:
    """The docstring: its first sentence as text, the rest as it is laid out."""
    first, _, rest = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")
    body = f"\n\n```text\n{textwrap.dedent(rest)}\n```" if rest else ""
    return first.replace("\n", " ") + body


def catalogue(title: str, example: str, components: Any, skip: tuple[str, ...] = ()) -> str:
    parts = [f"## {title}\n", f"```toml\n{example}\n```\n"]
    for c in components:
        parts += [f"### `{c.kind}`\n", doc(c) + "\n"]
        if any(f.name not in (*skip, "kind") for f in fields(c)):
            parts.append(keys(c, (*skip, "kind")) + "\n")
    return "\n".join(parts)


def page() -> str:
    """The whole page."""
    shared = tuple(f.name for f in fields(Estimand))
    tables = [
        (
            "[study]",
            Study,
            (
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
                "text",
            ),
        ),
        ("time", Time, ()),
        ("[data]", DataFormat, ()),
        ("[covariates.NAME]", Covariate, ()),
        ("[groups.NAME]", Group, ()),
        ("[outcomes.NAME]", Outcome, ()),
        ("[outcomes.NAME.sigma]", Distributional, ()),
        ("outcomes.NAME.censoring", Limits, ()),
        ("[events.NAME]", Event, ()),
        ("[evidence.NAME]", Evidence, ()),
        ("[responses.NAME]", Response, ()),
        ("[design]", Design, ()),
        ("design.follow_up", FollowUp, ()),
        ("design.visits", Visits, ()),
        ("design.loss", Loss, ()),
        ("design.randomised", Randomised, ()),
        ("[published]", Abstract, ()),
        ("published.follow_up", Spread, ()),
        ("published.lost", Count, ()),
        ("[published.numbers.NAME]", Number, ()),
        ("[published.responders.NAME]", Responders, ()),
        ("[report]", Statements, ()),
        ("[report.estimand]", StatedEstimand, ()),
    ]
    parts = [HEAD, "## Tables\n"]
    for title, cls, skip in tables:
        parts += [f"### `{title}`\n", doc(cls) + "\n", keys(cls, skip) + "\n"]
    parts += [
        "### `[scenarios.NAME]`\n",
        "A truth to simulate from. `like` names the scenario whose values hold where none is given; then one table of "
        "parameter values for each outcome and event: levels in outcome units, hazards as events per unit of time, what shifts a "
        "hazard as a hazard ratio, SDs and correlations on the model's scale. A study whose "
        "effects are correlated across outcomes may also state `correlations`; those that are not stated are zero. "
        'Instead of a number any value may be a prior as text, `asymptote = "normal(4.4, 0.2)"`, in the same units: each simulated '
        "cohort then draws its own truth, and power over it is assurance. Draws that no truth can have are drawn again, so a design "
        "prior is cut off there; at least 99 % of it must be possible. Design priors may be correlated, "
        '`together = { "mrc.start" = { "mrc.asymptote" = 0.4 } }`: their normal scores are, and each keeps its own distribution. '
        "`bayesmyo match` writes a scenario so, from `[published]`. "
        "`bayesmyo validate` lists the parameters.\n",
        catalogue("Families", 'family = { kind = "gaussian" }', FAMILIES),
        catalogue("Trajectories", 'trajectory = { kind = "linear", origin = 0 }', TRAJECTORIES),
        "Of every trajectory:\n",
        doc(Trajectory) + "\n",
        catalogue("Residuals", 'residual = { kind = "ou" }', RESIDUALS),
        catalogue(
            "Hazards",
            '[events.my_event]\nat = "happened"\ntypical = 0.2\nhazard = { kind = "constant" }',
            HAZARDS,
        ),
        catalogue(
            "Estimands",
            '[estimands.my_change]\nkind = "change"\noutcome = "strength"\nfrom = 0\nto = 12',
            ESTIMANDS,
            shared,
        ),
        "Every estimand also takes:\n",
        doc(Estimand) + "\n",
        keys(Estimand) + "\n",
        "#### `criteria`\n",
        doc(Criterion) + "\n",
        keys(Criterion) + "\n",
        "#### `contrast`\n",
        doc(Contrast) + "\n",
        keys(Contrast) + "\n",
        catalogue(
            "Decisions",
            '[decisions.my_rule]\nkind = "probability"\nestimand = "my_change"\nabove = 0.5\nprobability = 0.9',
            DECISIONS,
        ),
        "## Priors\n",
        'Stated per outcome, `priors = { slope = "normal(0, 1)" }`, on the scale that `bayesmyo validate` prints. SDs are standard '
        "deviations, never variances.\n",
        "\n".join(f"- `{name}({', '.join(d.arguments)})`, {d.support}" for name, d in LANGUAGE.items()) + "\n",
        "`constant(2.5)` is a value that is known: nothing is estimated, and an SD that is positive, a correlation between -1 and 1 may have one too.\n",
        "Any of them but `lkj`, `sqrt_inverse_gamma` and `constant` may be *truncated*, as Stan writes it: `normal(3, 1) T[0, 5]`, "
        "`student_t(4, 0, 1) T[, 2]`; one that is truncated at zero or above may be that of an SD. And they may be *mixed*, "
        "`0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)`: what is known with a weight, and what holds where it does not.\n",
        "The thresholds of a cumulative family have a prior together, `thresholds = ...`:\n",
        "- `induced_dirichlet(1)`: the shares of the categories at the start are Dirichlet; one concentration for all, or one for each\n"
        "- `ordered_normal(mean, sd)`: independent normals, given that they are in order\n",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.name}")
