"""What is produced: the asset graph, an asset a file in the order of the graph, and the rooms behind it.

One message's way: `exports`, `windows`, `messages`, `media`, `enrichments`, `digests`, `profiles`, `posts`, `banners`,
`site`. What touches the outside world (files, databases, services, formats) belongs into `egregora_resources`.
"""
