"""A process whose clock is off by TINYTRAIL_CHAOS_CLOCK minutes: importing this moves it.

What measures durations (`time.monotonic`) goes on as it was, as on a host whose clock is wrong.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(minutes=int(os.environ["TINYTRAIL_CHAOS_CLOCK"])), tick=True).start()
