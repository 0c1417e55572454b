"""Where the bundled demo chat comes from: its text, and the drawings that stand for its pictures.

Not installed: the package holds only the two exports that `python -m demo_chat.build` writes.
"""
