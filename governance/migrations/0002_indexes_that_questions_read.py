"""Indexes for what every question asks and every list orders by; likeness holds the longest action, policy and rule."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0001_first"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="escalation", name="escalation_open"),
        migrations.AlterField(model_name="escalation", name="likeness", field=models.CharField(max_length=250)),
        migrations.AddIndex(model_name="decision", index=models.Index(fields=["at"], name="decision_at")),
        migrations.AddIndex(
            model_name="escalation", index=models.Index(fields=["request_sha256"], name="escalation_request")
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(fields=["likeness", "-settled_at", "-id"], name="escalation_like"),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                fields=["-settled_at", "-id"], name="escalation_done", condition=~models.Q(status="open")
            ),
        ),
    ]
