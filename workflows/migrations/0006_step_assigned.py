"""A step can be given to one agent alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("agents", "0012_ask_for_unit"), ("workflows", "0005_intervening")]
    operations = [
        migrations.AddField(
            model_name="step",
            name="assigned_to",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="assigned_steps", to="agents.agent"
            ),
        ),
    ]
