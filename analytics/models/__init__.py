from analytics.models.calendar import DiscoveryDay, EngagementDay, EngagementSession
from analytics.models.drop import Drop, RecentDrop
from analytics.models.event import Event
from analytics.models.idempotency import IdempotencyKey
from analytics.models.order import Order, OrderLine
from analytics.models.profile import Group, Profile
from analytics.models.quarantine import Quarantine
from analytics.models.rollups import BuiltDay, DimensionDay, DirtyDay, NameDay, PageDay, SiteDay
from analytics.models.salt import Salt
from analytics.models.shared_link import SharedLink
from analytics.models.visit import Visit
from analytics.models.widgets import EmptyWidgetDay, WidgetArm, WidgetDay, WidgetReach

__all__ = [
    "BuiltDay",
    "DimensionDay",
    "DirtyDay",
    "DiscoveryDay",
    "Drop",
    "EmptyWidgetDay",
    "EngagementDay",
    "EngagementSession",
    "Event",
    "Group",
    "IdempotencyKey",
    "NameDay",
    "Order",
    "OrderLine",
    "PageDay",
    "Profile",
    "Quarantine",
    "RecentDrop",
    "Salt",
    "SharedLink",
    "SiteDay",
    "Visit",
    "WidgetArm",
    "WidgetDay",
    "WidgetReach",
]
