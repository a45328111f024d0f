"""Every figure of identity by one command: measured, kept, and written as a page with a table and drawings.

Run it from the root of the project, with the Python that has crmcore and its extra ``batch``:

    python -m tests.benchmarks.identity.report FILES... --out FOLDER
        [--peer NAME[@PATTERN,...]='COMMAND {file}']... [--store DB] [--load PARTIES]

*FILES* have columns named by role, and may have a column ``cluster`` with the truth, as for `scale`. For each one
crmcore runs ``--runs`` times in a process of its own.

A **peer** is a command that groups the file which stands for ``{file}``. It runs in turns with crmcore (crmcore, the
peer, crmcore, the peer), and ratios are of these turns only. A peer that is meant for some files names them by
patterns after an @. The last line that it prints holds JSON, after whatever stands before its first brace:
``seconds`` from the file to the groups, and where it knows them ``memory`` in MB, ``f1``, ``f1_at_default`` (where
``f1`` is that of its best threshold) and ``told``, seconds spent on measuring itself, which the whole process is not
charged for. A peer that fails, or is not done within ``--timeout``, is shown as failed with what it said last.

*--store* names an SQLite file for `one_record`; one that is not there is made with ``--parties`` parties, of whom
``--shared`` have one telephone number. ``--load`` parties are loaded (`loading`); 0 leaves that out.

Into *FOLDER* go ``report.md``; ``seconds.svg`` and ``memory.svg``, the growth over the files whose names match
``--curve``; ``ratios.svg``, where there are peers; and ``results.json``, the raw figures. What is in there already for
the same content, command, code and machine is not measured again, so that an interrupted run goes on where it was and
another file can be added; what failed is tried again. ``--again`` measures everything anew; should that be interrupted,
go on without it. Figures of other code or of another machine are dropped. Progress goes to standard error.

Peers are measured fairly when nothing else runs: what others did meanwhile is measured too, and said on the page.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.benchmarks.identity import measuring, report_page
from tests.benchmarks.identity.measuring import Figures, Peer, Results


@attrs.frozen(kw_only=True)
class Task:
    """Rounds to measure under one *key*: a file, with or without a peer."""

    key: str
    file: Path
    peer: Peer | None

    @property
    def beside(self) -> str:
        """The peer's name, empty where there is none."""
        return "" if self.peer is None else self.peer.name


def tasks(files: Sequence[Path], peers: Sequence[Peer]) -> list[Task]:
    """What there is to measure, file by file."""
    found = []
    for file in files:
        content = measuring.content(file)
        beside: list[Peer | None] = [peer for peer in peers if peer.takes(file)]
        for peer in beside or [None]:
            key = measuring.key("file", content, "" if peer is None else peer.command)
            found.append(Task(key=key, file=file, peer=peer))
    return found


def measure(task: Task, results: Results, runs: int, timeout: float) -> None:
    """Add the rounds that are missing; a peer that fails is not asked again for this file."""
    name = task.file.stem
    for number in range(len(results.rounds(task.key)), runs):
        one = measuring.begun()
        _say(f"{name}, run {number + 1} of {runs}: crmcore", end="")
        one["crmcore"] = measuring.ours(task.file)
        _say(_told(one["crmcore"]), end="")
        if task.peer is not None:
            _say(f"; {task.peer.name}", end="")
            one["peer"] = measuring.theirs(task.peer.words(task.file), timeout)
            _say(_told(one["peer"]), end="")
        _say("")
        results.add(task.key, one | {"file": name, "beside": task.beside})
        if measuring.failures(one):
            return


def once(key: str, results: Results, what: str, script: str, *arguments: str) -> None:
    """Run another benchmark, if its figures are not there."""
    if results.rounds(key):
        return
    _say(f"{what} ...")
    one = measuring.begun()
    one["crmcore"] = measuring.told_by(script, *arguments)
    results.add(key, one)
    if "failed" in one["crmcore"]:
        _say(_told(one["crmcore"]))


