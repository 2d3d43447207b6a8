"""People and groups, and the function that changes them in the transaction of the events they came with."""

import analytics.models.event
import django.contrib.postgres.fields
from django.db import migrations, models

# What is known, with what is told on top: objects are merged, anything else replaces what was there.
MERGED = """
CREATE FUNCTION analytics_merged(known jsonb, told jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(known) IS DISTINCT FROM 'object' OR jsonb_typeof(told) IS DISTINCT FROM 'object' THEN
        RETURN coalesce(told, known);
    END IF;
    RETURN known || coalesce((
        SELECT jsonb_object_agg(key, CASE
            WHEN jsonb_typeof(value) = 'object' AND jsonb_typeof(known -> key) = 'object'
            THEN analytics_merged(known -> key, value) ELSE value END)
        FROM jsonb_each(told)
    ), '{}');
END $$
"""

# The properties with an amount added to one of them, exactly; null where that is no number, or grows beyond 2^53.
# Dots lead into nested objects, unless there is a property of just that name.
ADDED = r"""
CREATE FUNCTION analytics_added(properties jsonb, property text, amount numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    path text[] := CASE WHEN properties ? property THEN ARRAY[property] ELSE string_to_array(property, '.') END;
    held jsonb := properties;
    told jsonb;
    total numeric;
BEGIN
    FOR depth IN 1 .. cardinality(path) LOOP
        IF jsonb_typeof(held) NOT IN ('object', 'null') THEN
            RETURN NULL;
        END IF;
        held := held -> path[depth];
    END LOOP;
    CASE coalesce(jsonb_typeof(held), 'null')
        WHEN 'null' THEN total := amount;
        WHEN 'number' THEN total := (held #>> '{}')::numeric + amount;
        WHEN 'string' THEN
            IF length(held #>> '{}') > 40
                OR held #>> '{}' !~ '^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*$' THEN
                RETURN NULL;
            END IF;
            total := (held #>> '{}')::numeric + amount;
        ELSE RETURN NULL;
    END CASE;
    IF abs(total) > 9007199254740992 THEN
        RETURN NULL;
    END IF;
    told := to_jsonb(trim_scale(total));
    FOR depth IN REVERSE cardinality(path) .. 1 LOOP
        told := jsonb_build_object(path[depth], told);
    END LOOP;
    RETURN analytics_merged(properties, told);
END $$
"""

