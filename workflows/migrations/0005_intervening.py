"""Runs are paused and begun again, steps are skipped: two states, what a pause and a repeat keep, a right to it."""

import django.db.models.deletion
from django.db import migrations, models

RUN = [("running", "Running"), ("paused", "Paused"), ("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")]
STEP = [
    ("ready", "Ready"), ("working", "Working"), ("waiting", "Waits for a person"), ("done", "Done"),
    ("failed", "Failed"), ("cancelled", "Cancelled"), ("skipped", "Skipped"),
]  # fmt: skip
RIGHTS = [
    ("work_in_workflow", "Can take steps of the workflow"),
    ("start_workflow", "Can start runs of the workflow"),
    ("publish_workflow", "Can publish versions of the workflow"),
    ("cancel_workflow", "Can cancel runs of the workflow"),
    ("intervene_workflow", "Can intervene in runs of the workflow"),
]


class Migration(migrations.Migration):
    """Paused runs are under way too, so the index of those counts them."""

    dependencies = [("workflows", "0004_beginnings_and_messages")]
    operations = [
        migrations.AlterModelOptions(name="workflow", options={"ordering": ["name"], "permissions": RIGHTS}),
        migrations.RemoveIndex(model_name="run", name="run_under_way"),
        migrations.AddField(model_name="run", name="paused_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="run",
            name="repeats",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="repeated_by", to="workflows.run"
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="status",
            field=models.CharField(choices=RUN, default="running", max_length=10),
        ),
        migrations.AlterField(
            model_name="step",
            name="status",
            field=models.CharField(choices=STEP, default="ready", max_length=10),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["-id"], name="run_under_way", condition=models.Q(status__in=("running", "paused"))
            ),
        ),
    ]
