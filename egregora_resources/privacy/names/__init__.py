"""Names of people in texts: an index of all their forms, and what tells a name from a word.

What isn't a name (numbers, addresses) has rooms of its own beside this one.
"""
