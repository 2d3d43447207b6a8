"""What a migration may do to tables that are in use (docs/operations.md, Upgrading).

A statement that keeps others from a table must take no longer than a blink, however many rows there are, and what was
running before the migration must go on running after it: first the new version migrates, then processes are replaced.
`long_locks` reads the SQL of a migration and says what breaks that rule; a test asks it about every migration.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TABLE = r'(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?"?(\w+)"?'
CREATED = re.compile(rf"^CREATE\s+(?:TEMP\w*\s+|UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{TABLE}", re.I)
ALTERED = re.compile(rf"^ALTER\s+TABLE\s+{TABLE}", re.I)
INDEXED = re.compile(r'^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?.*?\bON\s+(ONLY\s+)?"?(\w+)"?', re.I)
CHANGED = re.compile(rf"^(?:UPDATE|DELETE\s+FROM)\s+{TABLE}", re.I)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
# The body of a function, or a block, is one statement, and runs when somebody calls it.
BODY = re.compile(r"(\$\w*\$).*?\1", re.S)
# Constants; and what has one value for the whole statement.
SAME_FOR_ALL = r"(?!NULL\b|TRUE\b|FALSE\b|'|-?\d|ARRAY\[|STATEMENT_TIMESTAMP\(\)|NOW\(\)|CURRENT_TIMESTAMP\b|\()"


@dataclass(frozen=True)
class Rule:
    """A pattern of an ALTER TABLE, and what it does to a table with rows."""

    pattern: re.Pattern[str]
    why: str


def rule(pattern: str, why: str) -> Rule:
    return Rule(re.compile(pattern, re.I | re.S), why)


ALTERATIONS = (
    rule(
        rf"\bADD\s+COLUMN\b.*\bDEFAULT\s+{SAME_FOR_ALL}",
        "a default that differs from row to row writes every row anew: add the column empty, and fill it in steps",
    ),
    rule(r"\bADD\s+COLUMN\b.*\b(SERIAL|BIGSERIAL|GENERATED)\b", "a generated column writes every row anew"),
    rule(
        r"\bADD\s+COLUMN\b(?!.*\bDEFAULT\b).*\bNOT\s+NULL\b",
        "what runs now knows no value for it: give it a default that the database keeps (db_default)",
    ),
    rule(r"\bADD\s+COLUMN\b.*\b(UNIQUE|PRIMARY\s+KEY)\b", "its index is built while nobody may write"),
    rule(r"\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b", "another type writes every row anew"),
    rule(
        r"\bALTER\s+COLUMN\s+\S+\s+SET\s+NOT\s+NULL\b",
        "every row is looked at while nobody may read: add a CHECK that is NOT VALID, and validate it on its own",
    ),
    rule(
        r"\bADD\s+CONSTRAINT\b(?!.*\bNOT\s+VALID\b)(?!.*\bUSING\s+INDEX\b)",
        "every row is looked at while nobody may write: NOT VALID first, and VALIDATE CONSTRAINT in a migration after",
    ),
    rule(r"\bDROP\s+COLUMN\b", "what runs now still names the column: leave it for the version after the next"),
    rule(r"\bRENAME\b", "what runs now still knows the old name: add the new one beside it"),
    rule(r"\bSET\s+(UNLOGGED|LOGGED|TABLESPACE|ACCESS\s+METHOD)\b", "it writes the whole table anew"),
)
OTHERS = (
    rule(r"^(VACUUM\s+FULL|CLUSTER)\b", "it writes the whole table anew while nobody may read"),
    rule(r"^REINDEX\b(?!.*\bCONCURRENTLY\b)", "nobody may write meanwhile: REINDEX CONCURRENTLY"),
    rule(r"^LOCK\b", "nobody else may use the table until the migration has ended"),
    rule(r"^DROP\s+TABLE\b", "what runs now may still use the table: leave it for the version after the next"),
    rule(r"^TRUNCATE\b", "nobody may read meanwhile, and what was stored is gone"),
    rule(r"^DROP\s+INDEX\b(?!.*\bCONCURRENTLY\b)", "nobody may read meanwhile: DROP INDEX CONCURRENTLY"),
)


def long_locks(sql: str) -> Iterator[str]:
    """What the statements of one migration would do to tables that others use; nothing when all is well."""
    made: set[str] = set()
    added: set[str] = set()
    for statement in statements(sql):
        if found := CREATED.match(statement):
            made.add(found[1])
            continue
        if (found := ALTERED.match(statement)) and found[1] not in made:
            yield from of_alteration(statement, found[1], added)
        elif (found := INDEXED.match(statement)) and found[3] not in made and not found[1] and not found[2]:
            yield told(statement, "nobody may write meanwhile: CREATE INDEX CONCURRENTLY, or IndexEachPartition")
        elif (found := CHANGED.match(statement)) and found[1] not in made:
            yield told(statement, "rows of any number are locked until the migration has ended: change them in steps")
        else:
            yield from (told(statement, other.why) for other in OTHERS if other.pattern.search(statement))


def of_alteration(statement: str, table: str, added: set[str]) -> Iterator[str]:
    """`added` are the tables that have got a constraint in this migration, whose lock it still holds."""
    if re.search(r"\bADD\s+CONSTRAINT\b", statement, re.I):
        added.add(table)
    if re.search(r"\bVALIDATE\s+CONSTRAINT\b", statement, re.I) and table in added:
        yield told(statement, "the lock of its ADD CONSTRAINT is still held: validate in a migration of its own")
    for alteration in ALTERATIONS:
        if alteration.pattern.search(statement):
            yield told(statement, alteration.why)
            return


def statements(sql: str) -> Iterator[str]:
    """Without comments, with single blanks."""
    for statement in BODY.sub("$$", COMMENT.sub(" ", sql)).split(";"):
        if words := " ".join(statement.split()):
            yield words


def told(statement: str, why: str) -> str:
    return f"{statement[:100]}: {why}"
