"""How numbers and names are written in a sentence."""


def significant(value: float) -> str:
    """Three significant digits, trailing zeros kept, without an exponent where one can be avoided."""
    if not 0 < abs(value) < 999.5:
        return f"{value:,.0f}"
    return f"{value:#.3g}".removesuffix(".")


def probability_text(p: float) -> str:
    """A probability that never claims certainty."""
    return "more than 0.999" if p > 0.999 else "less than 0.001" if p < 0.001 else f"{p:.3f}"


def in_sentence(label: str) -> str:
    """A label inside a sentence: `Mean MRC grade` begins small, `CPK` does not."""
    return label[0].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label
