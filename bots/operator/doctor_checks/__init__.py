"""The checks of `atelier doctor`: a module for each part of an installation, a line for each check.

A check never raises for what it finds: that it finds something wrong is its result.
"""
