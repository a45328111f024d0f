"""Who is who: normal forms, matching, judgements, clusters, survivorship."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.identity.calibration import (
        Calibration,
        CalibrationStep,
        ReliabilityBin,
        calibrate,
        reliability,
    )
    from crmcore.identity.cluster import Conflict, Link, agglomerate
    from crmcore.identity.customer import Cluster, Contradiction, Partition, customers
    from crmcore.identity.deduplication import Deduplication, dedupe
    from crmcore.identity.evaluation import BCubed, Evaluation, SizeClass, Tally, evaluate
    from crmcore.identity.explanation import Waterfall, WaterfallStep, WhatIf, waterfall, what_if
    from crmcore.identity.features import Features, features_of, features_of_row
    from crmcore.identity.identity_events import (
        CustomersMerged,
        CustomerSplit,
        JudgementMade,
        JudgementRetracted,
    )
    from crmcore.identity.judgement import Judgement, Retraction, judge
    from crmcore.identity.matcher import Match, PairMatcher, Reason
    from crmcore.identity.model.certificates import Certificate
    from crmcore.identity.model.chart import model_chart, model_text
    from crmcore.identity.model.columns import COLUMNS, Column, Term
    from crmcore.identity.model.learning import Learned, Matcher
    from crmcore.identity.model.match_model import ColumnWeights, MatchModel, Together
    from crmcore.identity.model.policy import Policy, Rule
    from crmcore.identity.model.scoring import LearnedMatcher
    from crmcore.identity.name_comparison import NameComparison, NameReason, compare_names
    from crmcore.identity.population import Population
    from crmcore.identity.review import Review, ReviewItem, ReviewLink, ReviewRecord, ReviewStep
    from crmcore.identity.review_decisions import Decisions, ReviewDecision
    from crmcore.identity.reviewed import (
        Estimates,
        ReviewedPairs,
        SampleEvaluation,
        evaluate_pairs,
        evaluate_sample,
    )
    from crmcore.identity.rules import RuleMatcher
    from crmcore.identity.survivorship import Profile, Survivor, SurvivorshipPolicy, survive
    from crmcore.identity.table_deduplication import dedupe_table
    from crmcore.identity.wrong_pairs import WrongPair

__all__ = [
    "COLUMNS",
    "BCubed",
    "Calibration",
    "CalibrationStep",
    "Certificate",
    "Cluster",
    "Column",
    "ColumnWeights",
    "Conflict",
    "Contradiction",
    "CustomerSplit",
    "CustomersMerged",
    "Decisions",
    "Deduplication",
    "Estimates",
    "Evaluation",
    "Features",
    "Judgement",
    "JudgementMade",
    "JudgementRetracted",
    "Learned",
    "LearnedMatcher",
    "Link",
    "Match",
    "MatchModel",
    "Matcher",
    "NameComparison",
    "NameReason",
    "PairMatcher",
    "Partition",
    "Policy",
    "Population",
    "Profile",
    "Reason",
    "ReliabilityBin",
    "Retraction",
    "Review",
    "ReviewDecision",
    "ReviewItem",
    "ReviewLink",
    "ReviewRecord",
    "ReviewStep",
    "ReviewedPairs",
    "Rule",
    "RuleMatcher",
    "SampleEvaluation",
    "SizeClass",
    "Survivor",
    "SurvivorshipPolicy",
    "Tally",
    "Term",
    "Together",
    "Waterfall",
    "WaterfallStep",
    "WhatIf",
    "WrongPair",
    "agglomerate",
    "calibrate",
    "compare_names",
    "customers",
    "dedupe",
    "dedupe_table",
    "evaluate",
    "evaluate_pairs",
    "evaluate_sample",
    "features_of",
    "features_of_row",
    "judge",
    "model_chart",
    "model_text",
    "reliability",
    "survive",
    "waterfall",
    "what_if",
]

__getattr__ = lazily(
    __name__,
    {
        "calibration": "Calibration CalibrationStep ReliabilityBin calibrate reliability",
        "cluster": "Conflict Link agglomerate",
        "customer": "Cluster Contradiction Partition customers",
        "deduplication": "Deduplication dedupe",
        "evaluation": "BCubed Evaluation SizeClass Tally evaluate",
        "explanation": "Waterfall WaterfallStep WhatIf waterfall what_if",
        "features": "Features features_of features_of_row",
        "identity_events": "CustomersMerged CustomerSplit JudgementMade JudgementRetracted",
        "judgement": "Judgement Retraction judge",
        "matcher": "Match PairMatcher Reason",
        "model.certificates": "Certificate",
        "model.chart": "model_chart model_text",
        "model.columns": "COLUMNS Column Term",
        "model.learning": "Learned Matcher",
        "model.match_model": "ColumnWeights MatchModel Together",
        "model.policy": "Policy Rule",
        "model.scoring": "LearnedMatcher",
        "name_comparison": "NameComparison NameReason compare_names",
        "population": "Population",
        "review": "Review ReviewItem ReviewLink ReviewRecord ReviewStep",
        "review_decisions": "Decisions ReviewDecision",
        "reviewed": "Estimates ReviewedPairs SampleEvaluation evaluate_pairs evaluate_sample",
        "rules": "RuleMatcher",
        "survivorship": "Profile Survivor SurvivorshipPolicy survive",
        "table_deduplication": "dedupe_table",
        "wrong_pairs": "WrongPair",
    },
)
