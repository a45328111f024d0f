"""``crmcore consent audience`` and ``crmcore consent diff``: all customers of a store, asked about one after the other.

Invariant: they read the store only, hold one page of customers at a time, and count every customer once.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import attrs

from crmcore.app.async_crm import system_clock
from crmcore.app.crm import Crm
from crmcore.cli.explain_command import asked_of, message_of
from crmcore.cli.outputs import check_outputs, store_files, writing
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.cli.value_files import read_value
from crmcore.consent.audience import AudienceCount, AudienceMember, outcome_of, reason_of
from crmcore.consent.facts import Facts
from crmcore.consent.pack import Pack
from crmcore.consent.pack_diff import PackDiff
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.practice import Practice
from crmcore.errors import InvalidPack
from crmcore.exchange.formula import disarmed
from crmcore.values.text import clean

COLUMNS = ("customer", "point", "answer", "jurisdiction", "rule", "reason", "expires_at", "retry_at")


def run_consent_audience(options: argparse.Namespace, terminal: Terminal) -> int:
    """Count whom of all customers may be contacted; with ``--out`` write a row for each."""
    check_outputs([options.out], _inputs(options))
    with _opened(options) as crm:
        audience = _shown(_audience(crm, options), terminal)
        if options.out is not None:
            with writing(options.out) as file:
                count = AudienceCount.of(_written(audience, file))
        else:
            count = AudienceCount.of(audience)
    terminal.text(count.text())
    terminal.result(attrs.asdict(count))
    return DONE


def _written(audience: Iterator[AudienceMember], file: TextIO) -> Iterator[AudienceMember]:
    """The same audience, each of whom is written as a row as they pass."""
    rows = csv.writer(file, lineterminator="\n")  # as in clusters.csv
    rows.writerow(COLUMNS)
    for one in audience:
        rows.writerow([one.customer, disarmed(one.point or ""), outcome_of(one), *_told(one)])
        yield one


def _told(one: AudienceMember) -> tuple[str, ...]:
    """The rest of a row: whose rule it is, which, why, and until when."""
    decision = one.decision
    if decision is None:
        return "", "", reason_of(one), "", ""
    until = [_moment(decision.expires_at), _moment(decision.retry_at)]
    return decision.jurisdiction, decision.rule or "", reason_of(one), *until


def _moment(moment: Any) -> str:
    return "" if moment is None else moment.isoformat()


def run_consent_diff(options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare what two packs say of every customer of a store."""
    packs = [_pack(options.pack_a), _pack(options.pack_b)]
    if options.at is None:
        options.at = system_clock()
    before, after = (_opened(options, _laws(pack, packs[0].jurisdiction)) for pack in packs)
    with before, after:
        diff = PackDiff.of(
            _shown(_audience(before, options), terminal),
            _audience(after, options),
        )
    names = [clean(f"{pack.id} {pack.version}") for pack in packs]
    terminal.text(f"{names[0]} -> {names[1]}: {diff.text()}")
    terminal.result({"packs": names, **attrs.asdict(diff)})
    return DONE


def _pack(name: str) -> Pack:
    """The pack in a file, or the one that ships under that id.

    Raises:
        InvalidPack: if there is neither, or the file holds none.
    """
    shipped = shipped_packs().get(name)
    if shipped is not None:
        return shipped
    path = Path(name)
    try:
        return read_pack(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise InvalidPack(f"{path.name} is no UTF-8") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidPack):
            raise
        raise InvalidPack(
            f"there is no such pack: name a file such as de.toml, or one of {', '.join(sorted(shipped_packs()))}"
        ) from None


def _laws(pack: Pack, place: str) -> Laws:
    """All laws, with *pack* as that of the jurisdiction *place*; where it is its own, also wherever it is included."""
    if pack.jurisdiction == place:
        return Laws({**{id: one for id, one in shipped_packs().items() if id != pack.id}, pack.id: pack})
    return Laws({**shipped_packs(), "compared": attrs.evolve(pack, jurisdiction=place)})


def _opened(options: argparse.Namespace, laws: Laws | None = None) -> Crm:
    return Crm(existing_store(options.store), practice=read_value(options.practice, Practice), laws=laws)


def _audience(crm: Crm, options: argparse.Namespace) -> Iterator[AudienceMember]:
    ask = crm.preferences.audience if options.wishes else crm.consent.audience
    return ask(
        purpose=options.purpose,
        channel=options.channel,
        message=message_of(options.purpose, options.kind),
        **asked_of(options, read_value(options.facts, Facts)),
    )


def _shown(audience: Iterator[AudienceMember], terminal: Terminal) -> Iterator[AudienceMember]:
    """The same audience, with progress as it passes."""
    for number, one in enumerate(audience, 1):
        if not number % 100:
            terminal.progress("asking", number, 0)
        yield one


def _inputs(options: argparse.Namespace) -> list[Path | None]:
    return [*store_files(options.store), options.practice, options.facts]
