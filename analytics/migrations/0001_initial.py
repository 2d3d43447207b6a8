"""The tables of events and visits, made by hand because Django does not know partitions, and of the roll-ups."""

from django.db import migrations

EVENT = """
CREATE TABLE analytics_event (
    occurred_at timestamptz NOT NULL,
    id bigint NOT NULL,
    visitor bigint NOT NULL,
    website_id integer NOT NULL,
    type smallint NOT NULL,
    dialect smallint NOT NULL,
    device smallint NOT NULL,
    screen smallint NOT NULL,
    channel smallint NOT NULL,
    browser smallint NOT NULL,
    os smallint NOT NULL,
    is_bot boolean NOT NULL,
    is_excluded boolean NOT NULL,
    is_authenticated boolean NOT NULL,
    is_server boolean NOT NULL,
    path text COLLATE "C" NOT NULL,
    referrer text COLLATE "C",
    name text COLLATE "C",
    content_group text COLLATE "C",
    utm_source text COLLATE "C",
    utm_medium text COLLATE "C",
    utm_campaign text COLLATE "C",
    properties jsonb,
    -- Full pages: a website's events arrive in the order of its key.
    CONSTRAINT analytics_event_pkey PRIMARY KEY (website_id, occurred_at, id) WITH (fillfactor = 100)
) PARTITION BY RANGE (occurred_at)
"""

VISIT = """
CREATE TABLE analytics_visit (
    started_at timestamptz NOT NULL,
    visitor bigint NOT NULL,
    duration_us bigint NOT NULL,
    website_id integer NOT NULL,
    day date NOT NULL,
    pageviews integer NOT NULL,
    events integer NOT NULL,
    device smallint NOT NULL,
    screen smallint NOT NULL,
    channel smallint NOT NULL,
    browser smallint NOT NULL,
    os smallint NOT NULL,
    is_bot boolean NOT NULL,
    is_bounce boolean NOT NULL,
    referrer text COLLATE "C",
    utm_source text COLLATE "C",
    utm_medium text COLLATE "C",
    utm_campaign text COLLATE "C",
    entry text COLLATE "C",
    exit text COLLATE "C",
    content_groups text[] COLLATE "C",
    steps text COLLATE "C" NOT NULL,
    CONSTRAINT analytics_visit_pkey PRIMARY KEY (website_id, day, visitor, started_at, is_bot)
) PARTITION BY RANGE (day)
"""

# Makes the partitions of a month. The new table is filled into the parent by ATTACH, whose lock lets inserts pass,
# and with its owner's rights, so that the web processes need no right to create tables.
ENSURE_MONTH = """
CREATE FUNCTION analytics_ensure_month(moment date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first date := date_trunc('month', moment)::date;
    next date := (date_trunc('month', moment) + interval '1 month')::date;
    parent text;
    part text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['analytics_event', 'analytics_visit'] LOOP
        part := parent || '_' || to_char(first, 'YYYY_MM');
        IF to_regclass(part) IS NOT NULL THEN CONTINUE; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('analytics_ensure_month'));
        -- Not to_regclass again: it may remember that there was none before the lock.
        PERFORM FROM pg_class WHERE relname = part AND relnamespace = current_schema()::regnamespace;
        IF FOUND THEN CONTINUE; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, part,
            CASE parent WHEN 'analytics_event' THEN first || ' 00:00:00+00' ELSE first::text END,
            CASE parent WHEN 'analytics_event' THEN next || ' 00:00:00+00' ELSE next::text END);
    END LOOP;
END $$
"""

# Drops one month of events or visits; anything else is refused, since it runs with its owner's rights.
DROP_PARTITION = """
CREATE FUNCTION analytics_drop_partition(part text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF part !~ '^analytics_(event|visit)_[0-9]{4}_[0-9]{2}$' THEN
        RAISE EXCEPTION '% is no partition of events or visits', part;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', part);
END $$
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(EVENT, "DROP TABLE analytics_event"),
        migrations.RunSQL(VISIT, "DROP TABLE analytics_visit"),
        migrations.RunSQL(ENSURE_MONTH, "DROP FUNCTION analytics_ensure_month(date)"),
        migrations.RunSQL(DROP_PARTITION, "DROP FUNCTION analytics_drop_partition(text)"),
    ]
