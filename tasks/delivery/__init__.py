"""Delivery of finished jobs: the publisher protocol that platforms implement, and the dispatcher.

Imports no platform: publishers are found through the entry point group `atelier.couriers`.
"""
