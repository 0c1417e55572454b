"""Takes back what was made of somebody's words (`withdrawal`), and removes a person for good (`forget`).

It owns the one list of places that hold personal data (`personal_data`): whatever stores text of people is added there.
Keeping private things from being stored at all belongs into `egregora_resources.privacy`.
"""
