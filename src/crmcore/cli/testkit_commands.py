"""``crmcore testkit``: ask a store for everything that it promises, and the kit whether it can fail.

Invariant: the stores under test are made in a folder of the command's own, which is gone when it ends. What goes wrong
in the author's own file is told as that, by file and line, and never as an error of crmcore.
"""

from __future__ import annotations

import argparse
import json
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

import crmcore
from crmcore.cli.outputs import check_outputs, write
from crmcore.cli.terminal import DONE, REFUSED, Terminal, counted
from crmcore.errors import CrmError

if TYPE_CHECKING:
    from crmcore.testing import Answer, Harness, Report, SelfTest


def run_testkit(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run the kit over the store that is named."""
    check_outputs([options.report], [])
    with _present_folder_importable():
        report = _report(options, terminal)
    if options.report is not None:
        write(
            options.report, json.dumps(report.document(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        )
    terminal.text("\n".join(_drawn(report)))
    terminal.result(report.document())
    if report.passed:
        return DONE
    terminal.error(
        "the store does not keep what it promises, or it could not be told: the report says what and where"
    )
    return REFUSED


def _report(options: argparse.Namespace, terminal: Terminal) -> Report:
    """What the kit found of the store that is named."""
    # Here, not above: the checks are many, and no other command needs them.
    from crmcore.testing import Unusable, run_kit

    harness = _harness(options)
    with tempfile.TemporaryDirectory(prefix="crmcore-testkit-") as folder:
        try:
            return run_kit(
                harness,
                Path(folder),
                budget=options.budget,
                minutes=options.minutes,
                seed=options.seed,
                progress=terminal.progress,
            )
        except Unusable as error:
            options.usage_error(str(error))
        except CrmError:
            raise
        except (
            Exception,
            SystemExit,
        ) as error:  # before the first check: whatever the author's function raises
            place = _place_of_author(error)
            if not place and isinstance(error, Exception):
                raise
            told = f"{type(error).__name__} ({place})" if place else type(error).__name__
            options.usage_error(f"{options.target} raised {told}: it is to make a store")
    raise AssertionError("usage_error ends the command")


@contextmanager
def _present_folder_importable() -> Iterator[None]:
    """Let the author's module, and all that it imports while the checks run, be found in the present folder."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _place_of_author(error: BaseException) -> str:
    """The file and the line of the author's code in which *error* arose; "" if it arose in none.

    Where it is raised by the call itself, such as one with too few arguments, that is told of the call.
    """
    frames = traceback.extract_tb(error.__traceback__)
    known = (str(Path(crmcore.__file__).parent), sysconfig.get_path("stdlib"))
    own = [one for one in frames if not one.filename.startswith(known)] or [
        one for one in frames[-1:] if one.name == "make"
    ]
    mine = [one for one in own if "site-packages" not in one.filename] or own
    return f"{Path(mine[-1].filename).name}:{mine[-1].lineno}" if mine else ""


def run_selftest_of_kit(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run the zoo, and the good stores."""
    from crmcore.testing import run_selftest  # here, as above

    with tempfile.TemporaryDirectory(prefix="crmcore-testkit-") as folder:
        found = run_selftest(Path(folder), progress=terminal.progress)
    terminal.text("\n".join(_zoo(found)))
    terminal.result(found.document())
    if found.passed:
        return DONE
    terminal.error("this kit cannot be trusted: a mutant survived, or a good store failed")
    return REFUSED


def _harness(options: argparse.Namespace) -> Harness:
    """What *module:name* names: a `Harness`, what `conformance(...)` gave, or a function from a folder to a store."""
    from crmcore.testing import Harness  # here, as above

    module, _, name = options.target.partition(":")
    named: Any = None
    if not name:
        options.usage_error("name what makes the store as module:name")
    try:
        named = import_module(module)
    except ImportError as error:
        options.usage_error(f"{module} cannot be imported ({type(error).__name__}): name it as Python does")
    except (Exception, SystemExit) as error:  # whatever the author's module raises
        place = (
            f"{Path(error.filename or module).name}:{error.lineno}" if isinstance(error, SyntaxError) else ""
        )
        told = f"{type(error).__name__} ({place or _place_of_author(error)})"
        options.usage_error(f"{module} cannot be imported, it raised {told}: mend that line")
    for part in name.split("."):
        named = getattr(named, part, None)
    named = getattr(named, "harness", named)
    if not isinstance(named, Harness):
        if not callable(named):
            options.usage_error(f"{module} has no {name} that makes a store")
        make: Any = named
        named = Harness(make=make, reopen=make)
    harness: Harness = named
    return attrs.evolve(harness, level=options.level) if options.level else harness


def _drawn(report: Report) -> Iterator[str]:
    """The table of a report."""
    yield f"{report.engine}   level {report.level}, kit {report.kit}, budget {report.budget}, seed {report.seed}"
    yield ""
    yield from _table(report)
    yield ""
    for one in report.not_asked():
        yield f"not asked: {one.check}: {one.message}"
    for problem in report.problems:
        yield f"! {problem}"
    for check in report.missing:
        yield f"! {check} was not run"
    failed = sum(one.status in ("FAIL", "INCONCLUSIVE") for one in report.verdicts)
    ended = "passed" if report.passed else f"not passed ({counted(failed, 'check', 'checks')})"
    yield f"{ended}: {counted(len(report.verdicts), 'check', 'checks')} in {report.seconds:.1f} s"


def _table(report: Report) -> Iterator[str]:
    from crmcore.testing import PROMISES  # here, as above

    width = max(len(name) for name, _ in PROMISES.values())
    for answer in report.answers():
        name = PROMISES[answer.guarantee][0]
        yield f"{answer.guarantee:<4}{name:<{width}}   {answer}"
        yield from _reasons(answer)


def _reasons(answer: Answer) -> Iterator[str]:
    if answer.status in ("FAIL", "INCONCLUSIVE"):
        for message in answer.messages:
            first, *more = message.splitlines() or [""]
            yield f"    - {first}"
            yield from (f"      {line}" for line in more)


def _zoo(found: SelfTest) -> Iterator[str]:
    count = len(found.killed) + len(found.survived) + len(found.rotten)
    yield f"kit {found.kit}   {len(found.killed)} of {counted(count, 'mutant', 'mutants')} killed by their own checks"
    for name in found.survived:
        yield f"! {name} survived"
    for name in found.rotten:
        yield f"! {name} died of an error of its own, which shows nothing"
    for name in found.unproven:
        yield f"! no mutant is made for {name}"
    for name, report in found.references.items():
        ended = "passed" if report.passed else "failed"
        yield f"{name:<10}{ended}: {counted(len(report.verdicts), 'check', 'checks')} in {report.seconds:.1f} s"
        if not report.passed:
            yield from _table(report)
    yield f"{'passed' if found.passed else 'not passed'} in {found.seconds:.1f} s"
