"""The hash of what a decision was made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Facts
from crmcore.consent.pack_reading import Laws, shipped_packs
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from tests.consent.cases import NOW, facts, jurisdictions, requests

REQUEST = Request(controller="acme", channel="email", purpose="marketing", at=NOW)
TOLD = ("events", "relations", "listings", "checks", "attempts", "zones")


def hashed(request: Request, known: Facts, **options: Any) -> str | None:
    return decide(
        request, known, **{"jurisdictions": ["FR"], "hashed": True, "trace": False, **options}
    ).facts_hash


@given(requests, facts, jurisdictions, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_are_told_is_not_in_the_hash(
    request: Request, known: Facts, names: list[str], random: Any
) -> None:
    mixed: dict[str, Any] = {
        name: tuple(random.sample(getattr(known, name), len(getattr(known, name)))) for name in TOLD
    }
    turned = attrs.evolve(known, **mixed)
    assert hashed(request, turned, jurisdictions=names[::-1]) == hashed(request, known, jurisdictions=names)


@given(facts, st.sampled_from(TOLD))
def test_a_fact_less_is_another_hash(known: Facts, name: str) -> None:
    told = getattr(known, name)
    if told:
        less: dict[str, Any] = {name: told[1:]}
        assert hashed(REQUEST, attrs.evolve(known, **less)) != hashed(REQUEST, known)


def test_all_that_a_decision_rests_on_is_in_the_hash() -> None:
    plain = shipped_packs()
    newer = Laws({**plain, "eu": attrs.evolve(plain["eu"], version="2099.1")})
    hashes = [
        hashed(REQUEST, Facts()),
        hashed(attrs.evolve(REQUEST, channel="sms"), Facts()),
        hashed(REQUEST, Facts(gpc=True)),
        hashed(REQUEST, Facts(), jurisdictions=["DE"]),
        hashed(REQUEST, Facts(), policy=Policy(withdrawal_grace="legal_max")),
        hashed(REQUEST, Facts(), laws=newer),
        hashed(REQUEST, Facts(), known_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    assert len({*hashes}) == len(hashes)
    assert decide(REQUEST, Facts(), jurisdictions=["FR"]).facts_hash is None


def test_the_packs_that_were_asked_are_told_with_their_versions() -> None:
    packs = shipped_packs()
    found = decide(REQUEST, Facts(), jurisdictions=["US-CA", "FR", "DE"]).packs
    assert found == tuple(f"{id} {packs[id].version}" for id in ("us_ca", "us", "fr", "eu", "de"))
