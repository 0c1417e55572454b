"""Providers: who does the tasks that need a writer's, a describer's or an illustrator's hand.

The tasks, the protocol, what answers cost, where they are kept; a provider a folder (`offline/`, `gemini/`). What a
stage makes of an answer belongs into the stage.
"""
