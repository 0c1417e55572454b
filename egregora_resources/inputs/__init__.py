"""Inputs: what people have (exports of chats) read into one table of messages.

A format a folder, found by `registry`; containers (zips, folders) are shared. Nothing here knows a site: what is done
with the rows belongs into `chat_log/`.
"""
