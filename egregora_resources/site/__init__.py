"""A site on disk: its folder, settings, secret, inbox and locks.

What is in the warehouse belongs into `warehouse/`; what is done with a site into the commands.
"""
