"""Reads what is stored and built as one who knows all names; says what pages may call somebody.

Finding names and numbers in a text belongs into `egregora_resources.privacy`; taking out what was found into `erasure/`.
"""
