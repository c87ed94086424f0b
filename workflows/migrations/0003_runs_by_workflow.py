"""The newest runs of one workflow are found without looking at those of all others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One index."""

    dependencies = [("workflows", "0002_step_in_hand")]
    operations = [
        migrations.AddIndex(model_name="run", index=models.Index(fields=["workflow", "-id"], name="run_workflow")),
    ]
