"""What the graph is made of beside its assets: partitions, the window step, events, checks, jobs, sensor, instance.

Here, in the assets and in `definitions.py` Dagster is imported, and nowhere else in this package. How a window is made
(`pipeline/`) or an export read (`ingestion/`) doesn't belong here: it has to work, and be tested, without an instance.
"""
