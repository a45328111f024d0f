"""By what an answer is found again that was given to somebody else, who is known in the same way and did the same.

Invariant: two people with the same hint are known in the same way and did the same as far as any rule that looks at no
clock can tell; it is made from stored forms alone, so that nothing is built for who is answered already.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from crmcore.consent.act_reading import Sketch
from crmcore.consent.facts import Facts
from crmcore.consent.fixed import grown_by
from crmcore.consent.history import outline
from crmcore.consent.reach import Reach
from crmcore.values.instant import micros_of


def hint_of(
    reach: Reach, record: str, sketches: Sequence[Sketch], told: Facts, *, point: str | None, at: datetime
) -> Hashable:
    """The hint of somebody with one *record*, reached so, who did what the *sketches* show, asked about at *point*.

    None where there is none. *told* is what an app says of everybody: a hint holds only among people of whom it says
    the same. *at* is the instant of the question.

    >>> reach = Reach("consumer", (), ("DE",), None)
    >>> from datetime import UTC
    >>> hint_of(reach, "r-1", (), Facts(), point=None, at=datetime(2026, 5, 4, tzinfo=UTC))
    ('consumer', ('DE',), None, True, ())
    """
    if told.events or told.others_lifting:
        return None
    seen = outline(sketches, point, {one.normal for one in reach.points}, record, micros_of(at))
    if seen is None:
        return None
    born = told.subject.birth_dates or (() if reach.birth_date is None else (reach.birth_date,))
    first = min([at.year, *[one.at.year for one in sketches]])
    return reach.kind, reach.jurisdictions, grown_by(born, first), point is None, seen
