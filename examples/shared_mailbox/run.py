"""A family shares a mailbox, a colleague comes back from the web shop: who is who, in a few lines."""

from datetime import date

from crmcore import Crm, Organization, Person

with Crm.open() as crm:
    jane = Person.of("Jane Okafor", email="okafor@mail.example", phone="0161 496 0101", region="GB")
    john = Person.of("John Okafor", email="okafor@mail.example", birth_date="1979-02-03")
    shop = Person.of("OKAFOR, Jane", phone="+44 161 496 0101").with_source("shop:eu", "4711")
    jane, john, shop = crm.parties.add_many([jane, john, shop])
    mill = crm.parties.add(Organization.of("Okafor & Daughters Ltd"))
    crm.relationships.add("employment", jane.id, mill.id, title="Miller", primary=True)
    crm.interactions.record("call", direction="inbound", occurred_at=date(2026, 11, 2), with_=shop.id)

    for candidate in crm.identity.matches(jane):
        print(candidate.explain(), "\n")
    print(crm.identity.dedupe().text(), "\n")
    print(crm.customers.view("shop:eu#4711").text(), "\n")

    crm.identity.mark_different(jane.id, john.id, reason="mother and son")
    print(len(crm.customers.search("okafor@mail.example")), "customers share okafor@mail.example")
