"""Measuring crmcore and its peers in turns, and remembering what was measured.

Invariant: a result belongs to the content of its file, its command, the code of crmcore and the machine; where one of
them differs it is measured anew. Each round is kept as soon as it is there, so that an interrupted run goes on. What is
kept names no place on the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs

import crmcore
from tests.benchmarks.identity import scale

Figures = dict[str, Any]
"""What one process came to: seconds, whole, memory, f1 and more; or why it ``failed``."""
Round = dict[str, Any]
"""One turn: when it was, how busy others kept the machine, what came of ``crmcore`` and of the ``peer`` beside it."""

ROOT = Path(__file__).parents[3]
_PACKAGES = ("numpy", "pyarrow", "rapidfuzz")
_PLACE = re.compile(r"(?<![\w.])~?/(?:[^\s/'\"]+/)*")
# What a figure may be called in what a peer prints.
_NAMES = {
    "seconds": ("seconds", "seconds_total"),
    "memory": ("memory", "peak_rss_mb"),
    "f1": ("f1",),
    "f1_at_default": ("f1_at_default",),
    "told": ("told",),
}


@attrs.frozen(kw_only=True)
class Peer:
    """A command to be measured beside, and the files it is for.

    >>> peer = Peer.of("other@syn_*=run --fast {file}")
    >>> peer.name, peer.takes(Path("syn_10k.csv")), peer.words(Path("a b.csv"))
    ('other', True, ['run', '--fast', 'a b.csv'])
    """

    name: str
    command: str
    patterns: tuple[str, ...] = ("*",)

    @classmethod
    def of(cls, text: str) -> Peer:
        """Read ``NAME[@PATTERN[,PATTERN...]]=COMMAND``."""
        head, _, command = text.partition("=")
        name, _, patterns = head.partition("@")
        if not name or "{file}" not in command:
            raise ValueError(f"a peer is NAME='COMMAND {{file}}', not {text!r}")
        return cls(name=name, command=command, patterns=tuple(patterns.split(",")) if patterns else ("*",))

    def takes(self, file: Path) -> bool:
        """Whether it is measured on this file."""
        return any(fnmatchcase(file.stem, pattern) for pattern in self.patterns)

    def words(self, file: Path) -> list[str]:
        """The command for one file."""
        return [word.replace("{file}", str(file)) for word in shlex.split(self.command)]


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {"processors": str(os.cpu_count()), "memory": f"{memory:.0f} GiB"}
    found["Python"] = platform.python_version()
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def code() -> str:
    """A name for the code that is measured: all of crmcore, and the benchmarks that are run."""
    here = Path(__file__).parent
    measuring = (here / "scale.py", here / "one_record.py", here.parent / "loading.py")
    digest = hashlib.sha256()
    for path in (*sorted(Path(crmcore.__file__).parent.rglob("*.py")), *measuring):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def content(path: Path) -> str:
    """A name for what is in a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def key(*parts: str) -> str:
    """A name for what belongs together, which tells nothing of the parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class Results:
    """The rounds measured by this code on this machine, in a file that is written after each; others are dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about = {"code": code(), **machine()}
        self._rounds: dict[str, list[Round]] = {}
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["about"] == self.about:
                self._rounds = kept["rounds"]

    def rounds(self, of: str) -> list[Round]:
        """What is there already; a round with a failure is not, and is tried again."""
        return [one for one in self._rounds.get(of, []) if not failures(one)]

    def shown(self, of: str) -> list[Round]:
        """All that is there, with what failed."""
        return self._rounds.get(of, [])

    def forget(self, of: str, *, failed_only: bool) -> None:
        """Drop what is there, or what failed of it."""
        kept = self.rounds(of) if failed_only else []
        self._rounds[of] = kept

    def add(self, of: str, one: Round) -> None:
        """Keep one more round, now."""
        self._rounds.setdefault(of, []).append(one)
        whole = {"about": self.about, "rounds": {name: kept for name, kept in self._rounds.items() if kept}}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(self.path.name + ".part")
        draft.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(self.path)


