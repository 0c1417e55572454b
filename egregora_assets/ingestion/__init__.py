"""A file becomes rows of the one log, once: is it this chat's, what of it is new, where do windows begin.

Nothing else writes raw tables, but for `erasure/`. Reading a format belongs into `egregora_resources.inputs`, merging
with what is known into `egregora_resources.chat_log`.
"""
