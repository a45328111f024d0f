"""Who is who: normal forms, matching, judgements, clusters, survivorship."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.identity.cluster import Conflict, Link, agglomerate
    from crmcore.identity.customer import Cluster, Contradiction, Partition, customers
    from crmcore.identity.deduplication import Deduplication, dedupe
    from crmcore.identity.features import Features, features_of, features_of_row
    from crmcore.identity.identity_events import (
        CustomersMerged,
        CustomerSplit,
        JudgementMade,
        JudgementRetracted,
    )
    from crmcore.identity.judgement import Judgement, Retraction, judge
    from crmcore.identity.matcher import Match, Matcher, Reason
    from crmcore.identity.population import Population
    from crmcore.identity.rules import RuleMatcher
    from crmcore.identity.survivorship import Profile, Survivor, SurvivorshipPolicy, survive

__all__ = [
    "Cluster",
    "Conflict",
    "Contradiction",
    "CustomerSplit",
    "CustomersMerged",
    "Deduplication",
    "Features",
    "Judgement",
    "JudgementMade",
    "JudgementRetracted",
    "Link",
    "Match",
    "Matcher",
    "Partition",
    "Population",
    "Profile",
    "Reason",
    "Retraction",
    "RuleMatcher",
    "SurvivorshipPolicy",
    "Survivor",
    "agglomerate",
    "customers",
    "dedupe",
    "features_of",
    "features_of_row",
    "judge",
    "survive",
]

__getattr__ = lazily(
    __name__,
    {
        "cluster": "Conflict Link agglomerate",
        "customer": "Cluster Contradiction Partition customers",
        "deduplication": "Deduplication dedupe",
        "features": "Features features_of features_of_row",
        "identity_events": "CustomersMerged CustomerSplit JudgementMade JudgementRetracted",
        "judgement": "Judgement Retraction judge",
        "matcher": "Match Matcher Reason",
        "population": "Population",
        "rules": "RuleMatcher",
        "survivorship": "Profile Survivor SurvivorshipPolicy survive",
    },
)
