"""From content to a built site: plain Markdown pages, the theme, and the MkDocs build.

It renders what it is given (`content`): reading the warehouse, and deciding what pages may show, belong into the asset
`site` and into `egregora_assets.leak_check`.
"""
