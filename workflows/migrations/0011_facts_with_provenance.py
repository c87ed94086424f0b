"""Facts with provenance, trust and sensitivity; scopes of spaces; flights, for which others wait."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Where a fact comes from, whom to believe, what became of it; scopes of spaces; who is finding out what."""

    dependencies = [
        ("agents", "0012_ask_for_unit"),
        ("workflows", "0010_decision_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FactFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Flight",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=300)),
                ("token", models.PositiveIntegerField(default=1)),
                ("leased_until", models.DateTimeField(null=True)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Waiter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AlterModelOptions(
            name="space",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("write_space", "Can put facts into the space"),
                    ("curate_space", "Can confirm and invalidate facts of the space"),
                    ("purge_space", "Can purge what an author put into shared memory"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="fact",
            name="one_current_fact_per_key",
        ),
        migrations.AddField(
            model_name="fact",
            name="confidence",
            field=models.DecimalField(decimal_places=4, max_digits=5, null=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="fact",
            name="invalid_why",
            field=models.CharField(blank=True, max_length=2000),
        ),
        migrations.AddField(
            model_name="fact",
            name="invalidated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="kind",
            field=models.CharField(
                choices=[("json", "Values"), ("text", "Text"), ("file", "File")], default="json", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="fact",
            name="marks",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="fact",
            name="purged_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="sensitivity",
            field=models.CharField(
                choices=[("public", "Public"), ("internal", "Internal"), ("confidential", "Confidential")],
                default="internal",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="fact",
            name="sources",
            field=models.ManyToManyField(related_name="derived", to="workflows.fact"),
        ),
        migrations.AddField(
            model_name="fact",
            name="step",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="facts", to="workflows.step"
            ),
        ),
        migrations.AddField(
            model_name="fact",
            name="text",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="trust",
            field=models.CharField(
                choices=[("low", "Not confirmed"), ("usual", "As its author"), ("confirmed", "Confirmed")],
                default="usual",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="fact",
            name="valid_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="fact",
            name="words",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="run",
            name="works_anew",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="space",
            name="agent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="spaces", to="agents.agent"
            ),
        ),
        migrations.AddField(
            model_name="space",
            name="schema",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="space",
            name="scope",
            field=models.CharField(
                choices=[
                    ("agent", "One agent"),
                    ("workflow", "A workflow"),
                    ("unit", "A unit"),
                    ("company", "The company"),
                ],
                default="unit",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="space",
            name="workflow",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="spaces", to="workflows.workflow"
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="memory_key",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="fact",
            name="value",
            field=models.JSONField(default=dict),
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(fields=["space", "key", "-id"], name="fact_key"),
        ),
        migrations.AddConstraint(
            model_name="fact",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("invalidated_at__isnull", True),
                    ("superseded_at__isnull", True),
                    ("trust__in", ("usual", "confirmed")),
                ),
                fields=("space", "key"),
                name="one_current_fact_per_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="space",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "agent"), _negated=True), ("agent__isnull", False), _connector="OR"
                ),
                name="space_of_agent_names_the_agent",
            ),
        ),
        migrations.AddConstraint(
            model_name="space",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "workflow"), _negated=True), ("workflow__isnull", False), _connector="OR"
                ),
                name="space_of_workflow_names_the_workflow",
            ),
        ),
        migrations.AddField(
            model_name="factfile",
            name="fact",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="file", to="workflows.fact"
            ),
        ),
        migrations.AddField(
            model_name="flight",
            name="agent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="flights", to="agents.agent"
            ),
        ),
        migrations.AddField(
            model_name="flight",
            name="space",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="flights", to="workflows.space"
            ),
        ),
        migrations.AddField(
            model_name="flight",
            name="step",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="flights", to="workflows.step"
            ),
        ),
        migrations.AddField(
            model_name="waiter",
            name="flight",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="waiters", to="workflows.flight"
            ),
        ),
        migrations.AddField(
            model_name="waiter",
            name="step",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="waits_for", to="workflows.step"
            ),
        ),
        migrations.AddConstraint(
            model_name="flight",
            constraint=models.UniqueConstraint(fields=("space", "key"), name="one_flight_per_key"),
        ),
    ]
