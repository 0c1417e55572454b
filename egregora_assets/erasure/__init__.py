"""Takes back what was made of somebody's words (`withdrawal`), and removes a person for good (`forget`).

It owns the one list of places that hold personal data (`personal_data`): whatever stores text of people is added there;
and what was begun and not finished (`unfinished`). How rows are emptied and a file is rewritten is in
`egregora_resources.chat_log.erase` and `egregora_resources.warehouse.compaction`.
Keeping private things from being stored at all belongs into `egregora_resources.privacy`.
"""
