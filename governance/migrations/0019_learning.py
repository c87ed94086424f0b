"""What is learnt from answers: learnt rules, sampled checks, planted cases, alerts; council and risk get the rights."""

from typing import Any

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

RIGHTS = {
    "view_reviewers": ("revieweralert", "Can see how reviewers decide", ("council", "risk")),
    "plant_case": ("plantedcase", "Can plant cases with a known answer among the questions to people", ("council",)),
}


def give(apps: Any, schema: Any) -> None:
    """Add the rights to the groups that are there; a new company gets them with its roles."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    for codename, (model, name, roles) in RIGHTS.items():
        for group in groups.objects.filter(name__in=roles):
            kind, _ = kinds.objects.get_or_create(app_label="governance", model=model)
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
        ("governance", "0018_the_queue"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Sampler",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("looked_until", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="escalation",
            name="is_planted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="escalation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("action", "An agent asks"),
                    ("step", "A step for a person"),
                    ("incident", "Work that failed"),
                    ("review", "Work to look at again"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="SampledCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField(db_index=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("right", "Was right"), ("wrong", "Was wrong")], max_length=10
                    ),
                ),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sampled", to="governance.decision"
                    ),
                ),
                (
                    "escalation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sampled", to="governance.escalation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TurnedDown",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.CharField(db_index=True, max_length=64)),
                ("rule", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("why", models.TextField(blank=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="governance.policy"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LearntRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("group", models.CharField(max_length=64)),
                ("rule", models.CharField(max_length=80)),
                ("asked_by_rule", models.CharField(max_length=80)),
                ("action", models.CharField(max_length=80)),
                ("role", models.CharField(max_length=60)),
                ("criteria", models.JSONField()),
                ("figures", models.JSONField()),
                ("undo", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_why", models.TextField(blank=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="learnt_rules", to="governance.policy"
                    ),
                ),
                ("questions", models.ManyToManyField(related_name="+", to="governance.escalation")),
                (
                    "replay",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.replay",
                    ),
                ),
                ("reviewers", models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL)),
                (
                    "revoked_by",
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
                        related_name="learnt_rules",
                        to="governance.policyversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("group",),
                        name="one_learnt_rule_per_group_of_answers",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlantedCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("title", models.CharField(max_length=300)),
                ("request", models.JSONField()),
                ("shown", models.JSONField(default=list)),
                ("statement", models.TextField(blank=True)),
                (
                    "right_answer",
                    models.CharField(choices=[("approved", "Approve"), ("rejected", "Reject")], max_length=10),
                ),
                ("why", models.TextField()),
                ("ask_at", models.DateTimeField()),
                ("planted_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("noted_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                (
                    "escalation",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="planted_case",
                        to="governance.escalation",
                    ),
                ),
                (
                    "like",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.escalation"
                    ),
                ),
                (
                    "path",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.escalationpath"
                    ),
                ),
                (
                    "planted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="planted_cases",
                        to="governance.policy",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("plant_case", "Can plant cases with a known answer among the questions to people")],
                "indexes": [
                    models.Index(condition=models.Q(("escalation", None)), fields=["ask_at"], name="planted_due")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewerAlert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("quick", "Decides very quickly"),
                            ("always_yes", "Approves everything"),
                            ("misses", "Misses planted cases"),
                            ("load", "Has too many open"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.CharField(max_length=300)),
                ("seen_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviewer_alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("view_reviewers", "Can see how reviewers decide")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("person", "kind"),
                        name="one_standing_alert_of_a_kind",
                    )
                ],
            },
        ),
        migrations.RunPython(give, take),
    ]
