"""What a spreadsheet shows of a number: its number format, read by its own signs (ECMA-376, part 1, 18.8.31).

A format that only rounds, groups or colours changes nothing: the number counts as it is held. One that shows something
else (45 % for 0.45, <20 for 20, 007 for 7, nothing for 0) changes what a reader of the sheet believes, and so what the
cell says.
"""

import operator
import re
from functools import lru_cache

PLAIN = ("General", "@", "")
PLACEHOLDER = "0#?"
# quoted text, an escaped sign, a space as wide as a sign, a sign that fills the cell;
# colour, condition, currency or elapsed time; General; any other sign
TEXTS, BRACKET = r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.', r"\[(?P<bracket>[^\]]*)\]?"
TOKEN = re.compile(rf"{TEXTS}|{BRACKET}|(?P<general>General)|(?P<sign>.)", re.S | re.I)
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")
HOLDS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "<>": operator.ne}
LONGEST = 255  # characters of a format that a spreadsheet program takes


def shown(value: float, held: str, form: str, decimal: str = ".") -> str | None:
    """What a cell with this number and format shows, as it would be typed; None where it shows the number.

    It is empty where the cell shows nothing.

    held: the number as text with the sign `decimal`, and every digit that it has; digits that the format rounds away
        are kept
    """
    if form in PLAIN or len(form) > LONGEST:
        return None
    sections = _sections(form)
    section, negative = _section(sections, value)
    if section is None:
        return None
    before, digits, after, percent, padded = section
    dash = value == 0 and before.strip() in ("-", "–")  # what bookkeepers write for nothing
    if dash and not digits.strip("?"):
        return None
    if not digits:  # no number is in it: only what it says instead
        return (before + after).strip()
    if negative:  # that it is negative is what brackets or a minus say in a section of its own
        before, after = re.sub(r"[(-]", "", before, count=1), after.replace(")", "", 1)
    number, thousands = held, len(digits) - len(digits.rstrip(","))
    if percent or thousands:
        number = f"{value * 100**percent / 1000**thousands:.12g}".replace(".", decimal)
    elif padded and value == int(value):
        number = _padded(int(abs(value)), digits, value < 0)
    text = f"{before.strip()}{number}{after.rstrip()}"
    return None if text == held or text == f"+{held}" else text


# signs before the number, its placeholders, signs after it, times a hundred, whether padded
Section = tuple[str, str, str, int, bool]


@lru_cache(maxsize=1000)
def _sections(form: str) -> list[tuple[str, Section | None]]:
    """(condition, what is shown) of each part of a format."""
    parts: list[list[re.Match[str]]] = [[]]
    for token in TOKEN.finditer(form):
        if token["sign"] == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [_read(tokens) for tokens in parts]


def _read(tokens: list[re.Match[str]]) -> tuple[str, Section | None]:
    before, digits, after, condition, percent = "", "", "", "", 0
    for token in tokens:
        sign, bracket = token["sign"], token["bracket"]
        literal = token["quoted"] if token["quoted"] is not None else token["escaped"]
        if bracket is not None:
            condition = bracket if CONDITION.fullmatch(bracket) else condition
            currency = re.fullmatch(r"\$([^-]*)(-.*)?", bracket)
            literal = currency[1] if currency else None
        if token["general"]:
            digits += "General"
        elif sign is not None and (sign in PLACEHOLDER or (digits and sign in ".,/E+- " and not after)):
            digits += sign
        elif sign == "%":
            percent, literal = percent + 1, "%"
        elif sign is not None:
            if sign == "@":
                return condition, None
            literal = sign
        if literal and digits:
            after += literal
        elif literal:
            before += literal
    whole = digits.strip()
    after = digits[len(digits.rstrip()) :] * bool(after) + after
    padded = bool(re.fullmatch(r"#*0[0-]+", whole))
    return condition, (before, whole, after, percent, padded)


def _section(sections: list[tuple[str, Section | None]], value: float) -> tuple[Section | None, bool]:
    """The part of a format that shows this value, and whether it is one for negative numbers alone."""
    conditions = [CONDITION.fullmatch(condition) for condition, _ in sections]
    if any(conditions):
        for condition, (_, section) in zip(conditions, sections, strict=True):
            if condition is None or HOLDS[condition[1]](float(value), float(condition[2])):
                return section, False
        return None, False
    numbers = [section for _, section in sections[:3]]
    if value < 0 and len(numbers) > 1:
        return numbers[1], True
    return (numbers[2], False) if value == 0 and len(numbers) > 2 else (numbers[0], False)


def _padded(value: int, digits: str, negative: bool) -> str:
    """A whole number with as many digits as the format has zeros, and its signs between them (`00-00`)."""
    left, text = list(str(value)), ""
    for sign in reversed(digits):
        text = (left.pop() if left else "0" if sign == "0" else "") + text if sign in PLACEHOLDER else sign + text
    return ("-" if negative else "") + "".join(left) + text
