"""Settings: numbers from the environment, and the warning about other values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

FLAGS = ["strict", "dry_run"]
NAMES = [field.name for field in fields(Settings) if field.name not in FLAGS]


def variables(names: Iterable[str], value: str) -> dict[str, str]:
    return {f"AMI_DEPRECATION_{name.upper()}": value for name in names}


def test_defaults_are_ec2s_own_buckets() -> None:
    assert read_settings({}) == Settings(
        changes_burst=50,
        changes_per_second=5,
        reads_burst=100,
        reads_per_second=20,
        retry_seconds=60,
        pending_seconds=600,
        settle_seconds=120,
        look_again_seconds=2,
        strict=False,
        dry_run=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_variable_sets_the_setting_of_its_name(name: str) -> None:
    assert read_settings(variables([name], "2.5")) == Settings(**{name: 2.5})  # type: ignore[arg-type]  # no flag


@pytest.mark.parametrize("text", ["", "many", "-1", "nan", "inf", "1,5", "0x10"])
def test_other_value_is_ignored_with_a_warning(text: str, caplog: pytest.LogCaptureFixture) -> None:
    environment = variables(["retry_seconds"], text) | variables(["pending_seconds"], "5")
    assert read_settings(environment) == Settings(pending_seconds=5)
    assert caplog.messages == [f"AMI_DEPRECATION_RETRY_SECONDS={text!r} is ignored: give a positive number"]


def test_only_settle_seconds_may_be_zero() -> None:
    assert read_settings(variables(NAMES, "0")) == Settings(settle_seconds=0)


@pytest.mark.parametrize("name", FLAGS)
def test_flag_is_1_or_0(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert read_settings(variables([name], "1")) == Settings(**{name: True})
    assert read_settings(variables([name], "0")) == Settings()
    assert read_settings(variables([name], "yes")) == Settings()
    assert caplog.messages == [f"AMI_DEPRECATION_{name.upper()}='yes' is ignored: give 1 or 0"]
