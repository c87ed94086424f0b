"""How the product is put together: settings, urls, servers, worker, the demo."""

from autonomy_site.celery import app as celery_app

__all__ = ["celery_app"]
