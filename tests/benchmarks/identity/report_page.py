"""The page that tells what was measured, in Markdown, and the drawings beside it.

Invariant: what failed stands in its place and says why; nothing that was asked for is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import attrs

from crmcore.render.html import Html
from tests.benchmarks.identity.measuring import Figures, Round, taken
from tests.benchmarks.identity.plots import Line, Ratio, figure, growth, ratios

_QUIET = 0.1  # the share of the processors that others may use before figures are called disturbed
_PLOTS = {
    "seconds": "Seconds by rows",
    "memory": "Megabytes by rows",
    "ratios": "How many times as long others take",
}


@attrs.frozen(kw_only=True)
class Contest:
    """One file: the rounds of crmcore alone under the name "", or beside each peer under its name."""

    name: str
    rounds: Mapping[str, Sequence[Round]]

    def ours(self, beside: str | None = None) -> list[Figures]:
        """All that crmcore came to, or only that beside one peer."""
        return [
            one["crmcore"]
            for name, rounds in self.rounds.items()
            if beside in (None, name)
            for one in rounds
        ]  # fmt: skip

    def theirs(self, peer: str) -> list[Figures]:
        """All that a peer came to."""
        return [one["peer"] for one in self.rounds[peer]]

    @property
    def peers(self) -> list[str]:
        """Who was measured beside."""
        return [name for name in self.rounds if name]


@attrs.frozen(kw_only=True)
class Measured:
    """All that one report tells."""

    contests: Sequence[Contest]
    store: Sequence[Round]
    loading: Sequence[Round]
    about: Mapping[str, str]
    take: str
    curve: str

    def of(self, found: Sequence[Figures]) -> Figures | None:
        """The run that stands for several."""
        return taken(found, self.take)

    @property
    def rounds(self) -> list[Round]:
        """Every round."""
        inside = [one for contest in self.contests for rounds in contest.rounds.values() for one in rounds]
        return [*inside, *self.store, *self.loading]


def write(measured: Measured, folder: Path) -> None:
    """Write the page and its drawings into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = dict(drawings(measured))
    for name in _PLOTS:
        path = folder / f"{name}.svg"
        if name in drawn:
            path.write_text(drawn[name] + "\n", encoding="utf-8")
        else:
            path.unlink(missing_ok=True)  # of an earlier report, which this one is not about
    (folder / "report.md").write_text("\n".join(page(measured, list(drawn))) + "\n", encoding="utf-8")


def drawings(measured: Measured) -> Iterator[tuple[str, Html]]:
    """Growth by rows, of time and of memory, and ratios where there are peers."""
    if curve := [one for one in measured.contests if fnmatchcase(one.name, measured.curve)]:
        names = list(dict.fromkeys(peer for contest in curve for peer in contest.peers))
        for name, unit in (("seconds", "s"), ("memory", "MB")):
            lines = [
                _line(measured, curve, None, name),
                *(_line(measured, curve, peer, name) for peer in names),
            ]
            yield name, growth(lines, title=_PLOTS[name], unit=unit)
    if rows := [_ratio(measured, contest, peer) for contest in measured.contests for peer in contest.peers]:
        yield "ratios", ratios(rows, title=_PLOTS["ratios"])


def _line(measured: Measured, curve: Sequence[Contest], peer: str | None, name: str) -> Line:
    points = []
    for contest in curve:
        ours = measured.of(contest.ours())
        if peer is None:
            found = ours
        else:
            found = measured.of(contest.theirs(peer)) if peer in contest.rounds else None
        if ours and found and found.get(name):
            points.append((float(ours["rows"]), float(found[name])))
    return Line(name=peer or "crmcore", points=tuple(sorted(points)))


def _ratio(measured: Measured, contest: Contest, peer: str) -> Ratio:
    ours, theirs = measured.of(contest.ours(peer)), measured.of(contest.theirs(peer))
    label = f"{contest.name}: {peer}"
    if not ours or not theirs:
        return Ratio(label=label, inside=None)
    return Ratio(
        label=label, inside=theirs["seconds"] / ours["seconds"], whole=theirs["whole"] / ours["whole"]
    )


def page(measured: Measured, drawn: Sequence[str]) -> Iterator[str]:
    """The lines of the page."""
    yield from _about(measured)
    yield "\n## From a file to its groups\n"
    yield from _table(
        "set|rows|F1|B-cubed F1|seconds|whole process|MB|pairs compared|runs",
        [_own(measured, contest) for contest in measured.contests],
    )
    yield from _growth(measured)
    yield from (_picture(name) for name in ("seconds", "memory") if name in drawn)
    rows = [_beside(measured, contest, peer) for contest in measured.contests for peer in contest.peers]
    if rows:
        yield "\n## Beside others\n"
        yield "Each was measured in turns with crmcore; in each pair of figures theirs come first, then crmcore's.\n"
        yield from _table(
            "set|with|F1|seconds|times as long|whole process|times as long|MB|crmcore's share", rows
        )
        yield from _untold(measured)
        yield _picture("ratios")
    yield from _store(measured.store)
    yield from _loading(measured.loading)


