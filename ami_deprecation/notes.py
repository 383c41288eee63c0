"""Sentences for the person who reads the preview.

A dynamic provider has no channel of its own to the engine: what its process prints appears under
the stack's diagnostics, without the resource's name. So a note names the image itself.
"""

from __future__ import annotations

import sys
from threading import Lock

_lock = Lock()
_said: set[str] = set()


def say(sentence: str) -> None:
    """Show one line."""
    with _lock:
        sys.stdout.write(f"ami-deprecation: {sentence}\n")
        sys.stdout.flush()


def once(sentence: str) -> None:
    """Show one line, the first time only that this process says it."""
    with _lock:
        if sentence in _said:
            return
        _said.add(sentence)
    say(sentence)
