"""Incidents, the limits of safeguards, circuit breakers of systems, and what decisions need for rates and history."""

from typing import Any

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

RIGHTS = {
    "resolve_incident": ("Can resolve incidents and let agents go on", ("council", "risk")),
    "set_safeguards": ("Can say when safeguards stop agents", ("council",)),
}


def give(apps: Any, schema: Any) -> None:
    """Add the rights to the groups that are there; a new company gets them with its roles."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    for codename, (name, roles) in RIGHTS.items():
        for group in groups.objects.filter(name__in=roles):
            kind, _ = kinds.objects.get_or_create(app_label="governance", model="incident")
            right, _ = permissions.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
            group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take them back."""
    through = apps.get_model("auth", "Group").permissions.through
    codes = {"permission__content_type__app_label": "governance", "permission__codename__in": list(RIGHTS)}
    through.objects.filter(**codes).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("agents", "0011_version_in_force"),
        ("governance", "0009_budgets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("loop", "Work in circles"),
                            ("circuit", "System fails"),
                            ("quarantine", "Agent in quarantine"),
                        ],
                        max_length=12,
                    ),
                ),
                ("about", models.CharField(max_length=100)),
                ("run", models.CharField(blank=True, max_length=40)),
                ("why", models.TextField()),
                ("evidence", models.JSONField(default=list)),
                ("agent_was", models.CharField(blank=True, max_length=10)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")], default="open", max_length=10
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("released", "Let go on"), ("retired", "Retired"), ("recovered", "Works again")],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("resolve_incident", "Can resolve incidents and let agents go on"),
                    ("set_safeguards", "Can say when safeguards stop agents"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SafeguardRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(blank=True, max_length=60, unique=True)),
                ("repeats", models.PositiveIntegerField(null=True)),
                ("no_progress", models.PositiveIntegerField(null=True)),
                ("window_minutes", models.PositiveIntegerField()),
                ("steps", models.PositiveIntegerField(null=True)),
                ("at_once", models.PositiveIntegerField(null=True)),
                ("attempts", models.PositiveIntegerField(null=True)),
                ("run_minutes", models.PositiveIntegerField(null=True)),
                ("denials", models.PositiveIntegerField(null=True)),
                ("hijack_signs", models.PositiveIntegerField(null=True)),
                ("rate_factor", models.PositiveIntegerField(null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["role"],
            },
        ),
        migrations.CreateModel(
            name="SystemGuard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_untrusted", models.BooleanField(default=False)),
                ("percent", models.PositiveSmallIntegerField(default=50)),
                ("at_least", models.PositiveIntegerField(default=5)),
                ("window_minutes", models.PositiveIntegerField(default=10)),
                ("cool_down_seconds", models.PositiveIntegerField(default=60)),
                ("trials", models.PositiveSmallIntegerField(default=2)),
                (
                    "status",
                    models.CharField(
                        choices=[("closed", "Works"), ("open", "Stopped"), ("half_open", "On trial")],
                        default="closed",
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
                ("trials_left", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ["system__name"],
            },
        ),
        migrations.CreateModel(
            name="SystemReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("failed", models.BooleanField()),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="matter_sha256",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="decision",
            name="tainted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["agent", "at"], name="decision_agent_at"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["resource_kind", "resource_id", "at"], name="decision_resource_at"),
        ),
        migrations.AddField(
            model_name="incident",
            name="agent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="agents.agent"
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="resolved_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="system",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="agents.system"
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="unit",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agents.unit"),
        ),
        migrations.AddField(
            model_name="safeguardrule",
            name="changed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="systemguard",
            name="system",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="guard", to="agents.system"
            ),
        ),
        migrations.AddField(
            model_name="systemreport",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="agents.system"
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(fields=["about", "kind", "-id"], name="incident_about"),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(condition=models.Q(("status", "open")), fields=["kind", "id"], name="incident_open"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")),
                fields=("kind", "about"),
                name="one_open_incident_about_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="safeguardrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("window_minutes__gte", 1)), name="safeguard_window_is_some_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="systemguard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("at_least__gte", 1),
                    ("percent__gte", 1),
                    ("percent__lte", 100),
                    ("trials__gte", 1),
                    ("window_minutes__gte", 1),
                ),
                name="system_guard_can_trip_and_recover",
            ),
        ),
        migrations.AddIndex(
            model_name="systemreport",
            index=models.Index(fields=["system", "at"], name="system_report_at"),
        ),
        migrations.RunPython(give, take),
    ]
