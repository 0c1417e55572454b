"""Guesses calls, tokens and dollars of a plan from numbers, never from text.

What was really spent, and the prices, belong into `egregora_resources.llm`.
"""
