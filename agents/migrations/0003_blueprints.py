"""Blueprints, versions and assessments; and what an agent needs to be hired from a blueprint and reviewed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0002_change_in_system"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="created_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="environment",
            field=models.CharField(
                choices=[("production", "Production"), ("test", "Test")], default="production", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="hours",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="agent",
            name="sponsor_missing_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="agent",
            name="starts_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="agent",
            name="submitted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="agent",
            name="submitted_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            model_name="agent",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("active", "Active"),
                    ("paused", "Paused"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("does", models.TextField()),
                ("data", models.TextField()),
                ("risks", models.TextField()),
                ("measures", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="assessments", to="agents.agent"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Blueprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("purpose", models.CharField(max_length=600)),
                ("actions", models.JSONField(default=list)),
                ("autonomy_ceiling", models.PositiveSmallIntegerField(default=0)),
                (
                    "risk_class",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Low risk"), (2, "Medium risk"), (3, "High risk")], default=1
                    ),
                ),
                ("model", models.CharField(blank=True, max_length=200)),
                ("runtime", models.CharField(blank=True, max_length=200)),
                ("rates", models.JSONField(default=dict)),
                ("currency", models.CharField(default="EUR", max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("active", "Active"), ("disabled", "Disabled")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
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
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blueprints",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="blueprints", to="agents.role"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="blueprints", to="agents.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["name", "code"],
            },
        ),
        migrations.AddField(
            model_name="agent",
            name="blueprint",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="agents", to="agents.blueprint"
            ),
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=80)),
                ("number", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("at", models.DateTimeField()),
                ("why", models.TextField(blank=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["subject_kind", "subject_id", "-number"],
            },
        ),
        migrations.AddConstraint(
            model_name="blueprint",
            constraint=models.CheckConstraint(
                condition=models.Q(("autonomy_ceiling__lte", 4)), name="autonomy_ceiling_is_0_to_4"
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                fields=("subject_kind", "subject_id", "number"), name="one_version_per_number"
            ),
        ),
    ]
