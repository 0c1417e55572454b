"""The real thing, end to end: a site in a folder of its own, a Dagster UI with its daemon, the command."""
