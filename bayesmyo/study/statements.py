"""What only the author of a study knows: the table [report]. Nothing is computed from it; a report prints it, or NOT
STATED."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StatedEstimand:
    """The five attributes of the estimand that the study is about, as ICH E9(R1) asks for them (2019), each in a
    sentence.

    intercurrent_events: such as a change of treatment, loss or death, each with the strategy that deals with it
    summary: the measure that compares patients or times (a mean change, a ratio of geometric means, a share)
    """

    treatment: str
    population: str
    variable: str
    intercurrent_events: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What only the author knows, each in a sentence or two. What is left out is printed in a report as NOT STATED.

    goal: what the analysis is for; why_bayesian: why it is done this way
    design, setting, dates, eligibility, data: kind of study; where; from when to when; who was included; where the
        table comes from
    follow_up: how patients were followed, and why some were not
    missing_data: what is assumed of measurements and patients that are missing
    priors: why the stated priors and clinical scales are what they are; from what source outside these data
    decisions: who set the rules of decision and their thresholds, and when: before or after the data were seen
    multiplicity: how several outcomes and decisions are dealt with
    prespecified: what was fixed before the data were seen, and where it can be read; deviations: what was changed since
    limits: of the study and of what can be concluded; without a control group, what a change during treatment may be
        due to
    """

    goal: str = ""
    why_bayesian: str = ""
    design: str = ""
    setting: str = ""
    dates: str = ""
    eligibility: str = ""
    data: str = ""
    follow_up: str = ""
    estimand: StatedEstimand | None = None
    missing_data: str = ""
    priors: str = ""
    decisions: str = ""
    multiplicity: str = ""
    prespecified: str = ""
    deviations: str = ""
    limits: str = ""
