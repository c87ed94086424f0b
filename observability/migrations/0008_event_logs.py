"""Event logs of manual work, with their files in parts."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0007_who_sets_prices"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("file_name", models.CharField(max_length=200)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("unit_id", models.BigIntegerField(db_index=True)),
                ("uploaded_by", models.CharField(max_length=200)),
                ("uploaded_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "Needs its columns"),
                            ("queued", "Waits to be read"),
                            ("reading", "Is read"),
                            ("ready", "Read"),
                            ("failed", "Could not be read"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("head", models.JSONField(default=dict)),
                ("columns", models.JSONField(default=dict)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("seen_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("failure", models.TextField(blank=True)),
                ("problems", models.JSONField(default=dict)),
                ("figures", models.JSONField(null=True)),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("start_eventlog", "Can have event logs read and keep what they tell")],
                "constraints": [
                    models.UniqueConstraint(fields=("unit_id", "sha256"), name="one_event_log_per_file_and_unit"),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "reading")),
                        fields=("status",),
                        name="one_event_log_is_read_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventLogPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "log",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="observability.eventlog"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [models.UniqueConstraint(fields=("log", "number"), name="one_part_per_log_and_number")],
            },
        ),
    ]
