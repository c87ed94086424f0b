"""The queue of questions: who looks at one, watches it, put it aside; views of it; what is alike; search."""

from typing import Any

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Lower, Now, Substr

SYSTEM_VIEWS = (
    ("Late", {"tab": "me", "age": "late"}),
    ("High risk", {"tab": "me", "risk": "3"}),
    ("Nobody looks at it", {"tab": "me", "claimed": "nobody"}),
    ("I look at it", {"tab": "teams", "claimed": "me"}),
    ("I watch it", {"tab": "all", "claimed": "watched"}),
    ("Put aside by me", {"tab": "teams", "claimed": "aside"}),
)


def bring_views(apps: Any, schema: Any) -> None:
    """The views that come with the system."""
    view = apps.get_model("governance", "SavedView")
    for name, query in SYSTEM_VIEWS:
        view.objects.create(name=name, query=query, at=Now())


def make_searchable(apps: Any, schema: Any) -> None:
    """Let questions be found that were asked before."""
    escalation, decision = apps.get_model("governance", "Escalation"), apps.get_model("governance", "Decision")
    agent = apps.get_model("agents", "Agent").objects.filter(pk=OuterRef("agent"))
    resource = decision.objects.filter(pk=OuterRef("decision")).values("resource_id")[:1]
    words = Concat(
        F("title"),
        Value(" "),
        Coalesce(Subquery(agent.values("code")[:1]), Value("")),
        Value(" "),
        Coalesce(Subquery(agent.values("name")[:1]), Value("")),
        Value(" "),
        F("run_key"),
        Value(" "),
        Coalesce(Subquery(resource), Value("")),
        output_field=models.TextField(),
    )
    escalation.objects.update(sought=Substr(Lower(words), 1, 1000))


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0012_ask_for_unit"),
        ("governance", "0017_paths_and_answers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DefaultView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("query", models.JSONField(default=dict)),
                ("is_shared", models.BooleanField(default=False)),
                ("is_team_default", models.BooleanField(default=False)),
                ("edition", models.PositiveIntegerField(default=1)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Snooze",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="escalation",
            name="alike",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="escalation",
            name="amount_below",
            field=models.DecimalField(decimal_places=0, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="escalation",
            name="claimed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="escalation",
            name="claimed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="escalation",
            name="claims",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="escalation",
            name="currency",
            field=models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.AddField(
            model_name="escalation",
            name="sought",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["alike", "due_at"], name="escalation_alike"
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["risk", "due_at"], name="escalation_urgent"
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["agent", "risk", "due_at"], name="escalation_open_agent"
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["unit", "asked", "path", "alike", "risk", "due_at", "agent"],
                name="escalation_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(fields=["settled_by", "settled_at"], name="escalation_by"),
        ),
        migrations.AddField(
            model_name="defaultview",
            name="person",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="default_view", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="unit",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents.unit"
            ),
        ),
        migrations.AddField(
            model_name="defaultview",
            name="view",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="governance.savedview"
            ),
        ),
        migrations.AddField(
            model_name="snooze",
            name="escalation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="snoozes", to="governance.escalation"
            ),
        ),
        migrations.AddField(
            model_name="snooze",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="watch",
            name="escalation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="watches", to="governance.escalation"
            ),
        ),
        migrations.AddField(
            model_name="watch",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("owner", "name"), name="one_saved_view_per_name"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_team_default", True)), fields=("unit",), name="one_default_view_per_unit"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_shared", False), ("unit__isnull", False), _connector="OR"),
                name="shared_view_has_a_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_team_default", False), ("is_shared", True), _connector="OR"),
                name="default_of_a_unit_is_shared",
            ),
        ),
        migrations.AddIndex(
            model_name="snooze",
            index=models.Index(fields=["person", "until"], name="snooze_person"),
        ),
        migrations.AddConstraint(
            model_name="snooze",
            constraint=models.UniqueConstraint(fields=("escalation", "person"), name="one_snooze_per_person"),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.UniqueConstraint(fields=("escalation", "person"), name="one_watch_per_person"),
        ),
        migrations.RunPython(bring_views, migrations.RunPython.noop),
        migrations.RunPython(make_searchable, migrations.RunPython.noop),
    ]
