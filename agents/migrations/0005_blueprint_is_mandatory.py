"""No agent without a blueprint."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0004_blueprint_for_every_agent"),
    ]

    operations = [
        migrations.AlterField(
            model_name="agent",
            name="blueprint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="agents", to="agents.blueprint"
            ),
        ),
    ]
