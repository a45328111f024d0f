"""How the tests run a command: in this process, or in one of its own where signals, pipes and terminals matter."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from crmcore.cli import main

PEOPLE = """\
Id,Name,Email,Phone,Town
1,Ann Lee,ann@x.org,+44 20 7946 0018,London
2,Bo Hill,bo@x.org,,Leeds
3,Chloë Moss,,+353 1 234 5678,Dublin
"""
"""Three people, each with an id, who share nothing."""


@attrs.frozen
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one document that it must be."""
        return json.loads(self.out)


def run(*words: object) -> Ran:
    """Run a command here. An error in crmcore itself is never what a test expects."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    ran = Ran(code, out.getvalue(), err.getvalue())
    assert "crmcore itself" not in ran.err, ran.err
    return ran


def done(*words: object) -> Ran:
    """Run a command that has nothing to complain about."""
    ran = run(*words)
    assert (ran.code, ran.err) == (0, ""), ran
    return ran


def looked_at(*words: object) -> Ran:
    """Run a command that is done but says in one sentence that somebody has to look."""
    ran = run(*words)
    assert ran.code == 3, ran
    sentence(ran.err)
    return ran


def refused(*words: object, code: int = 1) -> str:
    """Run a command that is refused: nothing on standard output; the one sentence on standard error is returned."""
    ran = run(*words)
    assert (ran.code, ran.out) == (code, ""), ran
    return sentence(ran.err)


def sentence(err: str) -> str:
    """What follows ``crmcore:`` in *err*, which must be one line of text, not too long, and no trace of a stack."""
    assert err.startswith("crmcore: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert len(err) < 800
    return err.removeprefix("crmcore: ").rstrip("\n")


def start(*words: object, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a process of its own, where an interrupt means what it means in a shell."""
    # Coverage is not measured in it: an interrupt that meets coverage's own lock would leave the process hanging.
    left_out = ("PYTHONUNBUFFERED", "COVERAGE_PROCESS_START")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(
        [sys.executable, "-m", "crmcore", *map(str, words)],
        text=True,
        encoding="utf-8",
        env=env,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def ended(process: subprocess.Popen[str]) -> Ran:
    """Wait for a process that was started."""
    out, err = process.communicate(timeout=50)
    return Ran(process.returncode, out or "", err or "")


def write(folder: Path, content: str | bytes = PEOPLE, name: str = "people.csv") -> Path:
    """A file with *content* as it is."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def store_of(folder: Path, content: str = PEOPLE, *words: object) -> Path:
    """A store with the people of *content*."""
    store = folder / "crm.db"
    done("import", write(folder, content), "--store", store, "--id-column", "Id", *words)
    return store


def customer(store: Path, ref: str) -> str:
    """The id of the customer that *ref* means."""
    return str(done("show", ref, "--store", store, "--json").json["view"]["id"])
