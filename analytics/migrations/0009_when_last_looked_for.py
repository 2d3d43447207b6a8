"""When something was last looked for, so that of two rows of a day the later one can be told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0008_calendar_numbers"),
    ]

    operations = [
        migrations.AddField(
            model_name="discoveryday",
            name="last_at",
            field=models.DateTimeField(null=True),
        ),
    ]
