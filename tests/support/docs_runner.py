"""Follows a page of the docs as a reader would: writes its files, types its commands, compares what comes back.

Every page has an EC2, a folder and a stack `dev` of its own, and its blocks are followed in their order:

- `python`: a whole program, written as `__main__.py`. Commands below it run it; without any, `pulumi up` does. One that
  is marked `python` is a script, and just run.
- `yaml` with `config:`: the stack's configuration. With `ami-deprecation:` keys it is for this repository's own project.
- `sh`, `bash`: commands, one a line, without a prompt so that they can be copied. A `text` block right below is the
  output of the last one. Each line must come, as a line or a part of one, with any text for a `…`; durations and
  spacing do not count. A command fails if and only if a line with `error:` is shown. `pulumi up` and `pulumi destroy`
  are confirmed without a preview of their own.
- `console`: the same in one block, each command after `$`.

Comments, which readers do not see, prepare and mark them:

- `<!-- image: ami-0123456789abcdef0 name=web created=2026-01-01 -->`: that image is in EC2; more words: `region=`,
  `account=`, `launched=`, `tag:Key=value`, `fix:critical=2026-01-01`, `public`. `date=2027-01-01` is its date, also to change one that is there.
- `<!-- run: pulumi up -->`: type that, unseen; any command.
- `<!-- test: file=name.py -->` before a block: the block is that file of the project. `more`: it continues the program
  before it. `output=COMMAND`: it is what that command prints. `exit=3`: the last command ends so. `changes=1`: the
  commands make so many changing EC2 calls together. `schema=vendor.github-workflows`: it follows that schema.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ami_deprecation.image import SEVERITIES, Scan
from tests.support.aws_stand_in import locate
from tests.support.blocks import Block, Step, blocks, steps, words
from tests.support.harness import REPOSITORY, Stack

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

#: The day on which the docs are set: EC2's clock stands still there, so that their dates stay in the future.
DAY = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
#: What a page may type. Anything else needs a reason in NOT_RUN.
TYPED = ("pulumi ", "ami-deprecation ", "python ", "pytest ", "make help", "cat ", "head ")
#: How commands begin that no test of a page runs, and why.
NOT_RUN = {
    "pip install": "it needs an index; test_release.py installs the wheel",
    ".venv/bin/pip install": "it needs an index; test_release.py installs the wheel",
    "python3 -m venv": "the stack of a page has a virtual environment",
    "pulumi package add": "it needs the published repository; test_sdk.py adds the package from plugin/",
    "pulumi new": "it needs the published repository; test_template.py makes a project from template/",
    "git ": "it needs a remote repository",
    "python examples/real-aws/check.py": "test_real_aws.py runs it",
    "make demo": "test_demo.py runs it",
    "make test": "it would run these tests again",
    "python organization.py": "test_examples.py runs that example",
}
TIMEOUT_SECONDS = 120


@dataclass
class Reader:
    """Somebody who follows one page.

    Attributes:
        not_run: commands that are left out, by how they begin, each with the reason.
        left_out: those that were.
    """

    cli: Cli
    ec2: LocalEC2
    folder: Path
    not_run: dict[str, str]
    left_out: set[str] = field(default_factory=set)
    _stacks: dict[str, Stack] = field(default_factory=dict)
    _project: str = "own"
    _program: str = ""
    _untried: bool = False

    def follow(self, page: Path) -> None:
        """Do all that the page says.

        Raises:
            AssertionError: something does not work as it stands there; with its line.
        """
        self.ec2.set_time(DAY)
        for block in blocks(page):
            where = f"{page.name}:{block.line}"
            try:
                self._take(block)
            except AssertionError as wrong:
                raise AssertionError(f"{where}: {wrong}") from None
        self._try_program()

    def _take(self, block: Block) -> None:
        _, marks = words(block.mark.partition("output=")[0])
        if block.language == "image":
            self._image(block.text)
        elif "output=" in block.mark:
            self._compare(block)
        elif "file" in marks:
            self._file(marks["file"], block.text)
        elif "schema" in marks:
            self._schema(block.text, marks["schema"])
        elif block.language == "python":
            self._python(block)
        elif block.language == "yaml" and "config" in (yaml.safe_load(block.text) or {}):
            self._config(yaml.safe_load(block.text))
        elif block.language in {"console", "sh", "bash", "run"}:
            mark = self.ec2.mark()
            if block.language == "run":
                self._shell(Step(block.text))
            else:
                self._type(steps(block), int(marks.get("exit", 0)))
            changes = [call.action for call in self.ec2.mutations(mark)]
            assert len(changes) == int(marks.get("changes", len(changes))), f"EC2 calls: {changes}"
        else:
            raise AssertionError(f"this {block.language or 'plain'} block is neither run nor marked")

    # What a reader writes.

    def _python(self, block: Block) -> None:
        if block.mark == "python":
            self._file("script.py", block.text)
            self._shell(Step("python script.py"))
            return
        if block.mark == "more":
            self._program += f"\n{block.text}"
        else:
            self._try_program()
            self._project = "own"
            self._program = block.text
        self._file("__main__.py", self._program)
        self._untried = True

    def _try_program(self) -> None:
        """Run the last program, when no command of the page has."""
        if self._untried:
            self._shell(Step("pulumi up"))

    def _file(self, name: str, text: str) -> None:
        (self._here().project / name).write_text(text)

    def _config(self, document: dict[str, object]) -> None:
        config = document["config"]
        assert isinstance(config, dict)
        if any(key.startswith("ami-deprecation:") for key in config):
            self._try_program()
            self._project = "ready-made"
        (self._here().project / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        self._untried = True

    def _here(self) -> Stack:
        """The stack of the project that the page is about: one's own, or a copy of this repository's."""
        if self._project not in self._stacks:
            source = REPOSITORY if self._project == "ready-made" else None
            stack = Stack.create(self.cli, self.folder / self._project, self.ec2, source, name="dev")
            self._stacks[self._project] = locate.use(stack)
        return self._stacks[self._project]

    # What a reader types.

    def _type(self, typed: list[Step], exit_code: int) -> None:
        assert typed, "there is no command in this block"
        for step in typed:
            last_code = exit_code if step is typed[-1] else 0
            reason = next((key for key in self.not_run if step.command.startswith(key)), None)
            if reason is not None:
                self.left_out.add(reason)
                continue
            assert step.command.startswith(TYPED), f"`{step.command}` is neither run nor listed in NOT_RUN"
            self._shell(step, last_code)

    def _shell(self, step: Step, exit_code: int = 0) -> str:
        stack = self._here()
        command = re.sub(r"^pulumi (up|destroy)\b", r"pulumi \1 --yes --skip-preview", step.command)
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=REPOSITORY if step.command.startswith("make ") else stack.project,
            # A program that changes within a second would be taken for the one that was compiled before.
            env=stack.environment() | {"COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        output = done.stdout + done.stderr
        failure = f"`{step.command}` ended with exit code {done.returncode}:\n{output}"
        if any("error:" in line for line in step.shown):
            assert done.returncode != 0, failure
        else:
            assert done.returncode == exit_code, failure
        came = [_plain(line) for line in output.splitlines()]
        for line in step.shown:
            pattern = ".*".join(re.escape(part) for part in _plain(line).split("…"))
            whole_words = rf"(?<!\S){pattern}(?!\S)"
            assert any(re.search(whole_words, each) for each in came), f"{line!r} does not come: {failure}"
        if re.match(r"pulumi (up|preview|destroy)\b|pytest ", step.command):
            self._untried = False
        return done.stdout

    def _compare(self, block: Block) -> None:
        """The block is the output of a command: JSON as such, anything else line by line."""
        command = block.mark.partition("output=")[2]
        if block.language == "json":
            assert json.loads(self._shell(Step(command))) == json.loads(block.text), (
                f"`{command}` prints another"
            )
        else:
            self._shell(Step(command, tuple(line for line in block.text.splitlines() if line.strip())))

    def _schema(self, text: str, schema: str) -> None:
        file = self.folder / "document.yaml"
        file.write_text(text)
        tool = Path(sys.prefix, "bin", "check-jsonschema")
        done = subprocess.run(
            [tool, "--builtin-schema", schema, file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    # What is there already, or happens outside.

    def _image(self, text: str) -> None:
        (image_id, *flags), keys = words(text)
        region = keys.get("region", "eu-west-1")
        date = _day(keys.get("date"))
        if any(image.image_id == image_id for image in self.ec2.images(region=region)):
            self.ec2.set_deprecation_time(image_id, date, region=region)
            return
        self.ec2.add_image(
            keys["name"],
            image_id=image_id,
            region=region,
            account=keys.get("account"),
            created=_day(keys.get("created")),
            last_launched=_day(keys.get("launched")),
            deprecation_time=date,
            public="public" in flags,
            tags={key[4:]: value for key, value in keys.items() if key.startswith("tag:")},
            scan=_scan(keys),
        )


def _scan(keys: dict[str, str]) -> Scan | None:
    fixes = {
        severity: when for severity in SEVERITIES if (when := _day(keys.get(f"fix:{severity}"))) is not None
    }
    return Scan(next(iter(fixes)), DAY, fixes) if fixes else None


def _day(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def _plain(line: str) -> str:
    """A line without what differs from run to run: durations, spacing."""
    return " ".join(re.sub(r"\(\d+(\.\d+)?s\)", "", line).split())
