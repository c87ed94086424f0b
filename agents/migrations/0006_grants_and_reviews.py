"""Rights on single rows with a reason, a giver and an end; reviews of these rights."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0005_blueprint_is_mandatory"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("kinds", models.JSONField(default=list)),
                (
                    "answered_by",
                    models.CharField(
                        choices=[
                            (
                                "accountable",
                                "The accountable person of the agent; for people and roles the unit's owner",
                            ),
                            ("owner", "The owner of the unit that the object belongs to"),
                            ("named", "One person"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Under way"), ("closed", "Closed")], default="open", max_length=10
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("reminded_days", models.PositiveSmallIntegerField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                (
                    "named",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("units", models.ManyToManyField(blank=True, related_name="+", to="agents.unit")),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("start_review", "Can start access reviews")],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grant", models.UUIDField()),
                ("kind", models.CharField(max_length=20)),
                ("row_id", models.CharField(max_length=80)),
                ("row_name", models.CharField(max_length=300)),
                ("permission", models.CharField(max_length=100)),
                ("holder_kind", models.CharField(max_length=10)),
                ("holder_id", models.CharField(max_length=150)),
                ("holder_name", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("granted_by", models.CharField(blank=True, max_length=200)),
                ("granted_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for an answer"),
                            ("certified", "Still needed"),
                            ("revoked", "Taken away"),
                            ("lapsed", "Taken away, nobody answered"),
                            ("gone", "Ended by itself"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                ("why", models.TextField(blank=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="agents.review"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agents.unit"),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_pk", models.CharField(max_length=255, verbose_name="object ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("reason", models.TextField(blank=True)),
                ("granted_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "content_type",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group")),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_pk", models.CharField(max_length=255, verbose_name="object ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("reason", models.TextField(blank=True)),
                ("granted_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "content_type",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["user", "content_type", "object_pk"], name="grant_holder"),
                    models.Index(fields=["content_type", "object_pk"], name="grant_row"),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="grant_end"
                    ),
                ],
                "unique_together": {("user", "permission", "object_pk")},
            },
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(condition=models.Q(("status", "open")), fields=["due_at"], name="review_due"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["review", "id"], name="review_items"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(condition=models.Q(("status", "waiting")), fields=["reviewer"], name="review_waits"),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.UniqueConstraint(fields=("review", "grant"), name="one_item_per_right_in_a_review"),
        ),
        migrations.AddIndex(
            model_name="rolegrant",
            index=models.Index(fields=["group", "content_type", "object_pk"], name="role_grant_holder"),
        ),
        migrations.AddIndex(
            model_name="rolegrant",
            index=models.Index(fields=["content_type", "object_pk"], name="role_grant_row"),
        ),
        migrations.AddIndex(
            model_name="rolegrant",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="role_grant_end"
            ),
        ),
        migrations.AlterUniqueTogether(
            name="rolegrant",
            unique_together={("group", "permission", "object_pk")},
        ),
    ]
