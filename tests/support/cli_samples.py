"""Images and reports for the command line's tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ami_deprecation.cli.report import formats, rows
from ami_deprecation.image import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ami_deprecation.ec2.listing import Reference

NOW = datetime(2027, 1, 15, 12, 0, tzinfo=timezone.utc)


def ahead(days: float) -> datetime:
    return NOW + timedelta(days=days)


def image(  # noqa: PLR0913  # an image has as many sides
    name: str = "web",
    *,
    number: int = 1,
    region: str = "eu-west-1",
    due: float | None = None,
    age: float = 100,
    state: str = "available",
    public: bool = False,
    launched: float | None = None,
) -> Image:
    return Image(
        id=f"ami-{number:017x}",
        name=name,
        region=region,
        owner_id="123456789012",
        creation_date=ahead(-age),
        deprecation_time=None if due is None else ahead(due),
        state=state,
        public=public,
        last_launched_time=None if launched is None else ahead(-launched),
    )


def row(made: Image, *references: Reference, known: bool = False) -> rows.Row:
    return rows.row(made, NOW, references if references or known else None)


def report(made: Sequence[rows.Row], *regions: str, **failed: str) -> formats.Report:
    named = {name.replace("_", "-"): why for name, why in failed.items()}
    return formats.Report(NOW, rows.ordered(made), regions or ("eu-west-1",), named)
