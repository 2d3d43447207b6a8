"""How the files under a shared link stand in the OpenAPI document."""

from analytics.reports.period import NAMES
from tinytrail.web.openapi import HTML, SECONDS, TEXT, placed, reply

EXPORT = {
    "operationId": "shared_csv",
    "summary": "A list of a shared dashboard as CSV",
    "description": "The rows of the page, for who has the link; one with a password answers with its form first.",
    "tags": ["sharing"],
    "parameters": [
        placed("path", "token", "The end of the link.", TEXT),
        placed("path", "tab", "`totals`, `chart`, or the name of a list; `days` of a link of one event.", TEXT),
        placed("query", "period", "As on the page.", {"type": "string", "enum": list(NAMES)}),
    ],
    "responses": {
        "200": reply("The rows, or the form for the password", ("text/csv", {"type": "string"}), HTML),
        "400": reply("A parameter is wrong", HTML),
        "404": reply("There is no such link or list, or the link has ended", HTML),
        "503": reply("The database does not answer", HTML, Retry_After=SECONDS),
    },
}
