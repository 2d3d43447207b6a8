"""The pages of a visit, and what filtered reports read in its steps: every visit is built anew."""

from django.db import migrations, models

BUILD_ANEW = """
INSERT INTO analytics_dirtyday (website_id, day) SELECT website_id, day FROM analytics_builtday WHERE NOT is_final
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_rooms")]

    operations = [
        migrations.AddField("visit", "pages", models.IntegerField(db_default=0)),
        migrations.RunSQL(BUILD_ANEW, migrations.RunSQL.noop),
    ]
