"""A waterfall: what each step adds to or takes from a sum, each beginning where the last one ended.

Invariant: the last bar ends at the sum of the values given. The drawing is complete in itself and fits a phone.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from crmcore.render.drawing import Scale, clipped, drawing, signed
from crmcore.render.html import Html, tag

_HEAD = 30
_ROW = 38
_NOTE = 16
_BAR = 20  # from the top of a row to its bar
_THICK = 11
_MARK = 18
_LETTERS = 40  # of a label, as fit beside a number on a phone
_NOTE_LETTERS = 46


@attrs.frozen(kw_only=True)
class Step:
    """One step: what it is called, what it adds, and a *note* in small print below.

    >>> Step(label="birth date: same", value=17.3).value
    17.3
    """

    label: str
    value: float
    note: str = ""


def waterfall(
    steps: Iterable[Step],
    *,
    title: str,
    total: str = "in all",
    unit: str = "bits",
    marks: Iterable[tuple[str, float]] = (),
) -> Html:
    """Draw *steps* one below the other, and their sum under the name *total*; *marks* are lines at named values.

    >>> made = waterfall([Step(label="prior", value=-9.0), Step(label="e-mail", value=14.5)], title="Ann and Anne")
    >>> made.startswith("<svg "), "prior -9.0; e-mail +14.5; in all +5.5 bits" in made
    (True, True)
    """
    known, lines = list(steps), sorted(marks, key=lambda mark: (mark[1], mark[0]))
    ends = [0.0]
    for step in known:
        ends.append(ends[-1] + step.value)
    reach = [*ends, *(value for _, value in lines)]
    scale = Scale(least=min(reach), most=max(reach), left=1, right=99)
    tops = [_HEAD]
    for step in known:
        tops.append(tops[-1] + _ROW + (_NOTE if step.note else 0))
    bars = [*(below - _ROW + _BAR for below in tops[1:]), tops[-1] + _BAR]
    bottom = tops[-1] + _ROW + 4
    body = [
        tag("text", clipped(title, _LETTERS), x="0%", y=14, class_="head"),
        tag("line", x1=scale.at(0), x2=scale.at(0), y1=_HEAD, y2=bottom, class_="grid"),
        *(_mark(mark, number, bottom, scale) for number, mark in enumerate(lines)),
        *(
            tag("line", x1=scale.at(end), x2=scale.at(end), y1=one + _THICK, y2=other, class_="rail")
            for end, one, other in zip(ends[1:], bars, bars[1:], strict=False)
        ),
        *(
            _row(step, scale, (start, end), (top, below))
            for step, start, end, top, below in zip(
                known, ends, ends[1:], tops, tops[1:], strict=False
            )
        ),
        _bar(total, signed(ends[-1]) + f" {unit}" * bool(unit), scale.bar(0, ends[-1], bars[-1], _THICK, "total"),
             tops[-1]),
    ]  # fmt: skip
    told = [f"{step.label} {signed(step.value)}" for step in known]
    said = "; ".join([*told, f"{total} {signed(ends[-1])} {unit}".rstrip()])
    return drawing(body, title=title, said=said, height=bottom + _MARK * len(lines) + 2)


def _row(step: Step, scale: Scale, values: tuple[float, float], place: tuple[int, int]) -> Html:
    kind = "up" if step.value >= 0 else "down"
    top, below = place
    bar = scale.bar(*values, below - _ROW + _BAR, _THICK, kind)
    note = None
    if step.note:
        note = tag("text", clipped(step.note, _NOTE_LETTERS), x="0%", y=top + 29, class_="quiet")
    whole = "\n".join(filter(None, (f"{step.label} {signed(step.value)}", step.note)))
    return tag("g", tag("title", whole), _bar(step.label, signed(step.value), bar, top), note)


def _bar(label: str, number: str, bar: Html, top: int) -> Html:
    name = tag("text", clipped(label, _LETTERS), x="0%", y=top + 14)
    return tag("g", bar, name, tag("text", number, x="100%", y=top + 14, text_anchor="end", class_="number"))


def _mark(mark: tuple[str, float], number: int, bottom: int, scale: Scale) -> Html:
    name, value = mark
    end, share = bottom + _MARK * (number + 1), scale.share(value)
    side = "start" if share < 50 else "end"
    text = f"{clipped(name, _LETTERS)} {signed(value)}"
    return tag(
        "g",
        tag("line", x1=scale.at(value), x2=scale.at(value), y1=_HEAD, y2=end - 14, class_="mark"),
        tag("text", text, x=scale.at(value), y=end - 2, text_anchor=side, class_="quiet"),
    )
