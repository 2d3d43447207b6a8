"""What a host proposes, normalised, before and after it is stored (contract 4.1)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from submissions.models import Submission

# Our names and the contract's, in the contract's order.
SPELLINGS = {
    "event_name": "eventName",
    "date": "date",
    "start_time": "startTime",
    "location": "location",
    "host_email": "hostEmail",
    "proof_link": "proofLink",
    "end_time": "endTime",
    "genre": "genre",
    "price": "price",
    "age": "age",
    "indoor_outdoor": "indoorOutdoor",
    "notes": "notes",
    "arrondissement": "arrondissement",
}
# The address stands with the host, not in the payload: retention removes it there.
OUTSIDE = "host_email"


@dataclass(frozen=True)
class Proposal:
    """The fields of a proposal, each empty when absent."""

    event_name: str
    date: str
    start_time: str
    location: str
    host_email: str
    proof_link: str
    end_time: str = ""
    genre: str = ""
    price: str = ""
    age: str = ""
    indoor_outdoor: str = ""
    notes: str = ""
    arrondissement: str = ""

    @classmethod
    def of(cls, submission: Submission) -> "Proposal":
        """As it was stored; the address is empty once retention has removed it."""
        fields = {name: submission.wrote(key) for name, key in SPELLINGS.items()}
        return cls(**{**fields, OUTSIDE: submission.host_email})

    def payload(self, submitted_at: datetime) -> dict[str, str]:
        """What is stored (contract 4.6): the contract's keys, without the empty ones."""
        fields = {SPELLINGS[name]: value for name, value in asdict(self).items() if value and name != OUTSIDE}
        return {**fields, "submittedAt": submitted_at.isoformat()}
