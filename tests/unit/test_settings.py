"""Settings: numbers from the environment, and what is said of others."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [field.name for field in fields(Settings)]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES:
        monkeypatch.delenv(f"AMI_DEPRECATION_{name.upper()}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_defaults_are_ec2s_own_buckets() -> None:
    assert settings() == Settings(
        changes_burst=50,
        changes_per_second=5,
        reads_burst=100,
        reads_per_second=20,
        retry_seconds=60,
        pending_seconds=600,
        settle_seconds=120,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AMI_DEPRECATION_{name.upper()}", "2.5")
    assert settings() == Settings(**{name: 2.5})


@pytest.mark.parametrize("text", ["", "many", "-1", "nan", "inf", "1,5", "0x10"])
def test_bad_settings_are_ignored_with_one_warning(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", text)
    monkeypatch.setenv("AMI_DEPRECATION_PENDING_SECONDS", "5")
    assert settings() == Settings(pending_seconds=5)
    assert caplog.messages == [f"AMI_DEPRECATION_RETRY_SECONDS={text!r} is ignored: give a positive number"]


def test_only_settling_time_may_be_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(f"AMI_DEPRECATION_{name.upper()}", "0")
    assert settings() == Settings(settle_seconds=0)


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", "1")
    assert settings() is before
