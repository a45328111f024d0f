"""Who is who: normal forms, matching, judgements, clusters, survivorship."""

from crmcore.identity.cluster import Conflict, Link, agglomerate
from crmcore.identity.customer import Cluster, Contradiction, Partition, customers
from crmcore.identity.dedupe import Deduplication, dedupe
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
from crmcore.identity.survivorship import Policy as SurvivorshipPolicy
from crmcore.identity.survivorship import Profile, Survivor, survive

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
