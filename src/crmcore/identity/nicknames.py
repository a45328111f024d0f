"""Short forms of given names that no comparison of letters finds: Bob is Robert, Peggy is Margaret.

Invariant: symmetric, and not transitive: Ted is short for Edward and for Theodore, who are two people.
"""

from __future__ import annotations

from collections.abc import Mapping

_FULL_NAMES = """
abby:abigail al:albert,alan,alfred alex:alexander,alexandra andy:andrew,andreas angie:angela annie:ann,anna,anne
barb:barbara becky:rebecca ben:benjamin bernie:bernard bert:albert,robert,herbert beth:elizabeth betsy:elizabeth
betty:elizabeth bill:william billy:william bob:robert bobby:robert cathy:catherine,katherine charlie:charles,charlotte
chuck:charles cindy:cynthia dan:daniel danny:daniel dave:david debbie:deborah dick:richard dolly:dorothy don:donald
dora:dorothy,theodora ed:edward,edwin eddie:edward,edwin ella:eleanor,elizabeth fritz:friedrich gabe:gabriel
gene:eugene ginny:virginia greg:gregory gus:august,gustav hank:henry hannes:johannes hans:johannes harry:henry,harold
jack:john jake:jacob jan:johannes jenny:jennifer jerry:gerald,jeremy,jerome jim:james jimmy:james joe:joseph
johnny:john josh:joshua josie:josephine judy:judith kate:katherine,catherine kathy:katherine,catherine
katie:katherine,catherine kay:katherine ken:kenneth kit:christopher,katherine larry:lawrence lena:helena,magdalena
len:leonard lenny:leonard lisa:elisabeth,elizabeth liz:elizabeth lizzy:elizabeth lola:dolores lou:louis,louise
maggie:margaret mandy:amanda manolo:manuel matt:matthew max:maximilian meg:margaret mick:michael
mike:michael millie:mildred,emily minnie:wilhelmina molly:mary nancy:ann nate:nathan,nathaniel ned:edward
nell:eleanor,helen nellie:eleanor,helen nick:nicholas nora:eleanor,honora paco:francisco pat:patrick,patricia
patty:patricia peggy:margaret pepe:jose pete:peter polly:mary ralf:rudolf rick:richard,frederick rob:robert
robbie:robert ron:ronald rosie:rose,rosemary sally:sarah sam:samuel,samantha sandy:alexander,alexandra,sandra
sasha:alexander,alexandra sepp:josef steffi:stefanie,stephanie steve:stephen,steven sue:susan susie:susan
ted:edward,theodore teddy:edward,theodore terry:terence,theresa tess:theresa tilly:matilda tina:christina,martina
tom:thomas tommy:thomas tony:anthony,antonio toni:anton,antonia trudy:gertrude uli:ulrich,ulrike vicky:victoria
walt:walter will:william willy:william,wilhelm wendy:gwendolyn
"""
_LONG: Mapping[str, frozenset[str]] = {
    short: frozenset(full.split(","))
    for short, _, full in (item.partition(":") for item in _FULL_NAMES.split())
}


def one_is_short_for_the_other(a: str, b: str) -> bool:
    """Whether *a* and *b*, folded given names, are a name and its short form or two short forms of one name.

    >>> one_is_short_for_the_other("bob", "robert"), one_is_short_for_the_other("rob", "bob")
    (True, True)
    >>> one_is_short_for_the_other("edward", "theodore")
    False
    """
    full_a, full_b = _LONG.get(a, frozenset()), _LONG.get(b, frozenset())
    return a in full_b or b in full_a or not full_a.isdisjoint(full_b)
