"""Who the rows are about: patients' ids as typed, and the columns that would say who the patients are."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.spelling import Difference, difference, fold
from bayesmyo.cohort.table import Table, lines_text
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.errors import Fault
from bayesmyo.limits import NAME
from bayesmyo.study.study import Study

DIGITS = 15  # of a number, that a spreadsheet keeps
EMAIL = re.compile(r"(?<=[^\s@,;])@[^\s@,;]+\.[A-Za-z]{2}")  # from its sign on, so that a long text is read once
WHOSE = ("patients", "patient", "patienten", "subjects", "subject", "participants", "participant", "pt")
OF = ("ofthepatient", "ofpatient", "patients", "patient", "ofthesubject", "ofsubject", "subject", "participant")
TWO_WORDS = re.compile(r"[^\W\d_]{2,}(,\s*|\s+)[^\W\d_]{2,}([ -][^\W\d_]+)*")
IDENTIFYING = frozenset(  # written together, as in a header that is one word
    """
    name|full name|first name|last name|forename|given name|family name|surname|middle name|maiden name|nachname|
    vorname|nom|prenom|apellido|apellidos|nombre|cognome|date of birth|birth date|birthdate|birthday|dob|born|
    geburtsdatum|date de naissance|fecha de nacimiento|data di nascita|mrn|medical record|medical record number|
    medical record no|record number|record no|hospital number|hospital no|hospital id|case number|chart number|nhs|
    nhs number|nhs no|chi number|ssn|social security|social security number|insurance number|insurance no|
    national insurance number|health card number|passport|passport number|national id|tax id|email|e mail|
    email address|mail|phone|phone number|telephone|phone no|telephone no|mobile number|mobile phone|cell phone|
    home phone|telefon|telefonnummer|tel|mobile|fax|address|address line|home address|postal address|street address|
    adresse|anschrift|street|strasse|postcode|postal code|postleitzahl|plz|zip|zip code|initials|birth dt|
    dt of birth|birth day|date of death|death date|death dt|dod|next of kin
    """.replace("\n", "")
    .replace(" ", "")
    .split("|")
)


def check_ids(study: Study, table: Table, ids: Sequence[str], blank: Sequence[bool], book: FaultBook) -> None:
    """Blank ids, and several spellings of what is one on paper: patients who differ alike are one fault."""
    first = {text: line for line, text in zip(reversed(table.lines), reversed(ids), strict=True)}
    folded = {text: fold(text) if len(text) <= NAME else "" for text in first}
    for line, text, empty in zip(table.lines, ids, blank, strict=True):
        if len(text) > NAME:
            book.add(line, study.patient, f"the patient id has more than {NAME:,} characters", "", "shorten it", "D44")
        elif not folded[text] and not empty:
            mend = "fill it in: every row says who it is about"
            book.add(line, study.patient, "the patient id is blank", "", mend, "D19")
    _made_by_a_program(study, table, book)
    spellings: dict[str, list[str]] = defaultdict(list)
    for text in dict.fromkeys(ids):
        if folded[text]:
            spellings[folded[text]].append(text)
    alike: dict[tuple[str, str], list[tuple[str, Difference]]] = defaultdict(list)
    for group in spellings.values():
        if len(group) > 1:
            how = difference(group)
            alike[how.text, how.code] += [(text, how) for text in group]
    for (how_text, code), told in alike.items():
        odd = sorted(first[text] for text, how in told if text in how.odd)
        where = f" on {lines_text(odd, word=table.word)}" if odd else ""
        what = f"patient ids differ only in {how_text}{where}"
        lines, mend = [first[text] for text, _ in told], "write one patient in one way"
        book.rows(lines, what, mend=mend, code=code, column=study.patient)


def _made_by_a_program(study: Study, table: Table, book: FaultBook) -> None:
    """Ids that a program has changed: into dates, or into numbers whose lost digits make one patient of two."""
    sign, ids = (
        study.data.decimal,
        [*zip(table.lines, table.column(study.patient), table.was(study.patient), strict=True)],
    )
    places = {len(t) - 1 - t.index(sign) for _, t, was in ids if was.kind == "number" and not was.held and sign in t}

    def what(text: str, was: Origin) -> str:
        if was.kind == "date":
            return "a date or a time, which spreadsheets make of ids such as 3-12"
        if was.kind != "number" or was.held:
            return ""
        if "e+" in text or text.endswith(f"{sign}0"):
            return f"a number of more than {DIGITS} digits, of which programs lose the last"
        with_sign = "a number with a decimal sign, of which programs lose a last zero: 3.10 becomes 3.1"
        return with_sign if len(places) > 1 and sign in text else ""

    for line, text, was in ids:
        if said := what(text, was):
            mend = "format the column as text, then type the ids again"
            book.add(line, study.patient, f"the patient id is {said}", "", mend, "D52")


def identifying_faults(study: Study, table: Table, inside: str = "") -> list[Fault]:
    """Columns that say who the patients are, unless the study allows them; `inside` names a second table."""
    mend = "remove it, or name it in data.identifying: it is then never read or shown"
    own = "use pseudonyms such as P01, or name it in data.identifying"
    return [
        Fault(f"{inside}header", what, mend=own if name == study.patient else mend, code="D59")
        for name, what in identifying(study, table).items()
    ]


def identifying(study: Study, table: Table) -> dict[str, str]:
    """The columns that say who the patients are and that the study does not allow, each with how it does."""

    def how(n: int, name: str) -> str:
        if _says_who(name):
            return "identifies people"
        if any("@" in text and EMAIL.search(text) for text in {row[n] for row in table.rows}):
            return "holds e-mail addresses"
        return "holds names of people" if name == study.patient and _names(table.column(name)) else ""

    asked = [(n, name) for n, name in enumerate(table.header) if name not in study.data.identifying]
    return {name: f'column "{name}" {why}' for n, name in asked if (why := how(n, name))}


def _says_who(name: str) -> bool:
    """Whether a header is a word of IDENTIFYING, however written: lastName, "Patient's name", DOB (dd/mm/yyyy)."""
    words = {_word(text) for text in (name, re.sub(r"\([^()]*\)|\[[^][]*\]", " ", name))}
    words |= {word.removeprefix(whose) for word in words for whose in WHOSE}
    words |= {word.removesuffix(of) for word in words for of in OF}
    return not words.isdisjoint(IDENTIFYING)


def _word(text: str) -> str:
    """A header in small letters alone, written together, without a number around it."""
    return re.sub(r"^\d+|(?<!\d)\d+$", "", re.sub(r"[\W_]+", "", _ascii(text).casefold()))


def _names(texts: Sequence[str]) -> bool:
    """Whether most ids are two words or more: a name and a surname."""
    written = [t.strip() for t in texts if t.strip()]
    return sum(bool(len(t) <= NAME and TWO_WORDS.fullmatch(t)) for t in written) > len(written) / 2


def _ascii(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
