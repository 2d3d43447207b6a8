"""`python -m tinytrail.chaos.upgrade`: loaded tables are migrated while events arrive (docs/operations.md, Upgrading).

The next version is this one with one more release's worth of migrations: columns on the tables of events and visits, an
index on each partition, a constraint. It migrates while the present version takes events and a report holds the table.
Ends with status 1 when an event was refused or lost.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tinytrail.chaos.__main__ import folder, say
from tinytrail.chaos.filling import fill
from tinytrail.chaos.installation import ROOT, ChaosError, Installation, wait
from tinytrail.chaos.load import Fate, Ledger, Load

CONNECTIONS = 16
DAYS = 60
# How many events are to be accepted before the migration begins, and after it has ended.
AROUND = 300
DRAIN_SECONDS = 120.0
NOT_THE_APPS = shutil.ignore_patterns(".venv", ".git", ".static", ".data*", "__pycache__", "tests", "node_modules")

COLUMNS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "{last}")]
    operations = [
        migrations.AddField("event", "rehearsed", models.TextField(null=True)),
        migrations.AddField("event", "weight", models.IntegerField(db_default=1)),
        migrations.AddField("visit", "rehearsed", models.TextField(null=True)),
        migrations.RunSQL(
            "ALTER TABLE analytics_event ADD CONSTRAINT rehearsed_short CHECK (length(rehearsed) < 100) NOT VALID"
        ),
    ]
"""
INDEX = """
from django.db import migrations

from tinytrail.partitioned import IndexEachPartition


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "9001_columns")]
    operations = [
        IndexEachPartition("analytics_event", "analytics_event_rehearsed", "website_id, visitor"),
        migrations.RunSQL("ALTER TABLE analytics_event VALIDATE CONSTRAINT rehearsed_short"),
    ]
"""
INDEXED = (
    "SELECT bool_and(indisvalid), count(*) FROM pg_index WHERE indexrelid::regclass::text LIKE"
    " 'analytics_event_rehearsed%%'"
)


@dataclass
class Figures:
    rows: int
    accepted: int = 0
    # Answers with a status that nothing but a failure has.
    failures: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    slowest_seconds: float = 0.0
    # How long the migration took, and how many batches went by the outage stream meanwhile.
    seconds: float = 0.0
    is_index_valid: bool = False
    partitions: int = 0
    attempts: int = 0

    def table(self) -> str:
        rows = (
            ("events in the table", f"{self.rows:,}", ""),
            ("migrated within", f"{self.seconds:.1f} s", ""),
            ("attempts that found the table in use", str(self.attempts), "at least 1"),
            ("accepted meanwhile and around it", f"{self.accepted:,}", ""),
            ("answered with 5xx", str(self.failures.total()), "0"),
            ("lost", str(self.lost), "0"),
            ("stored twice", str(self.doubled), "0"),
            ("slowest answer", f"{self.slowest_seconds:.2f} s", ""),
            ("partitions with the new index", str(self.partitions), "all"),
        )
        return "\n".join(f"{name:40}{value:>14}   {bar}" for name, value, bar in rows)

    @property
    def is_kept(self) -> bool:
        return not (self.failures.total() or self.lost or self.doubled) and self.is_index_valid and self.attempts > 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tinytrail.chaos.upgrade", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="events in the table (default: %(default)s)")
    options = parser.parse_args()
    try:
        with folder() as data, Installation(data) as installation:
            figures = rehearse(installation, options.rows, say=say)
    except ChaosError as error:
        sys.exit(str(error))
    say(f"\n{figures.table()}\n")
    sys.exit(0 if figures.is_kept else 1)


def rehearse(installation: Installation, rows: int, *, say: Callable[[str], None] = print) -> Figures:
    figures = Figures(rows)
    # Of nobody, so that what is stored of the load can be told apart.
    say(f"Storing {rows:,} events ...")
    fill(installation, 0, rows, days=DAYS, now=datetime.now(UTC))
    release = next_version(installation.data / "next")
    ledger = Ledger()
    say("Migrating under load ...")
    asyncio.run(upgrade(installation, release, ledger, figures))
    wait(lambda: installation.waiting() == 0, DRAIN_SECONDS, "What went into the outage stream was not stored")
    compare(installation, ledger, figures)
    return figures


def next_version(place: Path) -> Path:
    """This version with two more migrations."""
    shutil.copytree(ROOT, place, ignore=NOT_THE_APPS, symlinks=True)
    migrations = place / "analytics/migrations"
    last = max(file.stem for file in migrations.glob("0*.py"))
    (migrations / "9001_columns.py").write_text(COLUMNS.replace("{last}", last))
    (migrations / "9002_index.py").write_text(INDEX)
    return place


async def upgrade(installation: Installation, release: Path, ledger: Ledger, figures: Figures) -> None:
    load = Load(installation.port, installation.website, ledger)
    load.start(CONNECTIONS)
    await load.reach(AROUND)
    began = asyncio.get_running_loop().time()
    with installation.connect() as report, report.transaction():
        # A report that takes its time.
        report.execute("SELECT FROM analytics_event LIMIT 1")
        migrating = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", "migrate"),
            cwd=release,
            env=installation.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert migrating.stderr is not None
        # The first line says that it has given up once and will try again.
        said = await migrating.stderr.readline()
        await load.reach(load.accepted + AROUND)
    said += await migrating.stderr.read()
    if await migrating.wait():
        raise ChaosError(f"The migration failed: {said.decode()[-500:]}")
    figures.seconds = asyncio.get_running_loop().time() - began
    figures.attempts = said.count(b"in use")
    await load.reach(load.accepted + AROUND)
    await load.stop()
    figures.accepted = load.accepted


def compare(installation: Installation, ledger: Ledger, figures: Figures) -> None:
    stored = Counter(int(path.removeprefix("/e/")) for path in installation.stored())
    accepted = {number for number, fate in enumerate(ledger.fates) if fate == Fate.ACCEPTED}
    figures.lost = len(accepted - set(stored))
    figures.doubled = sum(count > 1 for count in stored.values())
    figures.failures = Counter({status: count for status, count in ledger.statuses.items() if status >= 500})
    figures.slowest_seconds = ledger.slowest_seconds
    is_valid, indexes = installation.ask(INDEXED)
    # The parent's is one of them.
    figures.is_index_valid, figures.partitions = bool(is_valid), int(indexes) - 1


if __name__ == "__main__":
    main()
