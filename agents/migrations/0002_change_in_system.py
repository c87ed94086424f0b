"""Systems have a verb `change`; now the right to it can be given."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0001_first"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="system",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("read_in_system", "Can read in the system"),
                    ("create_in_system", "Can create in the system"),
                    ("change_in_system", "Can change in the system"),
                    ("pay_in_system", "Can pay in the system"),
                    ("send_in_system", "Can send in the system"),
                ],
            },
        ),
    ]
