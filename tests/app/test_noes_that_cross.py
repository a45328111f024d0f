"""A No and a change of address that cross: whichever is committed first, the No is not lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from crmcore import Crm, Person
from crmcore.consent import Cap, Facts, Offer, SecretRing, Subject, Wished
from crmcore.errors import InvalidConsent, NotFound
from crmcore.party.contact_point import EmailPoint
from crmcore.storage import MemoryStore, SqliteStore
from crmcore.storage.protocol import Put, Store
from crmcore.values.ids import PartyId
from tests.app.houses import Clock, options
from tests.app.requests import collecting
from tests.app.troubled import interrupted
from tests.consent.asking import PRACTICE, YES
from tests.consent.test_suppression import erase

SAID: Any = {"purposes": ["marketing"], "channels": ["email"]}
LINES = (Offer(purpose="marketing", channel="email"),)
SECRETS = SecretRing({1: b"1" * 32})
Verb = Callable[[Crm], object]


class Two:
    """Two handles on one store, in which Ann has an address, and what each of them may do."""

    def __init__(
        self, store: Store, folder: Path, other: Store | None = None, *, ledger: bool = False
    ) -> None:
        self.store, self._other, self._path = store, other or store, folder / "people.csv"
        self._options = options(clock=Clock(), practice=PRACTICE, secrets=SECRETS)
        self.crm = Crm(store, **self._options)
        self.crm.imports.apply(self.planned("a@x.org"))
        self.ann = self.crm.customers.resolve("a@x.org").members[0]
        drafts = [Person.of("Bo Hill", email="a@x.org"), Person.of("Ann Leigh", email="leigh@x.org")]
        self.bo, self.leigh = (one.id for one in self.crm.parties.add_many(drafts))
        if ledger:
            self.crm.consent.record("give", self.ann, point="a@x.org", **SAID, evidence=YES)
        self.crm.parties.change(self.bo, lambda party: party.without("a@x.org"))

    def planned(self, address: str) -> Any:
        """The import of a file that has this address of hers."""
        self._path.write_text(f"id,full_name,email\n1,Ann Lee,{address}\n", "utf-8")
        return self.crm.imports.plan(self._path, source="shop", id_column="id")

    def crossing(self, first: Verb, second: Verb) -> bool:
        """Whether *second* was done, as whose writing comes just after *first*; if it was not, it said so."""
        troubled = Crm(interrupted(self._other, lambda: first(self.crm)), **self._options)
        try:
            second(troubled)
        except (NotFound, InvalidConsent):
            return False
        return True

    def noes(self) -> dict[str, Verb]:
        token = self.crm.unsubscribe.token(self.ann)
        centre = self.crm.preferences.centre(self.ann, LINES, points={"email": "a@x.org"})
        off = centre.choose("marketing", "email", None, on=False)
        return {
            "withdraw": lambda crm: crm.consent.record("withdraw", "a@x.org", **SAID),
            "by id": lambda crm: crm.consent.record("withdraw", self.ann, point="a@x.org", **SAID),
            "link": lambda crm: crm.unsubscribe.act(token),
            "centre": lambda crm: crm.preferences.change(self.ann, centre, off, evidence=YES),
            "person": lambda crm: crm.consent.record("withdraw", self.ann, **SAID),
        }

    def moves(self) -> dict[str, Verb]:
        plan = self.planned("n@x.org")
        request = collecting(self.crm, self.ann, "rectification").id

        def moved(party: Person) -> Person:
            return party.without("a@x.org").with_email("n@x.org")

        return {
            "change": lambda crm: crm.parties.change(self.ann, moved),
            "import": lambda crm: crm.imports.apply(plan),
            "rectify": lambda crm: crm.requests.rectify(request, moved),
        }

    def answer(self, point: str = "n@x.org", ref: PartyId | None = None) -> str:
        subject = Subject(kind="consumer", adult=True)
        facts = Facts(subject=subject, zones=("America/New_York",), point=PRACTICE.point)
        more: Any = {"jurisdictions": ["US"], "offered_to_children": False, "facts": facts}
        return self.crm.consent.decide(
            ref or self.ann, purpose="marketing", channel="email", point=point, **more
        ).answer


NOES = ("withdraw", "by id", "link", "centre", "person")


PAIRS = (*((no, "change") for no in NOES), ("withdraw", "import"), ("withdraw", "rectify"))


def test_a_no_that_lands_while_the_address_is_being_given_up_goes_along(tmp_path: Path) -> None:
    for no, move in PAIRS:
        # The link and the centre come first: making a token makes the ledger.
        for ledger in {no in ("link", "centre"), no == "withdraw"}:
            two = Two(MemoryStore(), tmp_path, ledger=ledger)
            moving = two.moves()[move]
            said = two.noes()[no] if ledger else _bare(two, no)
            assert two.crossing(said, moving), (no, move, ledger)
            assert two.answer() == "deny", (no, move, ledger)


def _bare(two: Two, no: str) -> Verb:
    """A No of before anybody had made a ledger for the address."""
    ref = "a@x.org" if no == "withdraw" else two.ann
    point = "a@x.org" if no == "by id" else None
    return lambda crm: crm.consent.record("withdraw", ref, point=point, **SAID)


def test_a_no_that_comes_when_the_address_was_given_up_is_taken_or_refused_and_never_lost(
    tmp_path: Path,
) -> None:
    for no, move in PAIRS:
        two = Two(MemoryStore(), tmp_path)
        said = two.noes()[no]
        done = two.crossing(two.moves()[move], said)
        assert done == (no in ("link", "centre", "person")), (no, move)
        assert (two.answer() == "deny") == done, (no, move)
        assert done or not two.crm.consent.events(two.ann), (no, move)


def test_a_ledger_that_somebody_else_made_meanwhile_is_seen_too(tmp_path: Path) -> None:
    two = Two(MemoryStore(), tmp_path)
    two.crm.parties.change(two.bo, lambda party: party.with_email("a@x.org"))

    def both(crm: Crm) -> None:
        crm.consent.record("give", two.bo, point="a@x.org", **SAID, evidence=YES)
        crm.consent.record("withdraw", two.ann, point="a@x.org", **SAID)

    assert two.crossing(
        both, lambda crm: crm.parties.change(two.ann, lambda p: p.without("a@x.org").with_email("n@x.org"))
    )
    assert two.answer() == "deny"


def test_two_handles_on_one_file_cross_as_two_in_memory_do(tmp_path: Path) -> None:
    for first, second in (("withdraw", "change"), ("change", "withdraw")):
        path = tmp_path / f"{first}.db"
        with SqliteStore.open(path) as store, SqliteStore.open(path) as other:
            two = Two(store, tmp_path, other)
            verbs = {**two.moves(), "withdraw": _bare(two, "withdraw")}
            assert two.crossing(verbs[first], verbs[second]) == (second == "change")
            assert two.answer() == ("deny" if second == "change" else "allow")


def test_a_no_holds_for_the_customer_whose_records_are_merged_meanwhile(tmp_path: Path) -> None:
    for no in NOES:
        for order in (1, -1):
            two = Two(MemoryStore(), tmp_path)
            said = two.noes()[no]

            def merge(crm: Crm, two: Two = two) -> object:
                return crm.identity.merge(two.ann, two.leigh)

            assert two.crossing(*(said, merge)[::order]), (no, order)
            assert two.answer("a@x.org") == "deny", (no, order)


def test_an_import_of_many_gets_through_beside_somebody_who_keeps_saying_no(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "many.csv"
    crm = Crm(store, **options(clock=Clock()))

    def planned(of: str) -> Any:
        path.write_text("id,full_name,email\n" + "".join(f"{n},Ann Lee,{n}.{of}@x.org\n" for n in range(8)))
        return crm.imports.plan(path, source="shop", id_column="id")

    crm.imports.apply(planned("old"))
    bo, plan = crm.parties.add(Person.of("Bo Hill", email="2.old@x.org")).id, planned("new")

    def faster() -> None:  # than whatever is larger than two rows
        ops = busy.batches[-1].ops
        if sum(isinstance(one, Put) and one.ref.kind == "party" for one in ops) > 2:
            crm.consent.record("withdraw", bo, point="2.old@x.org", **SAID)

    busy: Any = interrupted(store, *[faster] * 200)
    result = Crm(busy, **options(clock=Clock())).imports.apply(plan)
    assert (result.counts["updated"], result.chunks) == (8, 3)
    assert len(crm.consent.events("2.new@x.org")) > 1  # each that was said before her address was changed
    assert crm.imports.plan(path, source="shop", id_column="id").changes_nothing


def test_of_whoever_is_erased_meanwhile_no_wish_and_no_request_is_written(tmp_path: Path) -> None:
    two = Two(MemoryStore(), tmp_path)
    shown = two.crm.preferences.centre(two.ann, LINES)
    chosen = attrs.evolve(shown, wishes=Wished(caps=(Cap(most=1, per="week"),)))
    asked: Any = {"right": "access", "law": "gdpr", "channel": "email", "zone": "Europe/Berlin"}
    verbs: dict[str, Verb] = {
        "wish": lambda crm: crm.preferences.record(two.ann, chosen.wishes),
        "centre": lambda crm: crm.preferences.change(two.ann, shown, chosen, evidence=YES),
        "request": lambda crm: crm.requests.receive(two.ann, **asked),
    }
    for verb, said in verbs.items():
        store = MemoryStore()
        two = Two(store, tmp_path)

        def erased(crm: Crm, store: MemoryStore = store, two: Two = two) -> None:
            erase(store, two.ann)

        assert not two.crossing(erased, said), verb
        ledger = store.ledger("default", [f"wishes:party:{two.ann}"])[f"wishes:party:{two.ann}"]
        assert (ledger.items, two.crm.requests.of(two.ann)) == ((), ()), verb


def test_where_the_record_is_erased_meanwhile_a_no_is_about_the_address_or_refused(tmp_path: Path) -> None:
    for no in NOES:
        store = MemoryStore()
        two = Two(store, tmp_path)

        def erased(crm: Crm, store: MemoryStore = store, two: Two = two) -> None:
            erase(store, two.ann)

        done = two.crossing(erased, two.noes()[no])
        ledger = store.ledger("default", [f"consent:party:{two.ann}"])[f"consent:party:{two.ann}"]
        assert (done, ledger.items) == (no == "link", ()), no
        listed = two.crm.suppression.of(EmailPoint.of("a@x.org"), controller="northwind")
        assert [one.reason for one in listed] == ["withdrawal"] * done, no
