"""The one customer view, composed purely from what the rooms below know."""

from crmcore.view.compose import Other, TimelineFacts, compose
from crmcore.view.customer_view import (
    CustomerView,
    OtherValue,
    ViewField,
    ViewInteraction,
    ViewRelationship,
    ViewTimeline,
)

__all__ = [
    "CustomerView",
    "Other",
    "OtherValue",
    "TimelineFacts",
    "ViewField",
    "ViewInteraction",
    "ViewRelationship",
    "ViewTimeline",
    "compose",
]
