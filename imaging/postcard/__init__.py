"""The bundled model: synthetic training data, training, evaluation, published vocabulary, weights.

The engine imports nothing from here to serve a request: `weights/` is an ordinary diffusers folder
and is loaded like any other model. This package must not import jobs, tiers or chat code.
"""
