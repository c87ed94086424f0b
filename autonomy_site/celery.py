"""The Celery application: time and slow outside calls; a task carries ids only and may be lost or doubled."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")

app = Celery("autonomy_os", task_cls="autonomy_site.sweeps:Sweep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
