"""The app that answers: what happened?"""
