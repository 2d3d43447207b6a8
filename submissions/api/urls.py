"""The routes of the room."""

from submissions.api.submissions import SubmissionsView
from tinytrail.web.routes import both

urlpatterns = [
    *both("event-submissions", SubmissionsView.as_view()),
]
