"""What the other rooms store with an event, the country of a visit, and changes in quarantine."""

import analytics.models.event
from django.db import migrations, models

TEXT = analytics.models.event.ByteText(null=True)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_words")]

    operations = [
        migrations.AddField("event", "client_session", TEXT),
        migrations.AddField("event", "profile", TEXT),
        migrations.AddField("event", "country", TEXT),
        migrations.AddField("event", "region", TEXT),
        migrations.AddField("event", "city", TEXT),
        migrations.AddField("visit", "country", TEXT),
        migrations.AddField("quarantine", "change_kind", models.CharField(max_length=16, null=True)),
        migrations.AddField("quarantine", "change", models.BinaryField(null=True)),
        migrations.AlterField(
            model_name="dimensionday",
            name="dimension",
            field=models.SmallIntegerField(
                choices=[
                    (1, "Channel"),
                    (2, "Referrer"),
                    (3, "Utm"),
                    (4, "Device"),
                    (5, "Browser"),
                    (6, "Os"),
                    (7, "Screen"),
                    (8, "Country"),
                ]
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="type",
            field=models.SmallIntegerField(
                choices=[
                    (1, "PAGE_VIEW"),
                    (2, "CLOSE_TAB"),
                    (3, "SCROLL_25"),
                    (4, "SCROLL_50"),
                    (5, "SCROLL_75"),
                    (6, "OUTBOUND_LINK"),
                    (7, "CUSTOM"),
                    (8, "OTHER"),
                    (9, "RENDER"),
                ]
            ),
        ),
    ]
