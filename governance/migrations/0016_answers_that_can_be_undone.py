"""An answer that was given on a page takes effect after a while, in which it can be undone."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0012_ask_for_unit"),
        ("governance", "0015_replays_recount"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="escalation",
            name="effect_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="escalation",
            name="held_answer",
            field=models.CharField(
                blank=True,
                choices=[("approved", "Approved"), ("rejected", "Rejected")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="escalation",
            name="status",
            field=models.CharField(
                choices=[
                    ("open", "Waits for a person"),
                    ("held", "Answered, can be undone"),
                    ("approved", "Approved"),
                    ("rejected", "Rejected"),
                    ("expired", "Expired"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(condition=models.Q(("status", "held")), fields=["effect_at"], name="escalation_effect"),
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "held"), _negated=True),
                    models.Q(("effect_at__isnull", False), ("held_answer__in", ("approved", "rejected"))),
                    _connector="OR",
                ),
                name="a_held_answer_takes_effect",
            ),
        ),
    ]
