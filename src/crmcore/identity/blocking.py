"""Candidate pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from crmcore.identity.features import Features
from crmcore.identity.matcher import Matcher

CAP = 200
WINDOW = 15


@attrs.define
class BlockReport:
    blocks: int = 0
    oversized: int = 0
    skipped: int = 0


def candidates(records: Sequence[Features], matcher: Matcher, report: BlockReport, cap: int = CAP) -> Iterator[tuple[int, list[int]]]:
    blocks: dict[str, list[int]] = {}
    keys_of = []
    for at, record in enumerate(records):
        keys = sorted(matcher.keys(record))
        keys_of.append(keys)
        for key in keys:
            blocks.setdefault(key, []).append(at)
    for members in blocks.values():
        report.blocks += 1
        if len(members) > cap:
            report.oversized += 1
            n = len(members)
            report.skipped += n * (n - 1) // 2 - n * WINDOW
    from bisect import bisect_right
    for at in range(len(records)):
        found: set[int] = set()
        for key in keys_of[at]:
            members = blocks[key]
            if len(members) == 1:
                continue
            place = bisect_right(members, at)
            if len(members) > cap:
                found.update(members[place : place + WINDOW])
            else:
                found.update(members[place:])
        if found:
            yield at, sorted(found)
