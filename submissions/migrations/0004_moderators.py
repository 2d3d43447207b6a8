from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAME = "Moderators"
# What a moderator of an account's calendars needs, and nothing else.
RIGHTS = ("view_submission", "review_submission", "see_host", "export_submission", "view_decision")


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Permissions are made after all migrations: those of this app are needed now."""
    app = apps.get_app_config("submissions")
    app.models_module = True
    create_permissions(app, verbosity=0, apps=apps, using=schema_editor.connection.alias)
    app.models_module = None
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=NAME)
    permissions = apps.get_model("auth", "Permission").objects
    group.permissions.add(*permissions.filter(content_type__app_label="submissions", codename__in=RIGHTS))


class Migration(migrations.Migration):
    dependencies = [
        ("submissions", "0003_batches"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # The group may have members: it stays.
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
