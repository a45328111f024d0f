"""An age that a law came to ask for counts from its day on, whoever was asked about before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.request import Request
from crmcore.consent.words import Channel
from crmcore.values.partial_date import PartialDate

PACK = """
id = "xr"
jurisdiction = "XR"
name = "Ruritania"
version = "1"
includes = ["xs"]

[profile.consent]
"evidence.kind" = "double_opt_in"
age = { at_least = "age", on = "act" }

[[number]]
name = "age"
value = 14
in_force = "2020-01-01/"
cite = "Act 1"

[[rule]]
id = "xr.consent"
stage = "permit"
effect = "permit"
text = "Who was old enough and said yes may be written to."
cite = "Act 2"
when = { consent = "consent" }

[[rule]]
id = "xr.old"
stage = "permit"
effect = "permit"
channel = ["post"]
text = "Who is old enough may get letters."
cite = "Act 3"
when = { age = { at_least = "age" } }
"""
BEFORE = """
id = "xs"
jurisdiction = "XS"
name = "The union that Ruritania is in"
version = "1"

[[number]]
name = "age"
value = 16
cite = "Treaty 1"
"""
LAWS = Laws({**shipped_packs(), "xr": read_pack(PACK), "xs": read_pack(BEFORE)})


def told(born: int, given_in: int) -> Facts:
    yes = ConsentEvent(
        id="yes",
        kind="give",
        occurred_at=datetime(given_in, 6, 1, tzinfo=UTC),
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        evidence=Evidence(kind="double_opt_in"),
    )
    return Facts(
        events=(yes,), subject=Subject(birth_dates=(PartialDate.parse(f"{born}-03-01"),)), zones=("UTC",)
    )


def test_a_yes_is_judged_by_the_age_of_its_day() -> None:
    now = Request(
        controller="acme",
        channel="email",
        purpose="marketing",
        at=datetime(2021, 1, 1, tzinfo=UTC),
        point="a",
    )
    found = {
        (born, year): decide(now, told(born, year), jurisdictions=["XR"], laws=LAWS).answer
        for born, year in ((2004, 2019), (2003, 2019), (2005, 2020), (2006, 2020), (2007, 2020))
    }
    assert found == {
        (2004, 2019): "deny",
        (2003, 2019): "allow",
        (2005, 2020): "allow",
        (2006, 2020): "allow",
        (2007, 2020): "deny",
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1970, 1990, 1998, 2004]),
            st.sampled_from([2019, 2020, 2021]),
            st.sampled_from([2019, 2020, 2022]),
            st.sampled_from(["email", "post"]),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_whoever_is_asked_about_before_changes_no_answer(asked: list[tuple[int, int, int, Any]]) -> None:
    names: tuple[Channel, ...] = ("email", "post")
    for name in names:
        for docket in LAWS.of("XR")._dockets.values():
            docket.narrowed.clear()
        for born, year, at, _ in [one for one in asked if one[3] == name]:
            request = Request(
                controller="acme",
                channel=name,
                purpose="marketing",
                at=datetime(at, 12, 1, tzinfo=UTC),
                point="a",
            )
            brief = decide(request, told(born, year), jurisdictions=["XR"], laws=LAWS, trace=False)
            whole = decide(request, told(born, year), jurisdictions=["XR"], laws=LAWS)
            assert attrs.evolve(brief, trace=whole.trace, reasons=whole.reasons) == whole
