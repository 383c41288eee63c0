"""The commands together, and one way for all of them to end."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..errors import AmiDeprecationError, InvalidInput
from . import adopt, comment, doctor, iam_policy, plan, report
from .exits import EXIT_CODES, CommandError, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "ami-deprecation"
_DEBUG = "AMI_DEPRECATION_DEBUG"


class Interrupted(Exception):
    """The user pressed Ctrl-C."""

    code = 130


class _ToStderr(logging.Handler):
    """The package's own messages, one line each, on stderr: scripts parse stdout."""

    def emit(self, record: logging.LogRecord) -> None:
        _tell(record.getMessage())


@click.group(
    NAME,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Deprecation dates of Amazon Machine Images: which images have one, what a pull request would change,
    and code that adopts existing dates.

    \b
    Start with:
      ami-deprecation doctor                             your account, Region and permissions
      ami-deprecation report                             your images and their dates, in your Region
      ami-deprecation adopt > dates.py                   a program that declares the existing dates
      pulumi preview --json --show-sames | ami-deprecation comment
                                                         the preview as a pull-request comment
      ami-deprecation report --fail-within 14d           a gate: is an image in use about to be deprecated?
      ami-deprecation plan --name '*' --after-days 365   what a policy would do, and why
      ami-deprecation iam-policy --read-only             the IAM policy for previews

    No command changes anything in EC2: only `pulumi up` does. Credentials and Region are those of the AWS CLI,
    or the ones that --profile, --role-arn and --region name.

    \b
    Shell completion (Bash; likewise zsh_source and fish_source):
      eval "$(_AMI_DEPRECATION_COMPLETE=bash_source ami-deprecation)"
    """  # noqa: D205, D301  # click shows it, with \b as its mark for lines that stay as they are


for _command in (
    report.report,
    plan.plan,
    comment.comment,
    adopt.adopt,
    iam_policy.iam_policy,
    doctor.doctor,
):
    group.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error is one sentence on stderr.

    Returns:
        The exit code.

    Raises:
        Interrupted: the user pressed Ctrl-C.
    """
    logger = logging.getLogger("ami_deprecation")
    logger.handlers = [_ToStderr()]
    logger.setLevel(logging.INFO)
    try:
        code = group.main(list(arguments), prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted")
        raise Interrupted from None
    except BrokenPipeError:
        # The reader has seen enough (`| head`). At exit Python would complain about the unflushed rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except (click.ClickException, CommandError, AmiDeprecationError, OSError) as error:
        sentence, code = _explained(error)
        _tell(sentence)
    except Exception as bug:  # a bug ends in one sentence too
        if os.environ.get(_DEBUG):
            raise
        _tell(
            f"this is a bug, please report it ({type(bug).__name__}: {bug}); set {_DEBUG}=1 for the traceback"
        )
        code = Exit.FAILED
    return int(code or Exit.OK)


def _explained(error: Exception) -> tuple[str, Exit]:
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else NAME
        return f"{error.format_message().rstrip('.')} (see {where} --help)", Exit.USAGE
    if isinstance(error, click.ClickException):
        return error.format_message(), Exit.USAGE
    if isinstance(error, CommandError):
        return str(error), error.code
    if isinstance(error, OSError):
        return f"{error.filename or 'the output'}: {error.strerror or error}", Exit.FAILED
    return str(error), Exit.USAGE if isinstance(error, InvalidInput) else Exit.FAILED


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{NAME}: {sentence}\n")
