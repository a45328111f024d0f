"""What a pack says is meant, or it is refused: a denial that can never fire is no denial."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Facts, Listing, RegisterCheck, Relation
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from crmcore.errors import InvalidPack

HEAD = 'id = "xr"\njurisdiction = "XR"\nname = "Ruritania"\nversion = "1"\nzone = "Europe/Prague"\n'
FREE = '[[rule]]\nid = "xr.free"\nstage = "permit"\neffect = "permit"\ntext = "."\ncite = "Act 1"\n'
NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)


def deny(when: str, more: str = "") -> str:
    head = '[[rule]]\nid = "xr.a"\nstage = "stop"\neffect = "deny"\ntext = "."\ncite = "Act 2"\n'
    return f"{HEAD}{FREE}{head}when = {when}\n{more}"


def answer(pack: str, facts: Facts, *, policy: Policy | None = None) -> str:
    laws = Laws({**shipped_packs(), "xr": read_pack(pack)})
    request = Request(controller="acme", channel="voice", purpose="marketing", at=NOW, point="1")
    return decide(request, facts, jurisdictions=["XR"], laws=laws, policy=policy).answer


@pytest.mark.parametrize(
    ("when", "named"),
    [
        ("{ inside = { 'mon-sun' = '21:00-08:00' } }", "midnight"),
        ("{ inside = { mon = '09:00-09:00' } }", "midnight"),
        ("{ inside = { mon = '00:00-00:00' } }", "write '00:00-24:00'$"),
        ("{ inside = { mon = '18:00-00:00' } }", "write '18:00-24:00'$"),
        ("{ inside = { 'sat-mon' = '00:00-24:00' } }", "over Sunday"),
        ("{ not = { inside = { 'fri-mon' = '00:00-24:00' } } }", "over Sunday"),
        ("{ inside = {} }", "names no day"),
        ("{ inside = { ends = 'open' } }", "names no day"),
        ("{ inside = { 'mon-fri' = '09:00-17:00', wed = '09:00-12:00' } }", "wed is named twice: split"),
        ("{ no = { kinds = [] } }", "names none"),
        ("{ no = { kinds = ['never'] } }", "is not among"),
        (
            "{ related = { kinds = 'contract', within = 'P1Y', ended_within = 'P1M', counting = 'calendar_months' } }",
            "not both",
        ),
        (
            "{ no = { kinds = 'withdraw', within = 'P1M', minutes = 5, counting = 'calendar_months' } }",
            "not both",
        ),
    ],
)
def test_what_can_never_hold_is_refused_when_it_is_read(when: str, named: str) -> None:
    with pytest.raises(InvalidPack, match=named):
        read_pack(deny(when))


def test_a_zone_that_there_is_not_is_refused_when_it_is_read() -> None:
    with pytest.raises(InvalidPack, match="Europe/Pragueo"):
        read_pack((HEAD + FREE).replace("Prague", "Pragueo"))


def test_a_day_is_written_as_a_text_or_as_a_date() -> None:
    bought = Facts(relations=(Relation(kind="purchase", on=date(2026, 2, 5)),), zones=("UTC",))
    for day in ("2026-02-05", "'2026-02-05'"):
        assert answer(deny(f"{{ related = {{ kinds = 'purchase', not_before = {day} }} }}"), bought) == "deny"
    for day in ("2026-02-06", "'2026-02-06'"):
        assert (
            answer(deny(f"{{ related = {{ kinds = 'purchase', not_before = {day} }} }}"), bought) == "allow"
        )


@pytest.mark.parametrize("day", ["2026-W05-1", "20260205", "2026-02-05T00:00:00", "5 February"])
def test_a_day_that_is_written_otherwise_is_refused(day: str) -> None:
    with pytest.raises(InvalidPack, match="written like 2026-02-05"):
        read_pack(deny(f"{{ related = {{ kinds = 'purchase', not_before = '{day}' }} }}"))


END = date.max
LATE = Facts(
    listings=(Listing(list="tps", since=END),),
    checks=(RegisterCheck(list="*", on=END), RegisterCheck(list="tps", on=date(9999, 12, 1))),
    relations=(Relation(kind="purchase", on=END), Relation(kind="contract", until=END)),
    refused_in_call=END,
    holidays=frozenset(),
    zones=("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
)


@pytest.mark.parametrize(
    "when",
    [
        "{ listed = { on = 'tps', days = 1000000, fresh = 1000000, relied = 1000000 } }",
        "{ asked = { on = 'tps', within = 1000000 } }",
        "{ tried = { times = 1000000, days = 1000000, hours = 1000000 } }",
        "{ no = { kinds = 'withdraw', minutes = 1000000 } }",
        "{ no = { kinds = 'withdraw', within = 'P9999Y9999M99999D', counting = 'calendar_months' } }",
        "{ 'facts.refused_in_call' = { within = 'P9999Y' } }",
        "{ related = { kinds = 'purchase', within = 'P9999Y', counting = 'civil_months' } }",
        "{ related = { kinds = 'contract', ended_within = 'P9999M', counting = 'months_beginning_on' } }",
        "{ related = { kinds = 'purchase', within = 'P1M', counting = 'interpretation_act_s28' } }",
    ],
)
def test_what_a_pack_may_say_is_decided_to_the_end_of_the_calendar(when: str) -> None:
    said = ConsentEvent(
        id="no", kind="withdraw", occurred_at=NOW, scope=Scope(controller="acme", purposes={"marketing"})
    )
    grace = '[[grace]]\nchannel = "voice"\ndays = 3660\ncounting = "nth_working_day"\ncite = "Act 3"\n'
    pack = deny(when, 'in_force = "2020-01-01/9999-12-31"\n') + grace
    for facts in (LATE, Facts(events=(said,), zones=("UTC",), holidays=frozenset())):
        for policy in (None, Policy(withdrawal_grace="legal_max")):
            assert answer(pack, facts, policy=policy) in ("allow", "deny", "need_confirmation")
