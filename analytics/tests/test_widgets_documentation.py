"""What docs/widgets.md says to paste works when it is pasted."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from analytics.tests.servers import ASGI, database, served

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_example_works_when_it_is_pasted():
    text = Path(settings.BASE_DIR, "docs/widgets.md").read_text()
    script = re.search(r"```sh\n(BASE=.*?)```", text, re.DOTALL)[1]
    with served(*ASGI) as port:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")],
            cwd=settings.BASE_DIR,
            env=os.environ | database() | {"TINYTRAIL_ALLOWED_HOSTS": "127.0.0.1,localhost"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout
    assert told.count('"message":"OK"') == 3
    assert "302 https://pay.example.com/shirt" in told
    assert '"transactionId": "A-1001"' in told
    revenue = json.loads(told[told.rindex('{"status"') :])["data"]
    assert [(row["widget"], row["currency"], row["influenced"]) for row in revenue["rows"]] == [("w1", "EUR", "120.50")]
