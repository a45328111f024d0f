"""What becomes of permission under merge, in cases that people can read: every one goes through `Crm`, day by day."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm, Party, Person
from crmcore.consent import Collection, Facts, RegisterCheck, Relation
from crmcore.values.partial_date import PartialDate
from tests.app.houses import Clock
from tests.app.judging import MailboxMatcher
from tests.consent.asking import YES, asked, company

CASES = tomllib.loads(Path(__file__).with_name("merges.toml").read_text(encoding="utf-8"))["case"]


class Played:
    """A case while it goes on: who is who, and the one clock."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.clock = Clock(now=datetime(2024, 12, 1, tzinfo=UTC))
        self.crm: Crm = company(self.clock, matcher=MailboxMatcher())
        self.parties: dict[str, Party] = {}
        for name, facts in case["records"].items():
            person = Person.of(f"Somebody {name}")
            for address in facts.get("email", ()):
                person = person.with_email(address)
            for number in facts.get("phone", ()):
                person = person.with_phone(number)
            if "born" in facts:
                person = person.changed(birth_date=PartialDate.parse(facts["born"]))
            self.parties[name] = self.crm.parties.add(person)

    def go(self) -> None:
        for step in self.case["steps"]:
            day = step["on"]
            self.clock.now = day if isinstance(day, datetime) else datetime.combine(day, time(12), tzinfo=UTC)
            if "merge" in step:
                self._merge(*step["merge"])
            elif "unmerge" in step:
                self._unmerge(*step["unmerge"])
            elif "leaves" in step:
                self._moves(step)
            elif "act" in step:
                self._says(step)
            else:
                self._asks(step)

    def _merge(self, a: str, b: str) -> None:
        if self.case.get("by_matcher"):
            self.crm.identity.dedupe()
        else:
            self.crm.identity.merge(self.parties[a].id, self.parties[b].id)
        assert self.crm.customers.resolve(self.parties[a].id) == self.crm.customers.resolve(
            self.parties[b].id
        )

    def _unmerge(self, a: str, b: str) -> None:
        for judgement in self.crm.identity.judgements(self.parties[a].id):
            if judgement.live and self.parties[b].id in judgement.pair:
                self.crm.identity.retract(judgement.id)

    def _moves(self, step: dict[str, Any]) -> None:
        self.crm.parties.change(
            self.parties[step["record"]].id,
            lambda party: party.without(step["leaves"]).with_email(step["gets"]),
        )

    def _says(self, step: dict[str, Any]) -> None:
        self.crm.consent.record(
            step["act"],
            self.parties[step["record"]].id,
            point=step.get("about"),
            purposes=step.get("purposes", ["marketing"]),
            channels=[] if "purposes" in step else ["email"],
            evidence=YES if step["act"] in ("give", "assert_import") else None,
        )

    def _asks(self, step: dict[str, Any]) -> None:
        records = self.case["records"]
        about = step["ask"]
        owners = [
            name
            for name, party in self.parties.items()
            if any(point.raw == about for point in self.crm.parties.get(party.id).contact_points)
        ]
        laws = {name: facts.get("law", self.case.get("law")) for name, facts in records.items()}
        ref = self.parties[step.get("of", owners[0])].id
        members = {str(one) for one in self.crm.customers.resolve(ref).members}
        decision = asked(
            self.crm,
            ref,
            point=about,
            channel=self.case.get("channel", "email"),
            offered_to_children=self.case.get("children", False),
            jurisdictions=sorted({laws[n] for n, p in self.parties.items() if str(p.id) in members}),
            facts={str(party.id): _known(records[name], self.clock) for name, party in self.parties.items()},
        )
        assert decision.answer == step["answer"], decision.explain()


def _known(told: dict[str, Any], clock: Clock) -> Facts:
    """What the shop knows of a record beside what people said."""
    bought = told.get("bought")
    return Facts(
        relations=() if bought is None else (Relation(kind="purchase", on=bought),),
        collection=Collection() if bought is None else Collection(source="sale", opt_out_offered=True),
        zones=(told["zone"],) if "zone" in told else (),
        checks=(RegisterCheck(list="*", on=clock.now.date()),),
        holidays=frozenset(),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_case_is_answered_as_it_is_written(case: dict[str, Any]) -> None:
    Played(case).go()


def test_there_are_twenty_cases_with_a_sentence_each() -> None:
    assert len(CASES) >= 20
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(case["why"].endswith(".") for case in CASES)