def _about(measured: Measured) -> Iterator[str]:
    days = sorted({one["at"] for one in measured.rounds})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "never"
    machine = ", ".join(f"{name} {value}" for name, value in measured.about.items() if name != "code")
    yield f"Measured {when}: {machine}; code {measured.about['code']}."
    which = "the best" if measured.take == "best" else "the one in the middle"
    yield f"Of several runs {which} is shown, by the seconds inside the process."
    busy = max((one["busy"] for one in measured.rounds if one["busy"] is not None), default=0.0)
    if busy >= _QUIET:
        yield (
            f"\n**Other work kept up to {busy:.0%} of the processors busy meanwhile: these figures are disturbed and "
            "must be measured again.**"
        )


def _table(head: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    names = head.split("|")
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row] + [""] * (len(names) - len(row))
        yield f"| {' | '.join(cells)} |"


def _own(measured: Measured, contest: Contest) -> list[str]:
    found = contest.ours()
    best = measured.of(found)
    if best is None:
        return [contest.name, _failed(found)]
    return [
        contest.name, f"{best['rows']:,}", _share(best["f1"]), _share(best["bcubed"]), figure(best["seconds"]),
        figure(best["whole"]), f"{best['memory']:,}", f"{best['compared']:,}", _runs(found),
    ]  # fmt: skip


def _beside(measured: Measured, contest: Contest, peer: str) -> list[str]:
    own, other = contest.ours(peer), contest.theirs(peer)
    ours, theirs = measured.of(own), measured.of(other)
    if not ours or not theirs:
        whose = _failed(other) if ours else f"crmcore {_failed(own)}"
        return [contest.name, peer, whose]
    quality = _share(theirs.get("f1"))
    if "f1_at_default" in theirs:
        quality += f" ({_share(theirs['f1_at_default'])} at its default)"
    lost = sum("failed" in one for one in other)
    return [
        contest.name, f"{peer} ({lost} of {len(other)} failed)" if lost else peer,
        f"{quality} / {_share(ours['f1'])}",
        *_two(theirs, ours, "seconds"), *_two(theirs, ours, "whole"),
        f"{theirs['memory']:,.0f} / {ours['memory']:,}", f"{ours['memory'] / max(1, theirs['memory']):.0%}",
    ]  # fmt: skip


def _two(theirs: Figures, ours: Figures, name: str) -> tuple[str, str]:
    return f"{figure(theirs[name])} / {figure(ours[name])}", f"{theirs[name] / ours[name]:.1f}x"


def _growth(measured: Measured) -> Iterator[str]:
    """By which power of the rows time and memory grow, over all and from each size to the next."""
    curve = [one for one in measured.contests if fnmatchcase(one.name, measured.curve)]
    for name, what in (("seconds", "time"), ("memory", "memory")):
        line = _line(measured, curve, None, name)
        if line.exponent is None:
            continue
        steps = [Line(name="", points=two) for two in zip(line.points, line.points[1:], strict=False)]
        each = ", ".join(
            f"{step.exponent:.2f} from {step.points[0][0]:,.0f} to {step.points[1][0]:,.0f}"
            for step in steps
            if step.exponent is not None
        )
        yield f"\nThe {what} grows with the rows to the power of {line.exponent:.2f} ({each})."


def _untold(measured: Measured) -> Iterator[str]:
    """Whose whole process cannot be freed of what is no grouping."""
    names = dict.fromkeys(
        peer
        for contest in measured.contests
        for peer in contest.peers
        if any("told" not in one and "failed" not in one for one in contest.theirs(peer))
    )
    if names:
        yield (
            f"\nThe whole process of {', '.join(names)} has in it whatever the peer measures of itself, which it does "
            "not tell."
        )


def _store(rounds: Sequence[Round]) -> Iterator[str]:
    if not rounds:
        return
    found = rounds[-1]["crmcore"]
    yield "\n## One record against a store\n"
    if "failed" in found:
        yield _failed([found])
        return
    rows = [
        ("the first query, which reads the model", found["first"], None, None),
        (f"{found['drafts']:,} drafts", found["p50"], found["p99"], found["worst"]),
        (f"a telephone that {found['share']:,} share", found["shared_p50"], None, found["shared_worst"]),
    ]
    yield f"{found['parties']:,} parties in an SQLite file; milliseconds with decision and explanation.\n"
    cells = [[name, *("" if one is None else figure(one) for one in numbers)] for name, *numbers in rows]
    yield from _table("query|median|99th percentile|worst", cells)


def _loading(rounds: Sequence[Round]) -> Iterator[str]:
    if not rounds:
        return
    found = rounds[-1]["crmcore"]
    yield "\n## Loading a store\n"
    if "failed" in found:
        yield _failed([found])
        return
    rates: Mapping[str, float] = found["rates"]
    yield f"{found['parties']:,} parties into a new SQLite file, and the same rows by hand-written SQL.\n"
    hand = rates["by hand"]
    cells = [[name, f"{rate:,.0f}", f"{rate / hand:.0%}"] for name, rate in rates.items()]
    yield from _table("way|parties a second|of by hand", cells)


def _picture(name: str) -> str:
    return f'\n<img src="{name}.svg" alt="{_PLOTS[name]}" width="100%">'


def _failed(found: Sequence[Mapping[str, Any]]) -> str:
    reasons = dict.fromkeys(str(one["failed"]) for one in found if "failed" in one)
    return f"failed: {'; '.join(reasons)}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _runs(found: Sequence[Figures]) -> str:
    lost = sum("failed" in one for one in found)
    return f"{len(found)}, {lost} failed" if lost else str(len(found))
