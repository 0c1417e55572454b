"""Inputs: what people have (exports of chats) read into one table of messages."""
