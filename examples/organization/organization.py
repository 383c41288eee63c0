"""Many accounts: the ready-to-use project as one stack for each account and Region, in parallel.

    python organization.py preview|up [--file organization.yaml] [--only ACCOUNT-OR-STACK]...

Pulumi's Automation API runs the stacks, in whatever backend `pulumi login` or PULUMI_BACKEND_URL says. Each
assumes its account's role from the credentials that this program is started with. One that fails stops no
other; at the end a table says what was done everywhere. Exit code 1: something failed. 2: it could not start.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pulumi import automation

if TYPE_CHECKING:
    from collections.abc import Iterable

IMAGE_DATE = "pulumi-python:dynamic/ec2:AmiDeprecation"
#: The engine's word for what happens to an image's date -> the table's.
OPERATIONS = {"create": "set", "update": "moved", "delete": "canceled", "same": "unchanged"}


class Mistake(Exception):
    """The file cannot be meant; the text says where and why."""


@dataclass(frozen=True)
class Target:
    """One account in one Region."""

    account: str
    region: str
    config: dict[str, Any]

    @property
    def stack(self) -> str:
        return f"{self.account}-{self.region}"


@dataclass
class Outcome:
    """What became of one stack: images by operation, and why it failed, if it did."""

    target: Target
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    failed: bool = False

    def note(self, event: automation.EngineEvent) -> None:
        """Take what the engine reports: finished images, and errors in its own words."""
        finished = event.res_outputs_event
        if finished and finished.metadata.type == IMAGE_DATE:
            operation = finished.metadata.op.value
            self.done[OPERATIONS.get(operation, operation)] += 1
        diagnostic = event.diagnostic_event
        if diagnostic and diagnostic.severity == "error" and diagnostic.message.strip():
            plain = diagnostic.message.replace("<{%reset%}>", "").strip()
            self.errors.append(plain.splitlines()[-1] if plain.startswith("Traceback") else plain)


def read(file: Path, only: Iterable[str]) -> tuple[Path, int, list[Target]]:
    """The project's folder, how many stacks to run at once, and the stacks."""
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
        project = (file.parent / given["project"]).resolve()
        targets = [
            Target(name, region, _config(_checked(name, account), region, given.get("config") or {}))
            for name, account in given["accounts"].items()
            for region in account.get("regions") or given["regions"]
        ]
        parallel = int(given.get("parallel", 4))
    except (OSError, yaml.YAMLError) as error:
        raise Mistake(f"{file}: {' '.join(str(error).split())}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Mistake(f"{file}: it is not like the example's: {type(error).__name__} {error}") from None
    if not (project / "__main__.py").is_file():
        raise Mistake(f"{file}: project: there is no __main__.py in {project}")
    wanted = set(only)
    unknown = wanted - {t.account for t in targets} - {t.stack for t in targets}
    if unknown:
        raise Mistake(f"--only: there is no account or stack {', '.join(sorted(unknown))} in {file}")
    chosen = [t for t in targets if not wanted or t.account in wanted or t.stack in wanted]
    return project, max(parallel, 1), chosen


def _checked(name: str, account: dict[str, Any]) -> dict[str, Any]:
    """YAML makes a number of an id without quotes, and an octal one of a leading zero."""
    if not re.fullmatch("[0-9]{12}", str(account["id"])):
        raise Mistake(
            f"accounts.{name}.id: {account['id']!r} is not the twelve digits of an account, in quotes"
        )
    return account


def _config(account: dict[str, Any], region: str, common: dict[str, Any]) -> dict[str, Any]:
    """What a stack's settings file would hold."""
    return {
        **common,
        **account.get("config", {}),
        "aws:region": region,
        "aws:assumeRoles": [{"roleArn": account["roleArn"], "sessionName": "ami-deprecation"}],
        # A role of the wrong account is noticed before anything is read or changed there.
        "aws:allowedAccountIds": [str(account["id"])],
    }


def run(verb: str, target: Target, project: Path, command: automation.PulumiCommand) -> Outcome:
    """Preview or update one stack. Never raises: what goes wrong is the outcome."""
    outcome = Outcome(target)
    with tempfile.TemporaryDirectory(prefix=f"{target.stack}-") as folder:
        # A copy of the program, so that the stacks' settings, made from the one file, are in nobody's way.
        shutil.copy(project / "__main__.py", folder)
        own = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
        python = automation.ProjectRuntimeInfo("python", {"virtualenv": sys.prefix})
        options = automation.LocalWorkspaceOptions(
            project_settings=automation.ProjectSettings(name=own["name"], runtime=python),
            stack_settings={target.stack: automation.StackSettings(config=target.config)},
            pulumi_command=command,
        )
        try:
            stack = automation.create_or_select_stack(target.stack, work_dir=folder, opts=options)
            if verb == "up":
                stack.up(on_event=outcome.note)
            else:
                stack.preview(on_event=outcome.note)
        except Exception as error:  # noqa: BLE001  # the Automation API has many; none may end the others
            outcome.failed = True
            if not outcome.errors:
                outcome.errors.append(_last_words(error))
    say(f"{target.stack}: {'failed' if outcome.failed else 'done'}")
    return outcome


def _last_words(error: Exception) -> str:
    """The CLI's own sentence out of an error that holds all its output."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return (errors or lines or [type(error).__name__])[0]


def table(outcomes: Iterable[Outcome]) -> str:
    """One line for each stack, then why the failed ones failed."""
    heads = ["account", "region", *OPERATIONS.values(), "result"]
    rows = [
        [
            each.target.account,
            each.target.region,
            *(str(each.done[name]) for name in OPERATIONS.values()),
            "FAILED" if each.failed else "ok",
        ]
        for each in outcomes
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [_line(row, widths) for row in (heads, *rows)]
    for each in outcomes:
        lines += [f"{each.target.stack}: {error}" for error in dict.fromkeys(each.errors) if each.failed]
    return "\n".join(lines)


def _line(row: list[str], widths: list[int]) -> str:
    cells = [
        text.rjust(width) if text.isdigit() else text.ljust(width)
        for text, width in zip(row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def say(text: str) -> None:
    """Progress goes to stderr, the table to stdout."""
    sys.stderr.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("verb", choices=["preview", "up"])
    parser.add_argument("--file", type=Path, default=Path(__file__).with_name("organization.yaml"))
    parser.add_argument("--only", action="append", default=[], metavar="ACCOUNT-OR-STACK")
    given = parser.parse_args(arguments)
    try:
        project, parallel, targets = read(given.file, given.only)
        command = automation.PulumiCommand()
    except (Mistake, automation.errors.CommandError, FileNotFoundError) as error:
        say(f"error: {error}")
        return 2
    with ThreadPoolExecutor(parallel) as pool:
        outcomes = list(pool.map(lambda target: run(given.verb, target, project, command), targets))
    sys.stdout.write(f"{table(outcomes)}\n")
    return 1 if any(each.failed for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
