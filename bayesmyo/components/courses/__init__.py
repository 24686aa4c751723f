"""Courses: what becomes of a patient's expected course once the patient has left.

To add one: copy `shift.py` to a new file, write `sentence` and `after`, say what its amount is, and add its line to
`COURSES`.
"""

from bayesmyo.components.courses.copy_increments import CopyIncrements
from bayesmyo.components.courses.course import Course, Paths
from bayesmyo.components.courses.drift import Drift
from bayesmyo.components.courses.never import Never
from bayesmyo.components.courses.reference import Reference
from bayesmyo.components.courses.return_ import Return
from bayesmyo.components.courses.shift import Shift
from bayesmyo.components.courses.stay import Stay

COURSES: tuple[type[Course], ...] = (Shift, Drift, Return, Stay, Reference, CopyIncrements, Never)

__all__ = ["COURSES", "CopyIncrements", "Course", "Drift", "Never", "Paths", "Reference", "Return", "Shift", "Stay"]
