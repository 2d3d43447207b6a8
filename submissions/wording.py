"""What hosts read about the state of their proposals, in mails and on the status page."""

from datetime import date

from django.utils.formats import date_format

from submissions.models import Submission

# By the reasons that moderators choose (contract 4.7) and those that nobody chose. Each completes
# "The event was not taken into the calendar: …".
DECLINED_BECAUSE = {
    "not_enough_information": "there was not enough information to go by.",
    "duplicate_submission": "it is in the calendar already, or was proposed more than once.",
    "event_not_relevant": "it does not fit what this calendar is about.",
    "unable_to_verify": "we could not verify it with the link that you gave.",
    Submission.SPAM_SIGNAL: "it looked like spam to us.",
    Submission.WITHDRAWN: "you withdrew it.",
}


def day_in_words(submission: Submission) -> str:
    """The day or days as people write them, where the form's date fields made them; else what the host wrote."""
    wrote = submission.wrote("date")
    try:
        days = [date.fromisoformat(day) for day in wrote.split(" to ")]
    except ValueError:
        return wrote
    return " to ".join(date_format(day, "l j F Y") for day in days)


def reason_in_words(submission: Submission) -> str:
    """Why it was declined, as a sentence; what a moderator wrote stands as it was written."""
    reason = submission.review_reason
    return DECLINED_BECAUSE.get(reason, reason)
