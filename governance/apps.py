"""The app that answers: may it be done?"""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"
