"""Drafts of workflows, and the right to draw them; an older drawing can be published again.

Council, IT and the owners of business units get the right."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ROLES = ("council", "it", "unit_owner")
RIGHT = ("draft_workflow", "Can draw drafts of the workflow")


def give(apps: Any, schema: Any) -> None:
    """Add the right to the groups that are there; a new company gets it with its roles."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    codename, name = RIGHT
    for group in groups.objects.filter(name__in=ROLES):
        kind, _ = kinds.objects.get_or_create(app_label="workflows", model="workflow")
        right, _ = permissions.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
        group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take it back."""
    through = apps.get_model("auth", "Group").permissions.through
    codes = {"permission__content_type__app_label": "workflows", "permission__codename": RIGHT[0]}
    through.objects.filter(**codes).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("workflows", "0008_units_of_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkflowDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bpmn", models.TextField()),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("in_review", "In review"),
                            ("published", "Published"),
                            ("discarded", "Discarded"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AlterModelOptions(
            name="workflow",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("work_in_workflow", "Can take steps of the workflow"),
                    ("start_workflow", "Can start runs of the workflow"),
                    ("draft_workflow", "Can draw drafts of the workflow"),
                    ("publish_workflow", "Can publish versions of the workflow"),
                    ("cancel_workflow", "Can cancel runs of the workflow"),
                    ("intervene_workflow", "Can intervene in runs of the workflow"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="workflowversion",
            name="one_workflow_version_per_content",
        ),
        migrations.AddField(
            model_name="workflowversion",
            name="approved_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflowversion",
            name="why",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="approved_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="author",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="base",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workflows.workflowversion"
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="edited_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="editors",
            field=models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="version",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="draft",
                to="workflows.workflowversion",
            ),
        ),
        migrations.AddField(
            model_name="workflowdraft",
            name="workflow",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="workflows.workflow"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowdraft",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("draft", "in_review"))),
                fields=("workflow",),
                name="one_open_draft_per_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowdraft",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author", None),
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("author")), _negated=True),
                    _connector="OR",
                ),
                name="no_author_publishes_their_own_draft",
            ),
        ),
        migrations.RunPython(give, take),
    ]
