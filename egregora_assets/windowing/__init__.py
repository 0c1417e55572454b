"""Where a conversation is cut into windows, where a long window is parted, and what a window's fingerprint is.

Numpy and Arrow over the log. What is made of a window doesn't belong here.
"""
