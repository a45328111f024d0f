"""Whether two full names, as somebody wrote them, can be one person's or one organization's: a score and its reasons.

Invariant: symmetric, a function of the two texts alone, without training. A name that has nothing to compare is like no
other, not even like itself. The score starts from 1 and falls with what was found: the square root of the sum of the
squared costs is taken off, so that one contradiction outweighs many small differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import attrs

from crmcore.identity.name_pieces import person_pieces
from crmcore.identity.names import full_name_form, organization_form
from crmcore.identity.normal_forms import LONGEST
from crmcore.identity.organization_names import compare_organizations
from crmcore.identity.organization_pieces import organization_pieces
from crmcore.identity.person_names import Finding, compare_people
from crmcore.values.personal import personal

NameKind = Literal["person", "organization"]
NameVerdict = Literal["same", "different"]

SAME_FROM = 0.75
"""The score from which on the verdict is "same"."""


@attrs.frozen
class NameReason:
    """One thing that was found: its *kind*, what it *costs*, and the two *values*, empty where a side has none.

    Kinds are ``"same"``, ``"alike"`` (spelling, sound, language or short form), ``"joined"`` (one word or two),
    ``"initial"``, ``"acronym"``, ``"missing"`` (only one name has it), ``"conflict"``, ``"order"``, ``"generation"``,
    ``"legal form"`` and ``"nothing to compare"``.

    >>> NameReason("conflict", 0.7, ("ann", "joe"))
    NameReason(kind='conflict', cost=0.7, values=<2 hidden>)
    """

    kind: str
    cost: float = 0.0
    values: tuple[str, str] | tuple[()] = personal(default=())

    @property
    def detail(self) -> str:
        """The values for people to read.

        >>> NameReason("missing", 0.12, ("", "mary")).detail
        '- / mary'
        """
        return " / ".join(value or "-" for value in dict.fromkeys(self.values))


@attrs.frozen
class NameComparison:
    """A *verdict* on two names, its *score* from 0 to 1, and the *reasons*, the costliest first."""

    verdict: NameVerdict
    score: float
    reasons: tuple[NameReason, ...] = ()

    def explain(self) -> str:
        """The comparison for people to read, names included.

        >>> print(compare_names("Ann Mary Lee", "Lee, Ann").explain())
        same, 0.88
          -0.12  missing: mary / -
           0.00  same: ann
           0.00  same: lee
        """
        lines = [f"{self.verdict}, {self.score:.2f}"]
        for reason in self.reasons:
            cost = f"-{reason.cost:.2f}" if reason.cost >= 0.005 else " 0.00"
            lines.append(f"  {cost}  {reason.kind}{': ' + reason.detail if reason.detail else ''}")
        return "\n".join(lines)


def compare_names(a: str, b: str, kind: NameKind = "person") -> NameComparison:
    """Compare two full names of people, or of organizations, in any script and any order of words.

    Names are compared by their words: letters are brought into the Latin script, words pair up by spelling and sound,
    and what one name has and the other has not costs by what it says. A missing middle name costs little, another given
    name, another number, or another word of a company's own much. From 0.75 on the verdict is ``"same"``. Scores of
    people and of organizations compare among themselves only. Of a long text the first 160 characters are read.

    Raises:
        ValueError: if *kind* is neither.

    >>> compare_names("Владимир Путин", "Putin, Vladimir V.").verdict
    'same'
    >>> compare_names("Li Wei", "Li Wen").verdict, compare_names("", "").verdict
    ('different', 'different')
    >>> compare_names("ООО «Ромашка»", "Romashka LLC", kind="organization").verdict
    'same'
    """
    if kind not in ("person", "organization"):
        raise ValueError('names are compared as kind "person" or "organization"')
    a, b = a[:LONGEST], b[:LONGEST]
    if a <= b:
        return _compared(a, b, kind, lambda finding: (finding.a, finding.b))
    return _compared(b, a, kind, lambda finding: (finding.b, finding.a))


def _compared(a: str, b: str, kind: NameKind, values: Callable[[Finding], tuple[str, str]]) -> NameComparison:
    findings = _people(a, b) if kind == "person" else _organizations(a, b)
    if findings is None:
        return NameComparison("different", 0.0, (NameReason("nothing to compare"),))
    score = max(0.0, 1.0 - math.sqrt(sum(finding.cost * finding.cost for finding in findings)))
    findings.sort(key=lambda finding: -finding.cost)
    reasons = tuple(
        NameReason(finding.kind, round(finding.cost, 4), values(finding) if finding.a or finding.b else ())
        for finding in findings
    )
    return NameComparison("same" if score >= SAME_FROM else "different", round(score, 4), reasons)


def _people(a: str, b: str) -> list[Finding] | None:
    pieces_a, pieces_b = person_pieces(a), person_pieces(b)
    if not pieces_a.words or not pieces_b.words or full_name_form(a) is None or full_name_form(b) is None:
        return None
    if pieces_a == pieces_b:
        return [Finding("same", 0.0, word.written, word.written) for word in pieces_a.words]
    return compare_people(pieces_a, pieces_b)


def _organizations(a: str, b: str) -> list[Finding] | None:
    pieces_a, pieces_b = organization_pieces(a), organization_pieces(b)
    if not pieces_a.words or not pieces_b.words or not organization_form(a) or not organization_form(b):
        return None
    if pieces_a == pieces_b:
        return [Finding("same", 0.0, word.written, word.written) for word in pieces_a.words]
    return compare_organizations(pieces_a, pieces_b)
