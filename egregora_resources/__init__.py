"""What assets use: everything that touches the outside world. Resources never import assets.

When something is made, and from what, is decided in `egregora_assets`; here is how it is read, kept, asked or shown.
"""
