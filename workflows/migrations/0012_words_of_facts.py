"""The words of facts are searched: on PostgreSQL by an index over them, on SQLite in a table of their own."""

from django.db import migrations

from workflows.rules.memory import words_of

AT_ONCE = 500


def index(apps, schema_editor):
    """Make the index, and fill in the words of the facts that are there."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX fact_words ON workflows_fact USING gin (array_to_tsvector(string_to_array(words, ' ')))"
        )
    else:
        schema_editor.execute(
            'CREATE VIRTUAL TABLE workflows_fact_words USING fts5(words, tokenize = "unicode61 remove_diacritics 0")'
        )
    fill(apps, schema_editor)


def fill(apps, schema_editor):
    """The words of each fact, as new ones get them."""
    facts, some = apps.get_model("workflows", "Fact").objects, []
    for fact in facts.only("pk", "key", "value").order_by("pk").iterator(chunk_size=AT_ONCE):
        fact.words = words_of(fact.key, fact.value)
        some.append(fact)
        if len(some) == AT_ONCE:
            _write(facts, some, schema_editor)
            some = []
    _write(facts, some, schema_editor)


def _write(facts, some, schema_editor):
    facts.bulk_update(some, ["words"])
    if schema_editor.connection.vendor != "postgresql":
        with schema_editor.connection.cursor() as cursor:
            rows = [(fact.pk, fact.words) for fact in some]
            cursor.executemany("INSERT INTO workflows_fact_words (rowid, words) VALUES (%s, %s)", rows)


def drop(apps, schema_editor):
    """Take the index away."""
    what = "INDEX fact_words" if schema_editor.connection.vendor == "postgresql" else "TABLE workflows_fact_words"
    schema_editor.execute(f"DROP {what}")


class Migration(migrations.Migration):
    dependencies = [("workflows", "0011_facts_with_provenance")]
    operations = [migrations.RunPython(index, drop)]
