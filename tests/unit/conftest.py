"""Hypothesis without its time limit for an example: a loaded machine is no failing test."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
