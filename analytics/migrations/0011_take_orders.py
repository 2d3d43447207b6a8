"""Checkouts become orders in the database, so that two processes with calls of one purchase make one order of them."""

from django.db import migrations

# Given the checkouts of a batch, answers a code for each: 0 taken, 1 known already, 2 contradicts what is known, 3 too
# long (analytics.ingest.changes). The orders are locked in one order, whatever that of the calls.
TAKE_ORDERS = """
CREATE FUNCTION analytics_take_orders(checkouts jsonb) RETURNS smallint[]
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
            data->'lines' AS lines, jsonb_array_length(data->'lines') AS line_count
        FROM jsonb_array_elements(checkouts) WITH ORDINALITY AS element (data, place)
        ORDER BY 2, 3, data->>'transaction' COLLATE "C", place
    LOOP
        INSERT INTO analytics_order (website_id, client_id, transaction, analytics_id, currency, occurred_at,
            total, line_count, referrer, segments)
        VALUES (given.website_id, given.client_id, given.transaction, given.analytics_id, given.currency,
            given.occurred_at, 0, 0, given.referrer, given.segments)
        ON CONFLICT DO NOTHING;

        SELECT * INTO known FROM analytics_order stored
        WHERE stored.website_id = given.website_id AND stored.client_id = given.client_id
            AND stored.transaction = given.transaction
        FOR UPDATE;

        IF known.analytics_id <> given.analytics_id OR known.currency <> given.currency THEN
            codes[given.place] := 2;
            CONTINUE;
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

# Whose touches came before an order, and what a day's widgets did, is looked up among the widgets' events alone; of
# other dialects this index holds nothing and costs nothing. 4 is vocabulary.Dialect.WIDGETS.
BY_PERSON = """
CREATE INDEX widget_by_person ON analytics_event (website_id, client_session, occurred_at) WHERE dialect = 4
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_orders")]

    operations = [
        migrations.RunSQL(TAKE_ORDERS, "DROP FUNCTION analytics_take_orders(jsonb)"),
        migrations.RunSQL(BY_PERSON, "DROP INDEX widget_by_person"),
    ]
