"""When the rules of packs begin and end."""

from __future__ import annotations

from datetime import date

import pytest

from crmcore.consent.pack_reading import shipped_packs

DATES = {
    "ca.dncl": "2008-09-30/",
    "ca.dncl_unchecked": "2008-09-30/",
    "ca.utr.hours": "2008-09-30/",
    "ca.utr.automated_hours": "2009-04-20/",
    "au.dncr": "2007-05-31/",
    "au.dncr.faxes": "2010-05-30/",
    "au.calls.hours": "2007-05-31/",
    "au.calls.research_hours": "2007-05-31/",
    "au.faxes.hours": "2011-05-04/",
    "au.faxes.ten_a_day": "2011-05-04/",
    "in.tcccpr.not_barred": "2019-02-28/2027-05-13",
    "br.no_targeted_advertising_at_minors": "2026-03-17/",
    "sg.legitimate_interests": "2021-02-01/",
    **{f"sg.dnc.{name}_unchecked_2014": "2014-01-02/2021-01-31" for name in ("voice", "text", "fax")},
    **{f"sg.dnc.{name}_unchecked": "2021-02-01/" for name in ("voice", "text", "fax")},
}
BEGINNINGS = {
    "ca.casl": "2014-07-01",
    "nz.uema": "2007-09-05",
    "sg.spam": "2007-06-15",
    "sg.dnc": "2014-01-02",
    "jp.sema": "2008-12-01",
    "kr": "2014-11-29",
    "in.dpdp": "2027-05-14",
    "in.erased": "2027-05-14",
    "in.tcccpr": "2019-02-28",
    "br": "2020-09-18",
}
"""When the acts began; what began otherwise stands above."""


@pytest.mark.parametrize("pack", ["ca", "au", "nz", "sg", "jp", "kr", "in", "br"])
def test_rules_are_in_force_from_the_day_on_which_their_act_began(pack: str) -> None:
    for rule in shipped_packs()[pack].rules:
        if rule.since is None and rule.until is None:
            continue
        began = (day for act, day in BEGINNINGS.items() if f"{rule.id}.".startswith(f"{act}."))
        begin, _, end = (DATES.get(rule.id) or f"{next(began)}/").partition("/")
        assert rule.since == date.fromisoformat(begin), rule.id
        assert rule.until == (date.fromisoformat(end) if end else None), rule.id
