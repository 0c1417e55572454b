"""From content to a built site: plain Markdown pages, the theme, and the MkDocs build."""
