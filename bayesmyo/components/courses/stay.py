"""No change after the exit."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Stay(Course):
    """The level of the own course at the exit: what carrying the last observation forward means, of expected levels."""

    kind: Literal["stay"] = "stay"
    looks_back: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return "stayed at the level at which they left"

    def after(self, paths: Paths) -> Affine:
        return paths.at_exit, 0.0
