"""As if without treatment from the exit on: jump to reference."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Reference(Course):
    """The mean course of the reference group, keeping the patient's own start.

    Reference: Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911.
    """

    kind: Literal["reference"] = "reference"
    compares: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return "jumped to the mean course of the reference group"

    def after(self, paths: Paths) -> Affine:
        return paths.reference, 0.0
