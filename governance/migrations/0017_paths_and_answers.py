"""Paths with quorums, calendars and conditions; questions to agents, hand-overs, amendments and confirmations."""

import django.db.models.deletion
import django.db.models.manager
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


def keep_approvals(apps, schema_editor):
    """What the policy wanted so far was all that was wanted."""
    apps.get_model("governance", "Escalation").objects.update(approvals_asked=models.F("approvals_needed"))


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0012_ask_for_unit"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("governance", "0016_answers_that_can_be_undone"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessCalendar",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("document", models.JSONField()),
                ("edition", models.PositiveIntegerField(db_default=1, default=1)),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="HandOver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("note", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("returned", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Inquiry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("text", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("answer", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("due_after", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Training",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60)),
                ("valid_until", models.DateTimeField()),
            ],
            options={
                "ordering": ["name", "person"],
            },
        ),
        migrations.AlterModelOptions(
            name="pathstep",
            options={"base_manager_name": "every", "ordering": ["path", "level"]},
        ),
        migrations.AlterModelManagers(
            name="pathstep",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("every", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="escalation",
            name="amendable",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="escalation",
            name="amended_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="escalation",
            name="amended_decision",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="amended", to="governance.decision"
            ),
        ),
        migrations.AddField(
            model_name="escalation",
            name="approvals_asked",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="escalation",
            name="confirm",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="escalation",
            name="on_timeout",
            field=models.CharField(db_default="deny", default="deny", max_length=10),
        ),
        migrations.AddField(
            model_name="escalation",
            name="original",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="escalation",
            name="reach",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="escalation",
            name="remind_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="escalation",
            name="reversible",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="approves_unanswered",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="asking_pauses",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="bars_accountable",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="bars_author",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="bars_previous",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="edition",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="mode",
            field=models.CharField(
                choices=[
                    ("pass_on", "The next level is asked when nobody decides in time"),
                    ("in_order", "Each level approves, one after another"),
                    ("parallel", "Every level approves, in any order"),
                ],
                db_default="pass_on",
                default="pass_on",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="pause_hours_at_most",
            field=models.PositiveSmallIntegerField(db_default=8, default=8),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="pauses_at_most",
            field=models.PositiveSmallIntegerField(db_default=2, default=2),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="training",
            field=models.SlugField(blank=True, db_default="", default="", max_length=60),
        ),
        migrations.AddField(
            model_name="pathstep",
            name="quorum",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="pathstep",
            name="remind_seconds",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="pathstep",
            name="retired",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="vote",
            name="level",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.pathstep"
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(condition=models.Q(("status", "open")), fields=["remind_at"], name="escalation_remind"),
        ),
        migrations.AddField(
            model_name="businesscalendar",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="calendars", to="agents.unit"
            ),
        ),
        migrations.AddField(
            model_name="escalationpath",
            name="calendar",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="paths",
                to="governance.businesscalendar",
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="escalation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="handed_over", to="governance.escalation"
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="level",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.pathstep"
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="to_group",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="to_person",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="inquiry",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="inquiry",
            name="escalation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="inquiries", to="governance.escalation"
            ),
        ),
        migrations.AddField(
            model_name="training",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="trainings", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("to_group__isnull", False), ("to_person", None)),
                    models.Q(("to_group", None), ("to_person__isnull", False)),
                    _connector="OR",
                ),
                name="handed_over_to_a_person_or_a_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="inquiry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at", None)),
                fields=("escalation",),
                name="one_unanswered_inquiry_per_escalation",
            ),
        ),
        migrations.AddConstraint(
            model_name="training",
            constraint=models.UniqueConstraint(fields=("person", "name"), name="one_training_per_person_and_name"),
        ),
        migrations.RunPython(keep_approvals, migrations.RunPython.noop),
    ]
