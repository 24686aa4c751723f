"""Nested numbers in plain columns, as tables have them."""

from collections.abc import Mapping
from typing import Any


def flat(found: Mapping[str, Any]) -> dict[str, Any]:
    """A nested table in plain columns: `bias` -> `bias_value`, `bias_mcse`; comparators by their names."""
    columns: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, Mapping):
            columns |= {f"{key}_{k}": v for k, v in flat(value).items()}
        else:
            columns[key] = value
    return columns
