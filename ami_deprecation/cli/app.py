"""The verbs together, and one way for all of them to end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..errors import AmiDeprecationError, InvalidInput
from . import adopt, comment, iam_policy, report
from .exits import TABLE, Exit, Stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "ami-deprecation"
_DEBUG = "AMI_DEPRECATION_DEBUG"


class Interrupted(Exception):
    """The user pressed Ctrl-C."""

    code = 130


@click.group(
    NAME,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=TABLE,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Deprecation dates of Amazon Machine Images: who has one, what a pull request would change, and the
    code that takes existing dates over.

    \b
    ami-deprecation report                             all your images in the Region in force
    ami-deprecation report --fail-within 14d           a gate: is an image in use about to be deprecated?
    pulumi preview --json | ami-deprecation comment    the comment for a pull request
    ami-deprecation adopt > dates.py                   a program that takes over the dates there are
    ami-deprecation iam-policy --read-only             what a pull request's role needs

    Nothing here changes anything in EC2: `pulumi up` does that. Credentials and Region come from where every
    AWS tool takes them, or from --profile, --role-arn and --region.
    """  # noqa: D205, D301  # click shows it, with \b as its mark for lines that stay as they are


for _verb in (report.report, comment.comment, adopt.adopt, iam_policy.iam_policy):
    group.add_command(_verb)


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error is one sentence on stderr.

    Returns:
        The exit code.

    Raises:
        Interrupted: the user pressed Ctrl-C.
    """
    try:
        code = group.main(list(arguments), prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        raise Interrupted from None
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain at its end about what is not flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except (click.ClickException, Stopped, AmiDeprecationError, OSError) as error:
        sentence, code = _explained(error)
        _say(sentence)
    except Exception as bug:  # whatever it is, a user is told in a sentence
        if os.environ.get(_DEBUG):
            raise
        _say(
            f"this should not happen, please report it ({type(bug).__name__}: {bug}); {_DEBUG}=1 shows where"
        )
        code = Exit.FAILED
    return int(code or Exit.OK)


def _explained(error: Exception) -> tuple[str, Exit]:
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else NAME
        return f"{error.format_message().rstrip('.')} (see {where} --help)", Exit.USAGE
    if isinstance(error, click.ClickException):
        return error.format_message(), Exit.USAGE
    if isinstance(error, Stopped):
        return str(error), error.code
    if isinstance(error, OSError):
        return f"{error.filename or 'the output'}: {error.strerror or error}", Exit.FAILED
    return str(error), Exit.USAGE if isinstance(error, InvalidInput) else Exit.FAILED


def _say(sentence: str) -> None:
    sys.stderr.write(f"{NAME}: {sentence}\n")
