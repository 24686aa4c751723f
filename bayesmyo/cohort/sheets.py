"""Which sheets of a workbook hold the visits and the patients, and what to say where the study does not.

Where it does not, the likeliest sheets are read on, so that what is wrong with their cells is told in the same breath.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bayesmyo.cohort.parts import columns_of_patients, columns_of_visits
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.study import Study

Headers = Mapping[str, tuple[str, ...]]  # of each sheet, () where it is empty


@dataclass(frozen=True)
class Sheets:
    """The sheets to read, and why the study has to name them before anything is made of them."""

    visits: str | None
    patients: str | None = None
    faults: tuple[Fault, ...] = ()


def choose(study: Study, of_visits: Headers, of_patients: Headers, one_file: bool) -> Sheets:
    """The sheets of a workbook that a study names, or else those that its columns point to, and the faults of that.

    of_visits, of_patients: the headers of its sheets, below the lines that are skipped above those of visits, and at
        the top
    one_file: whether the patients, too, can only be in this workbook
    """
    form, faults = study.data, []
    filled = [name for name, header in of_visits.items() if header]
    visits, patients = form.sheet, form.patients_sheet if one_file else None
    for named in filter(None, (visits, patients)):
        if named not in of_visits:
            mend = did_you_mean(named, list(of_visits)).replace("allowed:", "sheets:")
            faults.append(Fault("file", "has no such sheet", f'"{named}"', mend, "D41"))
    if visits not in of_visits:
        likely = [name for name in filled if name != patients] or filled
        guess = max(likely, key=lambda name: len({*of_visits[name]} & {*columns_of_visits(study)}), default=visits)
        if visits is None and len(filled) > 1:
            listed = ", ".join(f'"{name}"' for name in filled)
            mend = f'say which holds the visits: data.sheet = "{guess}"'
            faults.append(Fault("file", f"has several sheets: {listed}", mend=mend, code="D41"))
        visits = guess
    if one_file and visits is not None and patients not in of_patients:
        needed = columns_of_patients(study)
        absent = [column for column in needed if column not in of_visits[visits]]
        held = {name: [c for c in absent if c in header] for name, header in of_patients.items() if name != visits}
        owner = max(held, key=lambda name: len(held[name]), default=None)
        if patients is None and owner is not None and held[owner]:
            one = len(held[owner]) == 1
            listed = ", ".join(f'"{column}" ({needed[column]})' for column in held[owner])
            what = f"column{'' if one else 's'} {listed} {'is' if one else 'are'} missing"
            mend = f'sheet "{owner}" has {"it" if one else "them"}: write patients_sheet = "{owner}" in [data]'
            faults.append(Fault(f'sheet "{visits}", header', what, mend=mend, code="D18"))
        patients = owner if owner is not None and held[owner] else None
    return Sheets(visits, patients, tuple(faults))
