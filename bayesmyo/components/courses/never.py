"""A failure, whatever the course."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Never(Course):
    """Who left meets no criterion (composite): of shares of patients and categories of response alone."""

    kind: Literal["never"] = "never"
    fails: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return "met no criterion"

    def after(self, paths: Paths) -> Affine:
        return paths.own, 0.0
