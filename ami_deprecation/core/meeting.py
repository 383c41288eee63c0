"""What the processes of one run tell each other about images.

A second provider, such as ``pulumi.ProviderResource("pulumi-python", …)``, is a second process, and what a program
declares is not always shown to a provider (``--target``, ``--continue-on-error``). One engine starts all processes
of a run and gives each its address, so they share a folder of that name: each appends to a file and reads the others'.

The address may come again in a later run. Notes have times, and a plugin leaves out those from before its engine started.
Where it cannot know that (there is no ``/proc``), a plugin's file counts as long as its process lives, which holds a lock
on it; a program may be a long-lived process with many runs, so its file has no lock, and goes after a day. The files hold Regions, image ids, account ids, names of resources, dates and
these times.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from .. import dates
from ..errors import InvalidInput

try:
    import fcntl
except ImportError:  # Windows: a process knows its own claims only
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from datetime import datetime

    from .engine import Engine

#: The file of the programs in a run's folder.
PROGRAM = "program"
_DAY = 86_400.0


@dataclass(frozen=True)
class Note:
    """What one resource has to do with one image."""

    #: ``declared`` by the program, ``checked`` by a provider, or ``held``: about to get its date, or with it.
    kind: Literal["declared", "checked", "held"]
    #: Empty while a program does not know it.
    image_id: str
    #: None when a program does not know it.
    region: str | None = None
    resource: str | None = None
    #: The image's account, None when it was not read.
    owner_id: str | None = None
    date: datetime | None = None
    #: Whether the resource had the image before this run.
    carried_over: bool = False
    #: When it was written, in seconds since the machine started.
    at: float = 0.0

    def to_line(self) -> bytes:
        """The note as one line of JSON."""
        date = None if self.date is None else dates.to_text(self.date)
        about = [self.kind, self.image_id, self.region, self.resource, self.owner_id, date]
        parts = [*about, self.carried_over, self.at]
        return json.dumps(parts).encode() + b"\n"


def _parse(line: bytes) -> Note | None:
    try:
        kind, image_id, region, resource, owner_id, date, carried_over, at = json.loads(line)
        when = date and dates.parse(date)
        return Note(kind, image_id, region, resource, owner_id, when, carried_over, at)
    except (ValueError, TypeError, InvalidInput):
        return None


def tell(address: str | None, note: Note) -> None:
    """Write what the program of a run declares."""
    if address is None or fcntl is None:
        return
    with suppress(OSError):
        folder = private_folder() / _name(address)
        folder.mkdir(mode=0o700, exist_ok=True)
        _append(folder / PROGRAM, replace(note, at=_uptime()))


def _append(file: Path, note: Note) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, note.to_line())
    finally:
        os.close(descriptor)


@dataclass
class Meeting:
    """A plugin's place in the folder of its run. Without an address, or where the folder is not safe, it is alone."""

    address: str | None = None
    #: None: not known.
    engine: Engine | None = None
    _own: int | None = None
    _folder: Path | None = None
    _positions: dict[Path, int] = field(default_factory=dict)
    _known: dict[str, list[Note]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if self.address is None or fcntl is None:
            return
        with suppress(OSError):
            base = private_folder()
            for each in base.iterdir():
                _clear(each)
            folder = base / _name(self.address)
            self._own, self._folder = _locked_file(folder), folder

    def write(self, note: Note) -> None:
        """Let the other processes know."""
        if self._own is not None:
            with suppress(OSError):
                os.write(self._own, replace(note, at=_uptime()).to_line())

    def others(self, image_id: str, region: str) -> list[Note]:
        """What the other processes of the run have written about one image.

        A program may not know its Region; a note of a provider on the same resource then says it.
        """
        with self._lock:
            self._read_all()
            notes = self._known.get(image_id, [])
            if self.engine is not None and self.engine.destroys:
                notes = [each for each in notes if each.kind != "declared"]  # --run-program: all is deleted
            elsewhere = {each.resource for each in notes if each.region not in (None, region)}
            return [
                each
                for each in notes
                if each.region == region or (each.region is None and each.resource not in elsewhere)
            ]

    def hides_resources(self) -> bool:
        """Whether the program may declare an image without any provider of this run knowing."""
        if self.engine is None or self.engine.destroys or not self.engine.hides_resources:
            return False
        with self._lock:
            self._read_all()
            declared = [each for notes in self._known.values() for each in notes if each.kind == "declared"]
        # A resource that a failure skips never learns the id of its image.
        announced = {each.resource for each in declared if not each.image_id}
        return not declared or bool(announced - {each.resource for each in declared if each.image_id})

    def _read_all(self) -> None:
        if self._folder is None:
            return
        with suppress(OSError):
            for file in self._folder.iterdir():
                if file.name != str(os.getpid()):
                    self._read_on(file)

    def _read_on(self, file: Path) -> None:
        """Read what has been added to a file since it was last read; a line that is not whole yet comes later."""
        with file.open("rb") as stream:
            stream.seek(self._positions.get(file, 0))
            new, end, _ = stream.read().rpartition(b"\n")
        self._positions[file] = self._positions.get(file, 0) + len(new) + len(end)
        for note in filter(None, map(_parse, new.splitlines())):
            if not self._is_of_earlier_run(note):
                self._known.setdefault(note.image_id, []).append(note)

    def _is_of_earlier_run(self, note: Note) -> bool:
        if self.engine is None:
            return False
        # A later time than now is from before the machine started.
        return not self.engine.started <= note.at <= _uptime()


def _uptime() -> float:
    """The clock that the kernel notes the start of processes by; it does not jump."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else 0.0


def _name(address: str) -> str:
    return address.replace(os.sep, "_").replace(":", "_")


def private_folder() -> Path:
    """A folder that only this user can read and write.

    Raises:
        OSError: somebody else has made it.
    """
    folder = Path(tempfile.gettempdir()) / f"ami-deprecation-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid() or made.st_mode & 0o077:
        raise PermissionError(folder)
    return folder


def _locked_file(folder: Path) -> int:
    """A new file, locked until this process ends."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            own = os.open(
                folder / str(os.getpid()), os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_TRUNC, 0o600
            )
        except FileNotFoundError:
            continue  # another process has cleared the folder away, as it may clear the file before it is locked
        fcntl.flock(own, fcntl.LOCK_EX)
        if os.fstat(own).st_nlink:
            return own
        os.close(own)


def _clear(folder: Path) -> None:
    """Remove the files of processes that have ended, and the folder when it is empty."""
    with suppress(OSError):
        for file in folder.iterdir():
            if file.name == PROGRAM:
                if time.time() - file.stat().st_mtime > _DAY:
                    file.unlink()
                continue
            descriptor = os.open(file, os.O_WRONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.unlink()
            except OSError:
                pass  # its process lives
            finally:
                os.close(descriptor)
        folder.rmdir()
