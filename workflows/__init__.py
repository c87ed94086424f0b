"""The app that answers: what work is going on?"""
