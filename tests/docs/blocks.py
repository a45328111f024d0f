"""The code blocks of a Markdown page: how they are found and how each kind is run.

- ``python``: run in the page's own namespace, in a folder of its own; ``>>>`` prompts work as doctests.
- ``output``: must be what the blocks since the last output printed; ``...`` stands for any text.
- ``console``: lines ``$ crmcore ...`` are run in the same folder, the lines between are what they print.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

from sybil import Document, Example
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
    if "_build" not in page.parts
)
FLAGS = doctest.ELLIPSIS
_FENCE = re.compile(r"^[ >]*(?:`{3,}|~{3,}|:{3,})[ ]*(?:\{(?P<directive>[\w-]+)\}[ ]*)?(?P<language>[\w+-]*)")
_RUN = ("python", "output", "console")
_LIKE_PYTHON = ("py", "python3", "pycon", "ipython", "doctest")


def declared(text: str) -> list[str]:
    """The languages of all fenced blocks that a reader takes for something that runs, found line by line."""
    languages = []
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if match is None:
            continue
        marks = line.lstrip(" >")[:3]
        if fence:
            if marks == fence and not match["language"] and not match["directive"]:
                fence = ""
            continue
        fence = marks
        is_code = match["directive"] in (None, "code", "code-block", "code-cell", "sourcecode", "doctest")
        language = (match["language"] or match["directive"] or "") if is_code else ""
        if language.lower() in _RUN or language.lower() in _LIKE_PYTHON:
            languages.append(language)
    return languages


def _commands(text: str) -> list[tuple[list[str], str]]:
    """Commands and what they print: ``$ crmcore show X`` and the lines up to the next one."""
    commands: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((shlex.split(line[2:]), []))
        elif commands:
            commands[-1][1].append(line)
        else:
            raise ValueError("a console block begins with '$ crmcore ...'")
    return [(words, "\n".join(lines).strip()) for words, lines in commands]


def _difference(expected: str, printed: str) -> str | None:
    want, got = expected.strip() + "\n", printed.strip() + "\n"
    if doctest.OutputChecker().check_output(want, got, FLAGS):
        return None
    return f"the page says:\n{want}\nbut this was printed:\n{got}"


class Page:
    """A page whose blocks are run in order; what they print is kept for the ``output`` blocks."""

    def __init__(self, text: str, path: str = "page.md") -> None:
        self._printed = io.StringIO()
        self.document = Document(text, path)
        self.document.namespace["__name__"] = "__page__"
        for language, run in (("python", self._python), ("output", self._output), ("console", self._console)):
            for region in CodeBlockParser(language, run)(self.document):
                self.document.add(region)

    def run(self) -> list[str]:
        """Run every block; the languages of those that ran."""
        languages = []
        for example in self.document.examples():
            example.evaluate()
            languages.append(str(getattr(example.region.evaluator, "__name__", ""))[1:])
        return languages

    def _python(self, example: Example) -> str | None:
        if not example.parsed.lstrip().startswith(">>>"):
            with contextlib.redirect_stdout(self._printed):
                PythonEvaluator()(example)
            return None
        namespace, report = example.namespace, io.StringIO()
        test = doctest.DocTestParser().get_doctest(
            example.parsed, namespace, "block", example.path, example.line
        )
        test.globs = namespace  # what one block defines, the next one sees
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.write, clear_globs=False)
        return report.getvalue() or None

    def _output(self, example: Example) -> str | None:
        printed = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        return _difference(example.parsed, printed)

    def _console(self, example: Example) -> str | None:
        from crmcore.cli import main  # pages without a console need no command line

        for (program, *arguments), expected in _commands(example.parsed):
            if program != "crmcore":
                return f"only crmcore is run in a console block, not {program}"
            printed = io.StringIO()
            ended = contextlib.suppress(SystemExit)  # argparse ends so; what it printed is compared
            with ended, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                main(arguments)
            failure = _difference(expected, printed.getvalue())
            if failure:
                return failure
        return None
