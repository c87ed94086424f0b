"""Replays of policy versions over recorded decisions, and versions in shadow."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0006_policies_with_a_life"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waits for its turn"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("not_ruled", models.PositiveIntegerField(default=0)),
                ("rules_before", models.CharField(blank=True, max_length=64)),
                ("rules_after", models.CharField(blank=True, max_length=64)),
                ("result", models.JSONField(default=dict)),
                ("failure", models.TextField(blank=True)),
                ("looked_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "looked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replays",
                        to="governance.policyversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReplayFlip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("none", "No amount"),
                            ("b0", "Under 100"),
                            ("b1", "100 to 1,000"),
                            ("b2", "1,000 to 10,000"),
                            ("b3", "10,000 to 100,000"),
                            ("b4", "100,000 and more"),
                        ],
                        max_length=4,
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        choices=[("allow", "Allowed"), ("deny", "Denied"), ("escalate", "Asked")], max_length=10
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        blank=True,
                        choices=[("allow", "Allowed"), ("deny", "Denied"), ("escalate", "Asked")],
                        max_length=10,
                    ),
                ),
                ("rule_before", models.CharField(blank=True, max_length=200)),
                ("rule_after", models.CharField(blank=True, max_length=200)),
                ("path_before", models.CharField(blank=True, max_length=80)),
                ("path", models.CharField(blank=True, max_length=80)),
                ("moved", models.BooleanField(default=False)),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="governance.decision"
                    ),
                ),
                (
                    "replay",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="flips", to="governance.replay"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ShadowRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("none", "No amount"),
                            ("b0", "Under 100"),
                            ("b1", "100 to 1,000"),
                            ("b2", "1,000 to 10,000"),
                            ("b3", "10,000 to 100,000"),
                            ("b4", "100,000 and more"),
                        ],
                        max_length=4,
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        choices=[("allow", "Allowed"), ("deny", "Denied"), ("escalate", "Asked")], max_length=10
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        blank=True,
                        choices=[("allow", "Allowed"), ("deny", "Denied"), ("escalate", "Asked")],
                        max_length=10,
                    ),
                ),
                ("rule_before", models.CharField(blank=True, max_length=200)),
                ("rule_after", models.CharField(blank=True, max_length=200)),
                ("path_before", models.CharField(blank=True, max_length=80)),
                ("path", models.CharField(blank=True, max_length=80)),
                ("moved", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
                ("failure", models.TextField(blank=True)),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="governance.decision"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shadow_rulings",
                        to="governance.policyversion",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")), fields=("status",), name="one_replay_runs_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("queued", "running"))),
                fields=("version",),
                name="one_open_replay_per_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.CheckConstraint(
                condition=models.Q(("since__lt", models.F("until"))), name="replay_is_about_some_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="replayflip",
            constraint=models.UniqueConstraint(fields=("replay", "decision"), name="one_flip_per_replay_and_decision"),
        ),
        migrations.AddIndex(
            model_name="shadowruling",
            index=models.Index(fields=["version", "at"], name="shadow_version_at"),
        ),
        migrations.AddConstraint(
            model_name="shadowruling",
            constraint=models.UniqueConstraint(fields=("decision", "version"), name="one_shadow_ruling_per_version"),
        ),
    ]
