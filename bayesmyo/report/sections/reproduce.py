"""All that is needed to do it again: versions, seed, hashes, commands, and the study word for word."""

import platform
from pathlib import PurePath

from bayesmyo._version import __version__
from bayesmyo.report.blocks import Block, Cell, Code, Heading, Paragraph, Section, Table
from bayesmyo.report.results import Results
from bayesmyo.study import find_study, studies
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash, to_toml

TABLES = (".csv", ".xlsx", ".parquet")


def reproduce(r: Results) -> Section:
    attrs = r.fit.tree.attrs
    s = r.fit.sampling
    settings: tuple[tuple[Cell, ...], ...] = (
        ("engine", r.fit.engine), ("seed", str(r.fit.seed)), *((k, str(v)) for k, v in s.items()),
        ("SHA-256 of the study (without comments and [report])", str(attrs["study_sha256"])),
        ("SHA-256 of the table", str(attrs["data_sha256"]) or "not kept"),
    )  # fmt: skip
    versions: tuple[tuple[Cell, ...], ...] = (
        *((name, version) for name, version in r.fit.versions.items()), ("bayesmyo that wrote this page", __version__),
    )  # fmt: skip
    caption = f"Software with which the model was fitted; this page was written on {platform.machine()}"
    blocks: list[Block] = [
        Paragraph(
            "The same study, table, seed and versions on the same kind of processor give the same draws, bit for bit. "
            "Elsewhere numbers agree within their Monte Carlo errors."
        ),
        Code("Commands", "\n".join(commands(r))),
        Table("settings", "Settings and hashes", ("what", "value"), settings, folded=True),
        Table("versions", caption, ("package", "version"), versions, folded=True),
        Heading("The study, word for word"),
        Code("Study file", r.study.text or to_toml(r.study), folded=True),
    ]
    return Section("reproduce", "To do it again", tuple(blocks))


def commands(r: Results) -> list[str]:
    """What to type, in order."""
    s = r.fit.sampling
    name = next((n for n, path in studies().items() if _is(r.study, path.read_text("utf-8"), n)), "study.toml")
    kind = PurePath(str(r.fit.tree.attrs["data_source"])).suffix.lower()
    table = f"table{kind if kind in TABLES else '.csv'}"  # its own name may be a patient's
    options = (
        f"--engine {r.fit.engine} --seed {r.fit.seed} --draws {s['draws']} --tune {s['tune']} --chains {s['chains']}"
    )
    options += f" --target-accept {s['target_accept']:g} --adaptation {s['adaptation']}"
    flags = (" --power power" if r.power else "") + (" --calibration calibration" if r.calibration else "")
    flags += (" --refit" if r.refitted else "") + (" --patient-level" if r.patient_level else "")
    return [
        f"bayesmyo fit {name} {table} -o fit.nc {options}", "bayesmyo check fit.nc", "bayesmyo estimate fit.nc",
        f"bayesmyo report fit.nc -o report.html{flags}",
    ]  # fmt: skip


def _is(study: Study, text: str, name: str) -> bool:
    """Whether a study is the bundled one of this text and name, which is understood only where the text leaves it open."""
    return study.text == text or (study.title in text and study_hash(find_study(name)) == study_hash(study))
