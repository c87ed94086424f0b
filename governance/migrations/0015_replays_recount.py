"""Replays that work budgets out again, and the budgets of what they found."""

import django.core.serializers.json
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0014_what_each_question_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="replay",
            name="recounts",
            field=models.BooleanField(default=False, verbose_name="works budgets out again"),
        ),
        migrations.AddField(
            model_name="replayflip",
            name="budgets",
            field=models.JSONField(default=list, encoder=django.core.serializers.json.DjangoJSONEncoder),
        ),
    ]
