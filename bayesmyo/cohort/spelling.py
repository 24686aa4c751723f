"""How two spellings of one id differ: in what no reader could tell apart, or in a slip of a pen or a program.

Ids stay as typed. Nothing here shows one: a difference is described by its kind, its characters' code points and their
places.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

from bayesmyo.components.numbers import listing

# letters of other alphabets that look like Latin ones, in the order of LATIN
ALIKE = "АВЕЅІЈКМНОРСТУХаеѕіјорсухҮԌԚԜѴһԁԛԝѵӀӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρυϲϹϳͿՕօ"
LATIN = "ABESIJKMHOPCTYXaesijopcyxYGQWVhdqwvIlABEZHIKMNOPTYXoavpucCjJOo"
SKELETON = str.maketrans(ALIKE, LATIN)
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # grapheme joiner, fillers, a blank of braille
VARIANTS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # selectors of a character's form
# beside those that Unicode calls dashes: minus, bullet, long vowel ...
DASHES = frozenset("\u2212\u02d7\u2043\u2796\u30fc")
APOSTROPHES = frozenset("'`´‘’‚‛ʹʻʼʽˈ′‵")
ROUND = str.maketrans("OoIl|", "00111")  # letters that are read as digits most often
SQUARE = str.maketrans("OoIl|SsBZz", "0011155822")
MOST = 3  # characters that a difference names


@dataclass(frozen=True)
class Habit:
    """One way in which a text is written in two: its name, what takes it out of a text, its entry in the catalogue."""

    name: str
    taken_out: Callable[[str], str]
    code: str = "D21"

    def without(self, text: str) -> str:
        """The text without it; of letters and digits of ASCII alone, only case can differ."""
        plain = text.isascii() and text.isalnum() and self.taken_out is not str.casefold
        return text if plain else self.taken_out(text)


def _each(replaced: Callable[[str], str]) -> Callable[[str], str]:
    of_one = lru_cache(maxsize=10_000)(replaced)
    return lambda text: "".join(map(of_one, text))


def _unseen(c: str) -> bool:
    unseen = unicodedata.category(c) in ("Cf", "Cc") and not c.isspace()
    return unseen or c in UNSEEN or any(ord(c) in variants for variants in VARIANTS)


def _dash(c: str) -> str:
    return "-" if c in DASHES or unicodedata.category(c) in ("Pd", "Pc") else c


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _without_space(text: str) -> str:
    """White space between two digits parts two numbers; elsewhere it parts nothing."""
    return re.sub(r"(?<!\d) | (?!\d)", "", " ".join(text.split()))


def _without_point_zero(text: str) -> str:
    return re.sub(r"^(\d+)[.,]0+$", r"\1", text)


HABITS = (
    Habit("invisible characters", _each(lambda c: "" if _unseen(c) else c)),
    Habit("full-width or composed forms", lambda text: re.sub(r"\S+", lambda word: _composed(word[0]), text)),
    Habit("digits of another script", _each(lambda c: str(unicodedata.decimal(c, c))), "D25"),
    Habit("letters of another alphabet that look alike", lambda text: text.translate(SKELETON), "D25"),
    Habit("kinds of dash", lambda text: re.sub("-+", "-", _each(_dash)(text))),
    Habit("kinds of apostrophe", _each(lambda c: "'" if c in APOSTROPHES else c)),
    Habit("case", str.casefold),
    Habit("white space", _without_space),
    Habit('".0" at the end, which programs add that take ids for numbers', _without_point_zero),
)


def fold(text: str) -> str:
    """What two spellings of one text have in common that no reader of a page could tell apart."""
    return text.casefold() if text.isascii() and text.isalnum() else _readings(text)[-1]


@lru_cache(maxsize=100_000)  # of one id several readings are compared
def _readings(text: str) -> tuple[str, ...]:
    """The text, and what is left of it without one habit after the other. (habit + 1,)"""
    read = [text]
    for habit in HABITS:
        left = habit.without(read[-1])
        read.append(read[-1] if left == read[-1] else left)  # what stays is held once
    return tuple(read)


def _but(text: str, n: int) -> str:
    """What a text folds to where one habit is left in."""
    return reduce(lambda left, habit: habit.without(left), HABITS[n + 1 :], _readings(text)[n])


@dataclass(frozen=True)
class Difference:
    """How spellings differ that fold to one text.

    text: `white space (a space after character 3)`; code: its entry in the catalogue
    odd: the spellings that hold the characters which the text names
    """

    text: str
    code: str
    odd: tuple[str, ...]


def difference(spellings: Sequence[str]) -> Difference:
    """Between two or more spellings that fold to one text."""
    held = [n for n in range(len(HABITS)) if any(r[n] != r[n + 1] for r in map(_readings, spellings))]
    habits = [HABITS[n] for n in held if len({_but(text, n) for text in spellings}) > 1]
    habits = habits or [h for h in HABITS if any(h.without(text) != text for text in spellings)]
    parts, odd = [], []
    for habit in habits:
        named: dict[str, None] = {}
        for text in spellings:
            places = [*_places(text, habit)]
            named |= dict.fromkeys(places)
            odd += [text] * bool(places)
        more = " ..." if len(named) > MOST else ""
        parts.append(habit.name + (f" ({', '.join([*named][:MOST])}{more})" if named else ""))
    return Difference(listing(parts), max(h.code for h in habits), tuple(dict.fromkeys(odd)))


def _places(text: str, habit: Habit) -> Iterator[str]:
    """Where a text holds an unseen or mistakable character of a habit: `U+200B after character 3`."""
    for n, c in enumerate(text):
        if not (c.isascii() and c.isprintable() and not c.isspace()) and habit.without(c) != c:
            name = {" ": "a space", "\t": "a tab"}.get(c, f"U+{ord(c):04X}")
            place = f"after character {n}" if n else "at the beginning"
            yield f"{name} {place if c.isspace() or _unseen(c) else f'as character {n + 1}'}"


# --- what may be two people, and may be one


def _numbers(text: str) -> str:
    """A folded text without the zeros before its numbers."""
    return re.sub(r"\d+", lambda digits: digits[0].lstrip("0") or "0", text) if "0" in text else text


def _words(text: str) -> tuple[str, ...]:
    """The numbers and words of a folded text, whatever stands between them."""
    return tuple(re.findall(r"\d+|[^\W\d_]+", text))


def _run_together(text: str) -> str:
    """Its letters and digits, written together."""
    return text if text.isalnum() else "".join(c for c in text if c.isalnum() or unicodedata.category(c)[0] == "M")


def _bare(text: str) -> str:
    """A folded text without the accents in its words; a letter alone may well count: A1, Ä1."""
    return text if text.isascii() else re.sub(r"[^\W\d_]{2,}", lambda word: _without_marks(word[0]), text)


def _without_marks(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")


def _read(text: str, digits: dict[int, int]) -> str:
    """Folded, with the letters that are taken for digits as digits."""
    return fold((text if text.isascii() else _composed(text).translate(SKELETON)).translate(digits))


@dataclass(frozen=True)
class Slip:
    """One way in which an id may be written in two: its name, what both have in common, and its entry in the catalogue.

    plain: one of the two must be letters and digits alone (1-11 and 111 are alike, 1-11 and 11-1 are two numbers each)
    """

    name: str
    common: Callable[[str], Hashable]
    code: str = "D52"
    plain: bool = False

    def holds(self, ids: Sequence[str]) -> bool:
        """Whether ids that have this in common may be one."""
        return bool(self.common(ids[0])) and (not self.plain or any(fold(text).isalnum() for text in ids))


LIKE_DIGITS = "letters that look like digits"
SLIPS = (
    Slip("leading zeros", lambda text: _numbers(fold(text)), "D20"),
    Slip('".0" at the end', lambda text: _numbers(re.sub(r"(\d)[.,]0+$", r"\1", fold(text))), "D20"),
    Slip(LIKE_DIGITS, lambda text: _read(text, SQUARE)),
    Slip("accents", lambda text: _bare(fold(text))),
    Slip("punctuation", lambda text: _words(fold(text))),
    Slip("punctuation", lambda text: _run_together(fold(text)), plain=True),
    Slip(f"punctuation, leading zeros or {LIKE_DIGITS}", lambda text: _words(_numbers(_read(text, ROUND)))),
)


def slips(ids: Iterable[str]) -> Iterator[tuple[Slip, tuple[str, ...]]]:
    """Ids that may be one, each group with the narrowest way in which it may be."""
    told: set[str] = set()
    ids = tuple(ids)
    for slip in SLIPS:
        groups: dict[Hashable, list[str]] = defaultdict(list)
        for text in ids:
            groups[slip.common(text)].append(text)
        for group in groups.values():
            if len(group) > 1 and slip.holds(group) and not told.issuperset(group):
                told.update(group)
                yield slip, tuple(group)


class Likeness:
    """Which of many ids another may be; what each has in common with others is kept."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._folded: dict[str, str] = {}
        self._alike: dict[tuple[int, Hashable], str] = {}
        for text in ids:
            self._folded.setdefault(fold(text), text)
            for n, slip in enumerate(SLIPS):
                self._alike.setdefault((n, slip.common(text)), text)

    def to(self, text: str) -> str:
        """How a text differs from the id that it may be; "" where there is none."""
        if (same := self._folded.get(fold(text))) is not None:
            return difference([same, text]).text
        for n, slip in enumerate(SLIPS):
            near = self._alike.get((n, slip.common(text)))
            if near is not None and slip.holds([near, text]):
                return slip.name
        return ""
