"""The app that answers: who is it?"""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
