"""The app that answers: what happened?"""

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "observability"
