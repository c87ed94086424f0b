"""An index by which the breaker finds equal questions of an agent; incidents after which an agent stays paused."""

from django.db import migrations, models

OUTCOMES = [
    ("released", "Let go on"), ("kept", "Stays paused"), ("retired", "Retired"), ("recovered", "Works again"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0012_value_lists"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["agent", "matter_sha256", "at"], name="decision_agent_matter"),
        ),
        migrations.AlterField(
            model_name="incident", name="outcome", field=models.CharField(blank=True, choices=OUTCOMES, max_length=10)
        ),
    ]
