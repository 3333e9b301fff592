"""The bundled model: how its training pictures are drawn, how it is trained, how it is judged, and
its weights.

Nothing here is imported when a picture is made for a member: `weights/` is an ordinary diffusers
folder and the engine loads it like any other model. This room must never know jobs, tiers or chat.
"""
