"""Which names are of one family, and what tells its members apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.cli.report.families import UNNAMED, family, version


@pytest.mark.parametrize(
    ("name", "of", "which"),
    [
        ("web-2026-01-15", "web", "2026-01-15"),
        ("web-2026_01_15", "web", "2026_01_15"),
        ("web-server-20260115", "web-server", "20260115"),
        ("web server 2026-01-15T09-30-00Z", "web server", "2026-01-15T09-30-00Z"),
        ("web-2026-01-15 09.30.00", "web", "2026-01-15 09.30.00"),
        ("web-20260115T093000Z", "web", "20260115T093000Z"),
        ("base_1700000000", "base", "1700000000"),
        ("web-01", "web", "01"),
        ("api-v2.3.1", "api", "v2.3.1"),
        ("api-1.2.3-rc1", "api", "1.2.3-rc1"),
        ("api-1.2.3-rc.1", "api", "1.2.3-rc.1"),
        ("api-1.2.3-build.7+sha.1a2b3c4d", "api", "1.2.3-build.7+sha.1a2b3c4d"),
        ("app-build-42", "app", "build-42"),
        ("web-1a2b3c4", "web", "1a2b3c4"),
        ("packer-550e8400-e29b-41d4-a716-446655440000", "packer", "550e8400-e29b-41d4-a716-446655440000"),
        ("golden (2026-01-01)", "golden", "2026-01-01"),
        ("golden (linux) 20260101", "golden (linux)", "20260101"),
        ("acme/web@3", "acme/web", "3"),
        ("web-latest", "web", "latest"),
        ("windows 2022 base 2026.01.10", "windows 2022 base", "2026.01.10"),
    ],
)
def test_version_or_date_at_end_is_not_part_of_family(name: str, of: str, which: str) -> None:
    assert (family(name), version(name)) == (of, which)


@pytest.mark.parametrize(
    ("name", "of", "which"),
    [
        ("web-v2.3.1-arm64", "web-arm64", "v2.3.1"),
        ("amzn2-ami-hvm-2.0.20200917.0-x86_64-gp2", "amzn2-ami-hvm-x86_64-gp2", "2.0.20200917.0"),
        (
            "al2023-ami-2023.5.20240624.0-kernel-6.1-x86_64",
            "al2023-ami-kernel-6.1-x86_64",
            "2023.5.20240624.0",
        ),
    ],
)
def test_platform_after_version_stays_in_family(name: str, of: str, which: str) -> None:
    assert (family(name), version(name)) == (of, which)


@pytest.mark.parametrize(
    "name",
    ["web", "web-server", "app-build", "web-r", "decade-facade", "web-deadbee", "2026-01-15", "-1", "42"],
)
def test_name_without_version_is_its_own_family(name: str) -> None:
    assert (family(name), version(name)) == (name, name)


def test_images_without_name_are_together() -> None:
    assert family("") == family("  ") == UNNAMED


@given(st.text(alphabet="abv019-_. /()[]@+xTZ", max_size=60))
def test_any_name_has_family_and_label(name: str) -> None:
    assert family(name)
    assert bool(version(name)) == bool(name.strip())


@given(st.from_regex(r"[a-z]{3,8}(-[a-z]{3,8}){0,2}", fullmatch=True), st.dates())
def test_images_that_differ_only_in_their_date_are_one_family(stem: str, day: object) -> None:
    assert family(f"{stem}-{day}") == family(f"{stem}-2026-01-01")
