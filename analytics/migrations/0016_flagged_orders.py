"""Orders of bots and excluded addresses are stored with their flags, like events (contract D-29)."""

from django.db import migrations, models

TAKE_ORDERS = """
CREATE OR REPLACE FUNCTION analytics_take_orders(checkouts jsonb) RETURNS smallint[]
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    given record;
    known record;
    most_lines CONSTANT integer := 10000;
    codes smallint[] := array_fill(0::smallint, ARRAY[jsonb_array_length(checkouts)]);
BEGIN
    FOR given IN
        SELECT place::int, (data->>'website')::int AS website_id, (data->>'client')::uuid AS client_id,
            data->>'transaction' AS transaction, data->>'analytics_id' AS analytics_id,
            data->>'currency' AS currency, (data->>'at')::timestamptz AS occurred_at,
            data->>'referrer' AS referrer, data->'segments' AS segments, data->>'call' AS call,
            coalesce((data->>'is_bot')::boolean, false) AS is_bot,
            coalesce((data->>'is_excluded')::boolean, false) AS is_excluded,
            data->'lines' AS lines, jsonb_array_length(data->'lines') AS line_count
        FROM jsonb_array_elements(checkouts) WITH ORDINALITY AS element (data, place)
        ORDER BY 2, 3, data->>'transaction' COLLATE "C", place
    LOOP
        INSERT INTO analytics_order (website_id, client_id, transaction, analytics_id, currency, occurred_at,
            total, line_count, referrer, segments, is_bot, is_excluded)
        VALUES (given.website_id, given.client_id, given.transaction, given.analytics_id, given.currency,
            given.occurred_at, 0, 0, given.referrer, given.segments, given.is_bot, given.is_excluded)
        ON CONFLICT DO NOTHING;

        SELECT * INTO known FROM analytics_order stored
        WHERE stored.website_id = given.website_id AND stored.client_id = given.client_id
            AND stored.transaction = given.transaction
        FOR UPDATE;

        IF known.analytics_id <> given.analytics_id OR known.currency <> given.currency THEN
            codes[given.place] := 2;
            CONTINUE;
        END IF;
        -- What a program said first and a person after it, the person has said.
        IF (known.is_bot AND NOT given.is_bot) OR (known.is_excluded AND NOT given.is_excluded) THEN
            UPDATE analytics_order stored SET
                is_bot = stored.is_bot AND given.is_bot, is_excluded = stored.is_excluded AND given.is_excluded
            WHERE stored.website_id = given.website_id AND stored.client_id = given.client_id
                AND stored.transaction = given.transaction;
        END IF;
        IF EXISTS (
            SELECT FROM analytics_orderline line
            WHERE line.website_id = given.website_id AND line.client_id = given.client_id
                AND line.transaction = given.transaction AND line.call = given.call
        ) THEN
            codes[given.place] := 1;
            CONTINUE;
        END IF;
        IF known.line_count + given.line_count > most_lines THEN
            codes[given.place] := 3;
            CONTINUE;
        END IF;

        INSERT INTO analytics_orderline (website_id, client_id, transaction, number, call, product, amount)
        SELECT given.website_id, given.client_id, given.transaction, known.line_count + number, given.call,
            line->>0, (line->>1)::numeric
        FROM jsonb_array_elements(given.lines) WITH ORDINALITY AS element (line, number);

        UPDATE analytics_order stored SET
            total = stored.total + (SELECT sum((line->>1)::numeric) FROM jsonb_array_elements(given.lines) line),
            line_count = stored.line_count + given.line_count,
            -- A call that waited out an outage may be the first one.
            occurred_at = least(stored.occurred_at, given.occurred_at),
            referrer = CASE stored.referrer WHEN '' THEN given.referrer ELSE stored.referrer END,
            segments = given.segments || stored.segments
        WHERE stored.website_id = given.website_id AND stored.client_id = given.client_id
            AND stored.transaction = given.transaction;
    END LOOP;
    RETURN codes;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0015_recent_drops")]

    operations = [
        migrations.AddField("order", "is_bot", models.BooleanField(db_default=False)),
        migrations.AddField("order", "is_excluded", models.BooleanField(db_default=False)),
        migrations.RunSQL(TAKE_ORDERS, migrations.RunSQL.noop),
    ]
