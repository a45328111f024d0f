"""The one customer view, composed purely from what the rooms below know."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.view.composition import Other, TimelineFacts, compose
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

__getattr__ = lazily(
    __name__,
    {
        "composition": "Other TimelineFacts compose",
        "customer_view": "CustomerView OtherValue ViewField ViewInteraction ViewRelationship ViewTimeline",
    },
)
