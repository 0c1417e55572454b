"""What the media store knows of files: their kinds, pictures made fit to publish, films without a place.

The store itself (files on disk, publishing, forgetting) is `egregora_resources.media_store`.
"""
