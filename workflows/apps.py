"""The app that answers: what work is going on?"""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
