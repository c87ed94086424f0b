"""Policies get a life: review by a second person, shadow, comments; council and risk get the right to approve."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def give(apps: Any, schema: Any) -> None:
    """Add the right to the groups that are there; a new company gets it with its roles."""
    kinds, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=("council", "risk")):
        kind, _ = kinds.objects.get_or_create(app_label="governance", model="policy")
        name = "Can approve versions of policies that somebody else wrote"
        right, _ = permissions.objects.get_or_create(
            content_type=kind, codename="approve_policy", defaults={"name": name}
        )  # fmt: skip
        group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take it back."""
    through = apps.get_model("auth", "Group").permissions.through
    through.objects.filter(
        permission__content_type__app_label="governance", permission__codename="approve_policy"
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("governance", "0005_rights_of_autonomy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyComment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("comment", "Comment"),
                            ("asked", "Asked for review"),
                            ("withdrawn", "Withdrew it from review"),
                            ("approved", "Approved it"),
                            ("sent_back", "Sent it back"),
                            ("activated", "Put it in force"),
                            ("shadowed", "Put it in shadow"),
                            ("retired", "Took it out"),
                        ],
                        default="comment",
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("text", models.TextField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AlterModelOptions(
            name="policy",
            options={
                "ordering": ["key"],
                "permissions": [("approve_policy", "Can approve versions of policies that somebody else wrote")],
                "verbose_name_plural": "policies",
            },
        ),
        migrations.AddField(
            model_name="policyversion",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="approved_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="retired_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="shadowed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="policyversion",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("approved", "Approved"),
                    ("active", "Active"),
                    ("shadow", "Shadow"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "shadow")), fields=("policy",), name="one_shadow_version_per_policy"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author", None),
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("author")), _negated=True),
                    _connector="OR",
                ),
                name="no_author_approves_their_own_version",
            ),
        ),
        migrations.AddField(
            model_name="policycomment",
            name="author",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="policycomment",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="governance.policyversion"
            ),
        ),
        migrations.RunPython(give, take),
    ]
