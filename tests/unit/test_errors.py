"""The tree of public errors."""

from __future__ import annotations

import ast
import re
import traceback
from pathlib import Path

import pytest

import ami_deprecation
from ami_deprecation import errors
from tests.support import source

TREE = {
    "AmiDeprecationError": "Exception",
    "InvalidInput": "AmiDeprecationError",
    "ImageNotFound": "AmiDeprecationError",
    "NotImageOwner": "AmiDeprecationError",
    "RequestRefused": "AmiDeprecationError",
    "CredentialsError": "AmiDeprecationError",
    "PermissionDenied": "CredentialsError",
    "WrongAccount": "CredentialsError",
    "EC2Unavailable": "AmiDeprecationError",
    "Throttled": "EC2Unavailable",
}


def test_public_errors_are_whole_tree() -> None:
    assert set(errors.__all__) == set(TREE)
    assert set(TREE) <= set(ami_deprecation.__all__)
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert defined == set(TREE)


@pytest.mark.parametrize(("name", "base"), TREE.items())
def test_errors_have_their_base_classes(name: str, base: str) -> None:
    assert [each.__name__ for each in getattr(ami_deprecation, name).__bases__] == [base]


@pytest.mark.parametrize("name", TREE)
def test_traceback_ends_with_short_name_and_message(name: str) -> None:
    error = getattr(ami_deprecation, name)("ami-x in eu-west-1 is not there: run pulumi refresh")
    (line,) = traceback.format_exception_only(type(error), error)
    assert line == f"ami_deprecation.{name}: ami-x in eu-west-1 is not there: run pulumi refresh\n"


@pytest.mark.parametrize("name", TREE)
def test_every_error_has_docstring(name: str) -> None:
    assert getattr(ami_deprecation, name).__doc__


#: What an error knows, and how a message names it.
NAMES = {
    "image_id": r"\b(image_id|image\.id)\b",
    "region": r"\b(target|image|old)?\.?region\b",
    "account": r"\baccount\b",
}


@pytest.mark.parametrize("folder", ["core", "doors", "ec2", "fleet"])
def test_errors_carry_what_their_messages_name(folder: str) -> None:
    public = set(errors.__all__)
    lacking = []
    for file in sorted(Path(errors.__file__).with_name(folder).rglob("*.py")):
        for each in ast.walk(source.parse(file)):
            if not isinstance(each, ast.Raise) or not isinstance(each.exc, ast.Call):
                continue
            if ast.unparse(each.exc.func) not in public:
                continue
            message = " ".join(
                ast.unparse(part.value) for part in ast.walk(each.exc) if isinstance(part, ast.FormattedValue)
            )
            carried = {keyword.arg for keyword in each.exc.keywords}
            lacking += [
                f"{file.name}:{each.lineno} {name}"
                for name, pattern in NAMES.items()
                if re.search(pattern, message) and name not in carried and None not in carried
            ]
    assert not lacking
