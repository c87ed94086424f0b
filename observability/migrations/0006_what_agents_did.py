"""What agents' programs say they did: spans, figures, and the prices of models; events are found by their trace."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0004_tree_and_checkpoints"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(unique=True)),
                ("provider", models.CharField(blank=True, max_length=60)),
                ("model", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("input", "Input"),
                            ("output", "Output"),
                            ("cached", "Input from a cache"),
                            ("written", "Input written to a cache"),
                        ],
                        max_length=7,
                    ),
                ),
                ("per_million", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateTimeField()),
                ("set_at", models.DateTimeField()),
                ("set_by", models.CharField(max_length=200)),
                ("why", models.CharField(max_length=2000)),
            ],
            options={
                "permissions": [("set_prices", "Can set the prices of models")],
            },
        ),
        migrations.CreateModel(
            name="Reported",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("trace_id", models.CharField(blank=True, max_length=32)),
                ("span_id", models.CharField(blank=True, max_length=16)),
                ("agent", models.CharField(max_length=20)),
                ("agent_name", models.CharField(max_length=230)),
                ("unit", models.CharField(max_length=20)),
                ("claim", models.CharField(blank=True, max_length=200)),
                (
                    "claims",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Names itself, or nobody"),
                            ("other", "Names another agent"),
                            ("unknown", "Names an agent that is not registered"),
                        ],
                        max_length=7,
                    ),
                ),
                ("service", models.CharField(blank=True, max_length=200)),
                ("model", models.CharField(blank=True, max_length=200)),
                ("tool", models.CharField(blank=True, max_length=200)),
                ("conversation", models.CharField(blank=True, max_length=200)),
                ("error", models.CharField(blank=True, max_length=200)),
                ("input_tokens", models.BigIntegerField(null=True)),
                ("output_tokens", models.BigIntegerField(null=True)),
                ("cached_tokens", models.BigIntegerField(null=True)),
                ("written_tokens", models.BigIntegerField(null=True)),
                ("cost", models.DecimalField(decimal_places=12, max_digits=22, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("run", models.CharField(blank=True, max_length=40)),
                ("step", models.CharField(blank=True, max_length=40)),
                ("attributes", models.JSONField(default=dict)),
                ("left_out", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("signal", models.CharField(max_length=7)),
                ("what", models.CharField(max_length=60)),
                ("kind", models.CharField(blank=True, max_length=40)),
                ("amount", models.DecimalField(decimal_places=9, max_digits=30, null=True)),
                ("measure", models.CharField(blank=True, max_length=60)),
                ("is_total", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Span",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("trace_id", models.CharField(blank=True, max_length=32)),
                ("span_id", models.CharField(blank=True, max_length=16)),
                ("agent", models.CharField(max_length=20)),
                ("agent_name", models.CharField(max_length=230)),
                ("unit", models.CharField(max_length=20)),
                ("claim", models.CharField(blank=True, max_length=200)),
                (
                    "claims",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Names itself, or nobody"),
                            ("other", "Names another agent"),
                            ("unknown", "Names an agent that is not registered"),
                        ],
                        max_length=7,
                    ),
                ),
                ("service", models.CharField(blank=True, max_length=200)),
                ("model", models.CharField(blank=True, max_length=200)),
                ("tool", models.CharField(blank=True, max_length=200)),
                ("conversation", models.CharField(blank=True, max_length=200)),
                ("error", models.CharField(blank=True, max_length=200)),
                ("input_tokens", models.BigIntegerField(null=True)),
                ("output_tokens", models.BigIntegerField(null=True)),
                ("cached_tokens", models.BigIntegerField(null=True)),
                ("written_tokens", models.BigIntegerField(null=True)),
                ("cost", models.DecimalField(decimal_places=12, max_digits=22, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("run", models.CharField(blank=True, max_length=40)),
                ("step", models.CharField(blank=True, max_length=40)),
                ("attributes", models.JSONField(default=dict)),
                ("left_out", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
                ("parent_id", models.CharField(blank=True, max_length=16)),
                ("name", models.CharField(max_length=300)),
                ("kind", models.CharField(max_length=10)),
                ("started_at", models.DateTimeField()),
                ("nanoseconds", models.BigIntegerField()),
                ("message", models.CharField(blank=True, max_length=300)),
                ("provider", models.CharField(blank=True, max_length=60)),
                ("workflow", models.CharField(blank=True, max_length=200)),
                ("reasoning_tokens", models.BigIntegerField(null=True)),
                ("cost_source", models.CharField(blank=True, max_length=20)),
                ("price_version", models.PositiveIntegerField(null=True)),
                ("evaluations", models.JSONField(default=list)),
                ("events", models.JSONField(default=list)),
            ],
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(condition=models.Q(("trace", ""), _negated=True), fields=["trace"], name="event_trace"),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_million", None), ("per_million__gte", 0), _connector="OR"),
                name="price_of_a_model_is_not_negative",
            ),
        ),
        migrations.AddIndex(
            model_name="reported",
            index=models.Index(fields=["agent", "-id"], name="reported_agent"),
        ),
        migrations.AddIndex(
            model_name="reported",
            index=models.Index(
                condition=models.Q(("run", ""), _negated=True), fields=["run", "id"], name="reported_run"
            ),
        ),
        migrations.AddIndex(
            model_name="span",
            index=models.Index(condition=models.Q(("run", ""), _negated=True), fields=["run", "id"], name="span_run"),
        ),
        migrations.AddIndex(
            model_name="span",
            index=models.Index(fields=["agent", "-id"], name="span_agent"),
        ),
        migrations.AddConstraint(
            model_name="span",
            constraint=models.UniqueConstraint(fields=("trace_id", "span_id"), name="one_span_per_trace_and_id"),
        ),
    ]
