"""The app that answers: may it be done?"""
