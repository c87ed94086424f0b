"""How static files are kept in production: hashed names, also inside the modules that import each other, compressed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Hashed and compressed files whose JavaScript imports name the hashed files."""

    support_js_module_import_aggregation = True
