"""Budgets, what is spent and reserved of them, and who may change them; a decision knows what came of it."""

from typing import Any

import django.db.models.deletion
import django.db.models.expressions
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import governance.models.budgets

RIGHT, NAME, ROLES = "change_budget", "Can change budget", ("council", "unit_owner")


def give(apps: Any, schema: Any) -> None:
    """Let the council change every budget, and whoever manages a unit those in it; a new company begins with this."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    for group in groups.objects.filter(name__in=ROLES):
        kind, _ = kinds.objects.get_or_create(app_label="governance", model="budget")
        right, _ = permissions.objects.get_or_create(content_type=kind, codename=RIGHT, defaults={"name": NAME})
        group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take it back."""
    through = apps.get_model("auth", "Group").permissions.through
    through.objects.filter(permission__content_type__app_label="governance", permission__codename=RIGHT).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0011_version_in_force"),
        ("governance", "0008_record_of_a_decision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="report",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="decision",
            name="reported_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("everything", "Everything"),
                            ("unit", "Unit"),
                            ("role", "Role"),
                            ("agent", "Agent"),
                            ("workflow", "Workflow"),
                            ("run", "Each run"),
                        ],
                        max_length=10,
                    ),
                ),
                ("about", models.CharField(blank=True, max_length=80)),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("money", "Money"),
                            ("tokens", "Tokens"),
                            ("calls", "Calls"),
                            ("runs", "Runs"),
                            ("seconds", "Seconds of work"),
                        ],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "period",
                    models.CharField(
                        choices=[("day", "A day"), ("month", "A month"), ("total", "In total")], max_length=10
                    ),
                ),
                ("hard_limit", governance.models.budgets.ExactField()),
                ("soft_limit", governance.models.budgets.ExactField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("closed", "Closed")], default="active", max_length=10
                    ),
                ),
                ("why", models.TextField(blank=True)),
                ("edition", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "path",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.escalationpath",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="budgets", to="agents.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BudgetPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=40)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("hard_limit", governance.models.budgets.ExactField()),
                ("spent", governance.models.budgets.ExactField(default=0)),
                ("reserved", governance.models.budgets.ExactField(default=0)),
                ("overspent", models.BooleanField(default=False)),
                ("told_percent", models.PositiveSmallIntegerField(default=0)),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="periods", to="governance.budget"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=300)),
                ("run", models.CharField(blank=True, max_length=40)),
                ("step", models.CharField(blank=True, max_length=40)),
                ("amount", governance.models.budgets.ExactField()),
                ("settled_amount", governance.models.budgets.ExactField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Reserved"),
                            ("settled", "Settled"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                            ("spent", "Spent"),
                        ],
                        default="held",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="agents.agent",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="governance.decision",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="governance.budgetperiod",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="budget",
            index=models.Index(
                condition=models.Q(("status", "active")), fields=["scope", "about"], name="budget_binding"
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("hard_limit__gte", 0)), name="budget_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("soft_limit", None),
                    models.Q(("soft_limit__gte", 0), ("soft_limit__lte", models.F("hard_limit"))),
                    _connector="OR",
                ),
                name="budget_asks_before_it_denies",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("soft_limit", None), ("path__isnull", False), _connector="OR"),
                name="budget_that_asks_names_whom",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(models.Q(("currency", ""), _negated=True), ("metric", "money")),
                    models.Q(models.Q(("metric", "money"), _negated=True), ("currency", "")),
                    _connector="OR",
                ),
                name="budget_of_money_has_a_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "run"), _negated=True),
                    models.Q(models.Q(("metric", "runs"), _negated=True), ("period", "total")),
                    _connector="OR",
                ),
                name="budget_of_each_run_is_a_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetperiod",
            constraint=models.UniqueConstraint(fields=("budget", "key"), name="one_row_per_budget_and_period"),
        ),
        migrations.AddConstraint(
            model_name="budgetperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("reserved__gte", 0), ("spent__gte", 0)), name="nothing_is_used_backwards"
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "hard_limit__gte",
                        django.db.models.expressions.CombinedExpression(models.F("spent"), "+", models.F("reserved")),
                    ),
                    ("overspent", True),
                    _connector="OR",
                ),
                name="no_reservation_above_the_limit",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("status", "held"), models.Q(("step", ""), _negated=True)),
                fields=["step"],
                name="reservation_step",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(condition=models.Q(("status", "held")), fields=["expires_at"], name="reservation_due"),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["period", "-id"], name="reservation_period"),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(
                fields=("decision", "period"), name="one_reservation_per_decision_and_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="reservation_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_amount__gte", 0), ("status__in", ("settled", "spent"))),
                    models.Q(("settled_amount", None), ("status__in", ("held", "released", "expired"))),
                    _connector="OR",
                ),
                name="what_was_used_is_known",
            ),
        ),
        migrations.RunPython(give, take),
    ]