def failures(one: Round) -> list[str]:
    """Who failed in a round."""
    return [name for name, found in one.items() if isinstance(found, dict) and "failed" in found]


def begun() -> Round:
    """A round without figures: when it is, and which share of the processors others keep busy."""
    return {"at": datetime.now(UTC).strftime("%Y-%m-%d"), "busy": busy()}


def busy(seconds: float = 0.5) -> float | None:
    """The share of the processors that is used while this process waits; None where nobody says."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    if before is None or after is None or after[1] <= before[1]:
        return None
    return round(1 - (after[0] - before[0]) / (after[1] - before[1]), 2)


def _ticks() -> tuple[int, int] | None:
    """Idle and all ticks of the processors since they began."""
    try:
        found = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return None
    return found[3] + found[4], sum(found)


def ours(path: Path) -> Figures:
    """crmcore on one file in a process of its own."""
    try:
        return scale.run(path, "batch")
    except subprocess.CalledProcessError as error:
        return {"failed": why(error.returncode, error.stderr)}


def theirs(command: Sequence[str], timeout: float) -> Figures:
    """A peer in a process of its own, which may tell its figures better than they can be seen from outside."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        try:
            process = subprocess.Popen(command, stdout=out, stderr=errors, start_new_session=True)
        except OSError as error:
            return {"failed": _placeless(f"{type(error).__name__}: {error.strerror}")}
        status, memory = _waited(process, begin + timeout)
        whole = time.perf_counter() - begin
        if status is None:
            return {"failed": f"not done after {timeout:,g} s"}
        for file in (out, errors):
            file.seek(0)
        if status != 0:
            return {"failed": why(status, errors.read() or out.read())}
        told = _told(out.read())
    if "seconds" not in told:
        return {"failed": "its last line is no JSON with the seconds it took"}
    return {"memory": memory} | told | {"whole": whole - told.get("told", 0.0)}


def _waited(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, int]:
    """How a process ended, and the most megabytes that one of its processes held; killed when it is too late."""
    try:
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, used.ru_maxrss // 1024
            if time.perf_counter() > until:
                _end(process)
                return None, 0
            time.sleep(0.01)
    except BaseException:  # an interrupted measurement leaves no process behind
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started: it leads a session of its own."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _told(text: str) -> Figures:
    """The figures in the JSON of the last line, whatever stands before its first brace."""
    line = (text.strip().splitlines() or [""])[-1]
    try:
        found = json.loads(line[line.index("{") :])
    except ValueError:
        return {}
    given = {
        name: next((found[one] for one in names if one in found), None) for name, names in _NAMES.items()
    }
    return {name: value for name, value in given.items() if isinstance(value, (int, float))}


def why(status: int, text: str) -> str:
    """What a failed process said last, without places on the machine.

    >>> why(1, "Traceback\\nValueError: no column in /data/of/me/x.csv")
    'exit 1: ValueError: no column in x.csv'
    """
    last = (text.strip().splitlines() or ["it said nothing"])[-1]
    return f"exit {status}: {_placeless(last)[:200]}"


def _placeless(text: str) -> str:
    return _PLACE.sub("", text)


def told_by(script: str, *arguments: str) -> Figures:
    """What one of the other benchmarks prints as JSON on its last line."""
    command = [sys.executable, "-m", f"tests.benchmarks.{script}", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        return {"failed": why(done.returncode, done.stderr)}
    found: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def taken(found: Sequence[Mapping[str, Any]], how: str, by: str = "seconds") -> Figures | None:
    """The best run of several, or the one in the middle; None if all failed."""
    good = sorted((one for one in found if "failed" not in one), key=lambda one: one[by])
    if not good:
        return None
    return dict(good[0 if how == "best" else (len(good) - 1) // 2])