# Changes of people, then of groups, each in the order of their ids, whatever the order they were sent in: two batches
# never wait for each other. A person is locked, read and written once, however many of the changes are theirs.
CHANGE = """
CREATE FUNCTION analytics_change_profiles(changes jsonb) RETURNS smallint[] LANGUAGE plpgsql AS $$
DECLARE
    done CONSTANT smallint := 0;
    impossible CONSTANT smallint := 3;
    largest CONSTANT integer := 262144;
    most_groups CONSTANT integer := 1000;
    codes smallint[] := array_fill(done, ARRAY[jsonb_array_length(changes)]);
    whose record;
    person analytics_profile;
    company analytics_group;
    told jsonb;
    properties jsonb;
    groups text[];
    is_new boolean;
    is_changed boolean;
BEGIN
    FOR whose IN
        SELECT (value ->> 'website')::integer AS website, value ->> 'id' AS id,
            array_agg(value ORDER BY place) AS told, array_agg(place::integer ORDER BY place) AS places,
            bool_and(value ->> 'does' = 'seen') AS is_only_seen,
            min((value ->> 'at')::timestamptz) AS earliest, max((value ->> 'at')::timestamptz) AS latest
        FROM jsonb_array_elements(changes) WITH ORDINALITY AS given (value, place)
        WHERE value ->> 'does' <> 'group'
        GROUP BY 1, 2 ORDER BY 1, (value ->> 'id') COLLATE "C"
    LOOP
        IF whose.is_only_seen AND EXISTS (
            SELECT FROM analytics_profile WHERE website_id = whose.website AND profile_id = whose.id
                AND first_seen_at <= whose.earliest AND last_seen_at >= whose.latest - interval '1 minute'
        ) THEN
            CONTINUE;
        END IF;
        LOOP
            SELECT * INTO person FROM analytics_profile
            WHERE website_id = whose.website AND profile_id = whose.id FOR UPDATE;
            is_new := NOT FOUND;
            IF is_new THEN
                person.website_id := whose.website;
                person.profile_id := whose.id;
                person.properties := '{}';
                person.groups := '{}';
                person.created_at := now();
                person.first_seen_at := whose.earliest;
                person.last_seen_at := whose.latest;
            END IF;
            is_changed := false;
            FOR number IN 1 .. cardinality(whose.told) LOOP
                told := whose.told[number];
                properties := person.properties;
                groups := person.groups;
                CASE told ->> 'does'
                    WHEN 'seen' THEN NULL;
                    WHEN 'add' THEN
                        properties := analytics_added(properties, told ->> 'property', (told ->> 'value')::numeric);
                    WHEN 'identify', 'assign' THEN
                        properties := analytics_merged(properties, coalesce(told -> 'properties', '{}'));
                        groups := ARRAY(
                            SELECT DISTINCT one FROM (
                                SELECT unnest(groups) AS one
                                UNION ALL SELECT jsonb_array_elements_text(told -> 'groups')
                            ) AS all_groups ORDER BY one
                        );
                END CASE;
                IF properties IS NULL OR pg_column_size(properties) > largest OR cardinality(groups) > most_groups THEN
                    codes[whose.places[number]] := impossible;
                    CONTINUE;
                END IF;
                codes[whose.places[number]] := done;
                is_changed := true;
                person.properties := properties;
                person.groups := groups;
                person.first_name := coalesce(told ->> 'first_name', person.first_name);
                person.last_name := coalesce(told ->> 'last_name', person.last_name);
                person.email := coalesce(told ->> 'email', person.email);
                person.avatar := coalesce(told ->> 'avatar', person.avatar);
                person.first_seen_at := least(person.first_seen_at, (told ->> 'at')::timestamptz);
                person.last_seen_at := greatest(person.last_seen_at, (told ->> 'at')::timestamptz);
            END LOOP;
            EXIT WHEN NOT is_changed;
            IF is_new THEN
                INSERT INTO analytics_profile (
                    website_id, profile_id, first_name, last_name, email, avatar, properties, groups,
                    created_at, first_seen_at, last_seen_at
                ) VALUES (
                    person.website_id, person.profile_id, person.first_name, person.last_name, person.email,
                    person.avatar, person.properties, person.groups,
                    person.created_at, person.first_seen_at, person.last_seen_at
                ) ON CONFLICT (website_id, profile_id) DO NOTHING;
                -- Somebody else made the row meanwhile: theirs is what these changes are of.
                EXIT WHEN FOUND;
            ELSE
                UPDATE analytics_profile SET
                    first_name = person.first_name, last_name = person.last_name, email = person.email,
                    avatar = person.avatar, properties = person.properties, groups = person.groups,
                    first_seen_at = person.first_seen_at, last_seen_at = person.last_seen_at
                WHERE id = person.id;
                EXIT;
            END IF;
        END LOOP;
    END LOOP;

    FOR whose IN
        SELECT (value ->> 'website')::integer AS website, value ->> 'id' AS id, value AS told, place
        FROM jsonb_array_elements(changes) WITH ORDINALITY AS given (value, place)
        WHERE value ->> 'does' = 'group'
        ORDER BY 1, (value ->> 'id') COLLATE "C", place
    LOOP
        SELECT * INTO company FROM analytics_group
        WHERE website_id = whose.website AND group_id = whose.id FOR UPDATE;
        properties := analytics_merged(coalesce(company.properties, '{}'), whose.told -> 'properties');
        IF pg_column_size(properties) > largest THEN
            codes[whose.place] := impossible;
            CONTINUE;
        END IF;
        INSERT INTO analytics_group (website_id, group_id, type, name, properties, created_at, changed_at)
        VALUES (
            whose.website, whose.id, whose.told ->> 'type', whose.told ->> 'name', whose.told -> 'properties',
            now(), (whose.told ->> 'at')::timestamptz
        ) ON CONFLICT (website_id, group_id) DO UPDATE SET
            type = excluded.type, name = excluded.name, changed_at = excluded.changed_at,
            properties = analytics_merged(analytics_group.properties, excluded.properties);
    END LOOP;
    RETURN codes;
END $$
"""

# For a person's events in the back office, their export and their erasure. Events without a profile cost nothing.
EVENTS_OF_PROFILE = """
CREATE INDEX analytics_event_profile ON analytics_event (website_id, profile, occurred_at) WHERE profile IS NOT NULL
"""


def known_by(name, **options):
    return (name, models.TextField(null=True, **options))


class Migration(migrations.Migration):
    dependencies = [("analytics", "0011_take_orders")]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("website_id", models.IntegerField()),
                ("profile_id", analytics.models.event.ByteText()),
                known_by("first_name"),
                known_by("last_name"),
                known_by("email"),
                known_by("avatar"),
                ("properties", models.JSONField(default=dict)),
                (
                    "groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=analytics.models.event.ByteText(), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["website_id", "-last_seen_at"], name="profile_newest")],
                "constraints": [models.UniqueConstraint(fields=("website_id", "profile_id"), name="profile_once")],
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("website_id", models.IntegerField()),
                ("group_id", analytics.models.event.ByteText()),
                ("type", models.TextField()),
                ("name", models.TextField()),
                ("properties", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("website_id", "group_id"), name="group_once")],
            },
        ),
        migrations.RunSQL(MERGED, "DROP FUNCTION analytics_merged"),
        migrations.RunSQL(ADDED, "DROP FUNCTION analytics_added"),
        migrations.RunSQL(CHANGE, "DROP FUNCTION analytics_change_profiles"),
        migrations.RunSQL(EVENTS_OF_PROFILE, "DROP INDEX analytics_event_profile"),
    ]
