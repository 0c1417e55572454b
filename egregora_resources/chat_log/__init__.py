"""The one log of a chat, merged from all its exports: what every window is cut from."""

from egregora_resources.chat_log.merge import Merged, join_persons, merge_export

__all__ = ["Merged", "join_persons", "merge_export"]
