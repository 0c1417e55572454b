"""The engine: takes windows through stages, many at a time, and knows what is stale and why.

It imports neither Dagster nor erasure nor a stage; stages, and what has to happen before them, are handed in. What one
stage makes belongs into the asset of its name.
"""
