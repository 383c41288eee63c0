"""The tree of public errors."""

from __future__ import annotations

import traceback

import pytest

import ami_deprecation
from ami_deprecation import errors

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
