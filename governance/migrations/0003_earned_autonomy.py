"""Requests for promotion with their evidence, and the rules that lower a level."""

import django.db.models.deletion
import django.db.models.expressions
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0002_change_in_system"),
        ("governance", "0002_indexes_that_questions_read"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DemotionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(blank=True, max_length=60, unique=True)),
                ("overruled_percent", models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ("error_percent", models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ("at_least", models.PositiveIntegerField()),
                ("days", models.PositiveSmallIntegerField()),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["role"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("at_least__gte", 1), ("days__gte", 1)),
                        name="demotion_rule_counts_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("overruled_percent__isnull", False), ("error_percent__isnull", False), _connector="OR"
                        ),
                        name="demotion_rule_bounds_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromotionRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("from_level", models.PositiveSmallIntegerField()),
                ("to_level", models.PositiveSmallIntegerField()),
                ("evidence", models.JSONField()),
                ("evidence_since", models.DateTimeField()),
                ("reason", models.TextField()),
                ("asked_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Waits for the council"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("answer", models.TextField(blank=True)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promotion_requests",
                        to="agents.agent",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("promote_agent", "Can decide which autonomy an agent has earned"),
                    ("demote_agent", "Can lower the autonomy of agents"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")), fields=("agent",), name="one_open_promotion_per_agent"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "to_level",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("from_level"), "+", models.Value(1)
                                ),
                            )
                        ),
                        name="promotion_is_one_step_up",
                    ),
                ],
            },
        ),
    ]
