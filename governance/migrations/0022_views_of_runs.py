"""Saved views of the list of runs, beside those of the queue."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("governance", "0021_notices")]

    operations = [
        migrations.AddField(
            model_name="savedview",
            name="table",
            field=models.CharField(
                choices=[("escalations", "Escalations"), ("runs", "Runs")],
                db_default="escalations",
                default="escalations",
                max_length=20,
            ),
        ),
        migrations.RemoveConstraint(model_name="savedview", name="one_saved_view_per_name"),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("owner", "table", "name"), name="one_saved_view_per_name"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_team_default", False), ("table", "escalations"), _connector="OR"),
                name="default_of_a_unit_is_of_the_queue",
            ),
        ),
    ]
