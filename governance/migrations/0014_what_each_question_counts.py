"""Indexes by which each question counts denials and tainted decisions of its agent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0013_equal_questions_and_kept_incidents"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(condition=models.Q(("effect", "deny")), fields=["agent", "at"], name="decision_denied"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(condition=models.Q(("tainted", True)), fields=["agent", "at"], name="decision_tainted"),
        ),
    ]
