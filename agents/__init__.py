"""The app that answers: who is it?"""
