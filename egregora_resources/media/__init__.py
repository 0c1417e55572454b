"""Files that came with messages: the store on disk, their kinds, pictures and films made fit to publish.

What a file shows in words is a provider's task (`llm/`); which message brought it is the log's (`chat_log/`).
"""
