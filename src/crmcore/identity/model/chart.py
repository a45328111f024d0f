"""A learned model for people: what each level of each column is worth, as a drawing and as a table.

Invariant: both show the weights as the model has them, in bits; neither shows a value, since a model holds none.
"""

from __future__ import annotations

from collections.abc import Iterator

from crmcore.identity.model.match_model import PARTS, ColumnWeights, MatchModel
from crmcore.identity.model.policy import UNIT
from crmcore.render import Html, Weight, weights
from crmcore.render.drawing import signed

_ANY = "any two records"
_TOGETHER = "agree by accident together"


def model_chart(model: MatchModel) -> Html:
    """A drawing of *model*: bars to the right speak for one customer, bars to the left for two.

    Below the levels of a column stands what agreeing on a value that nobody else has adds. Where the model knows
    related customers, the second bar says how much a level speaks for these.

    >>> from crmcore.identity.model.match_model import ColumnWeights
    >>> city = ColumnWeights(name="city", labels=("different", "same"), same=(0, -UNIT, 4 * UNIT))
    >>> "city: different -1.0, same +4.0" in model_chart(MatchModel(columns=(city,), prior=-8 * UNIT))
    True
    """
    groups: list[tuple[str, list[Weight]]] = [(_ANY, [_weight("prior", model.prior, model.related_prior)])]
    for column in model.columns:
        rows = [_weight(*row) for row in _levels(column)]
        rare = [
            Weight(label=f"if rare: {kind}", value=points / UNIT)
            for kind, points in sorted(column.unseen.items())
        ]
        groups.append((column.name, [*rows, *rare]))
    if model.dependences:
        taken = [_weight(f"{one.a}, {one.b}", -one.bits) for one in model.dependences]
        groups.append((_TOGETHER, taken))
    return weights(groups, title=_title(model), series=("same customer", "related"))


def model_text(model: MatchModel) -> str:
    """A table of *model*: by level its weight, and how often pairs of one customer and of strangers are at it.

    >>> from crmcore.identity.model.match_model import ColumnWeights
    >>> city = ColumnWeights(name="city", labels=("different", "same"), same=(0, -UNIT, 4 * UNIT))
    >>> print(model_text(MatchModel(columns=(city,), prior=-8 * UNIT)))
    model/...
                                 bits
    any two records  prior       -8.0
    city             different   -1.0
                     same        +4.0
    """
    shares = any(column.share_same and column.share_other for column in model.columns)
    related = model.related_prior is not None
    rows = list(_rows(model))
    first, second = max(len(row[0]) for row in rows) + 2, max(len(row[1]) for row in rows) + 2
    head = f"{'':{first + second}}{'bits':>5}" + (f"{'related':>9}" if related else "")
    lines = [_title(model), head + (f"{'one customer':>14}{'strangers':>11}" if shares else "")]
    for name, label, points, other, seen in rows:
        number = "" if other is None else f"{signed(other / UNIT):>9}"
        lines.append(f"{name:{first}}{label:{second}}{signed(points / UNIT):>5}{number}{seen}")
    return "\n".join(lines)


def _rows(model: MatchModel) -> Iterator[tuple[str, str, int, int | None, str]]:
    """The lines of the table: a name where one begins, a level, both weights, and how often it is seen."""
    yield _ANY, "prior", model.prior, model.related_prior, ""
    for column in model.columns:
        name = column.name
        for level, (label, same, related) in enumerate(_levels(column), 1):
            yield name, label, same, related, _seen(column, level)
            name = ""
        for kind, points in sorted(column.unseen.items()):
            yield name, f"if rare: {kind}", points, None, ""
    name = "agree together"
    for one in model.dependences:
        yield name, f"{one.a}, {one.b}", -one.bits, None, ""
        name = ""


def _title(model: MatchModel) -> str:
    if not model.records:
        return model.name
    return f"{model.name}, of {model.records:,} records"


def _levels(column: ColumnWeights) -> Iterator[tuple[str, int, int | None]]:
    for level, label in enumerate(column.labels, 1):
        yield label, column.same[level], column.related[level] if column.related else None


def _weight(label: str, points: int, related: int | None = None) -> Weight:
    return Weight(label=label, value=points / UNIT, also=None if related is None else related / UNIT)


def _seen(column: ColumnWeights, level: int) -> str:
    if not column.share_same or not column.share_other:
        return ""
    return f"{column.share_same[level] / PARTS:14.2%}{column.share_other[level] / PARTS:11.3%}"