def made(store: Path, parties: int, shared: int) -> None:
    """Make a store that is not there; half of one is never taken for a whole."""
    if store.exists():
        return
    draft = store.with_name(store.name + ".part")
    for left in store.parent.glob(draft.name + "*"):
        left.unlink()
    _say(f"making a store of {parties:,} parties ...")
    # In a process of its own: what this one once held would be counted as memory of those that it starts.
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.identity.one_record",
        "--make",
        "--store",
        str(draft.resolve()),
    ]
    command += ["--parties", str(parties), "--shared", str(shared)]
    subprocess.run(command, check=True, stdout=sys.stderr, cwd=measuring.ROOT)
    draft.rename(store)


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _told(found: Figures) -> str:
    if "failed" in found:
        return f" failed: {found['failed']}"
    return f" {found['seconds']:.2f} s, {found['memory']:,.0f} MB"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.identity.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    say = parser.add_argument
    say("files", nargs="+", type=Path, metavar="FILE")
    say("--out", type=Path, required=True, metavar="FOLDER", help="where the page and the figures go")
    say("--peer", type=_peer, action="append", default=[], metavar="NAME='COMMAND {file}'")
    say("--runs", type=int, default=3, help="rounds a file (default 3)")
    say("--take", choices=["best", "median"], default="best", help="which of several runs is shown")
    say("--timeout", type=float, default=3600, metavar="SECONDS", help="of one run of a peer (default 3600)")
    say("--curve", default="*", metavar="PATTERN", help="files whose growth is drawn (default all)")
    say("--store", type=Path, metavar="DB", help="measure one record against this store")
    say("--parties", type=int, default=1_000_000, help="of a store that is made (default a million)")
    say("--shared", type=int, default=100_000, help="of them with one telephone number (default 100,000)")
    say("--queries", type=int, default=2000, help="drafts to look for in the store (default 2,000)")
    say("--load", type=int, default=100_000, metavar="PARTIES", help="how many to load (default 100,000)")
    say("--again", action="store_true", help="measure what is there already, too")
    options = parser.parse_args(given)
    for file in options.files:
        if not file.is_file():
            parser.error(f"there is no file {file}")
    if len({file.stem for file in options.files}) < len(options.files):
        parser.error("two files have one name: the page tells them by their names")
    for file in options.files:
        names = [peer.name for peer in options.peer if peer.takes(file)]
        if len(set(names)) < len(names):
            parser.error(f"two peers of {file.stem} have one name")
    return options


def _peer(text: str) -> Peer:
    try:
        return Peer.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(given: Sequence[str] | None = None) -> int:
    """Measure what is missing, then write the page."""
    options = _arguments(given)
    results = Results(options.out / "results.json")
    todo = tasks(options.files, options.peer)
    loading = measuring.key("loading", str(options.load)) if options.load else ""
    store = ""
    if options.store:
        made(options.store, options.parties, options.shared)
        size = options.store.stat().st_size
        store = measuring.key("store", str(options.store.resolve()), str(size), str(options.queries))
    for key in (*(task.key for task in todo), loading, store):
        results.forget(key, failed_only=not options.again)
    for task in todo:
        measure(task, results, options.runs, options.timeout)
    if loading:
        once(loading, results, f"loading {options.load:,} parties", "loading", "--parties", str(options.load))
    if store:
        arguments = ("--store", str(options.store.resolve()), "--queries", str(options.queries))
        once(store, results, "one record against a store", "identity.one_record", *arguments)
    contests = [
        report_page.Contest(
            name=file.stem,
            rounds={task.beside: results.shown(task.key) for task in todo if task.file == file},
        )
        for file in options.files
    ]
    measured = report_page.Measured(
        contests=contests, store=results.shown(store), loading=results.shown(loading),
        about=results.about, take=options.take, curve=options.curve,
    )  # fmt: skip
    report_page.write(measured, options.out)
    _say(f"written: {options.out / 'report.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
