"""The machine that a fit runs on."""

from typing import Annotated

import typer

from bayesmyo.cli.options import JSON


def doctor(
    compile: Annotated[
        bool, typer.Option("--compile", help="Also compile a tiny model and sample it (seconds to a minute).")
    ] = False,
    json: JSON = False,
) -> None:
    """Say whether this machine can fit models. Versions, compiler, compile cache, cores, memory, disk; exit 1 if it
    cannot.
    """
    from bayesmyo.machine import examine
    from bayesmyo.report import documents, terminal

    findings = examine()
    if compile:
        from bayesmyo.inference.trial import trial

        findings.append(trial())
    passed = all(f.passed for f in findings)
    if json:
        rows = [{"name": f.name, "passed": f.passed, "sentence": f.sentence, "facts": dict(f.facts)} for f in findings]
        typer.echo(documents.document(passed=passed, findings=rows))
    else:
        for f in findings:
            state = "passed" if f.passed else "FAILED"
            terminal.say(f"{state}  {f.name}: {f.sentence}", "" if f.passed else "bold red")
    if not passed:
        raise typer.Exit(1)
