"""From a `content.Site` to a folder that can be published: Markdown pages, the theme, the MkDocs build.

This room renders what it is given. Reading the warehouse belongs in the asset `site`; deciding what a page may show
belongs there and in `egregora_assets.leak_check`.
"""
