"""REPORTS: every report by its name in the address."""

from analytics.reports.base import Report
from analytics.reports.custom_events import CustomEvents
from analytics.reports.devices import Devices
from analytics.reports.experiments import Experiments
from analytics.reports.flow import Flow
from analytics.reports.funnel import Funnel
from analytics.reports.pages import Pages
from analytics.reports.realtime import Realtime
from analytics.reports.revenue import Revenue
from analytics.reports.sources import Sources
from analytics.reports.summary import Summary
from analytics.reports.timeseries import Timeseries
from analytics.reports.widgets import Media, Segments, Widgets

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        Summary(),
        Pages(),
        Sources(),
        Devices(),
        Flow(),
        Funnel(),
        Realtime(),
        CustomEvents(),
        Timeseries(),
        Widgets(),
        Media(),
        Revenue(),
        Segments(),
        Experiments(),
    )
}
