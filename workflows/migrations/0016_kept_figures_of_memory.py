"""What reuse saved is kept by space and day; indexes for the lists of facts that are long but show few."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0013_what_agents_can"),
        ("workflows", "0015_ended_runs_by_value"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReuseDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("uses", models.PositiveBigIntegerField(default=0)),
                ("seconds", models.DecimalField(decimal_places=3, default=0, max_digits=24)),
                ("cost", models.DecimalField(decimal_places=6, default=0, max_digits=24)),
            ],
        ),
        migrations.CreateModel(
            name="ReuseMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(
                condition=models.Q(("invalidated_at__isnull", True), ("superseded_at__isnull", True)),
                fields=["space", "-id"],
                name="fact_kept",
            ),
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(
                condition=models.Q(("invalidated_at__isnull", False)), fields=["-id"], name="fact_invalid"
            ),
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(
                condition=models.Q(
                    ("invalidated_at__isnull", True),
                    ("superseded_at__isnull", True),
                    models.Q(("trust", "usual"), _negated=True),
                ),
                fields=["trust", "-id"],
                name="fact_trust",
            ),
        ),
        migrations.AddField(
            model_name="reuseday",
            name="space",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reuse_days", to="workflows.space"
            ),
        ),
        migrations.AddConstraint(
            model_name="reuseday",
            constraint=models.UniqueConstraint(fields=("space", "day"), name="one_reuse_row_per_space_and_day"),
        ),
    ]
