"""The one log of a chat, merged from all its exports: what every window is cut from.

Who said what, when, in which of several phones' versions; the merge is SQL by nature, over the tables that this room
owns. Reading a format belongs into `inputs/`, cutting windows into `egregora_assets.windowing`.
"""

from egregora_resources.chat_log.merge import Merged, join_persons, merge_export

__all__ = ["Merged", "join_persons", "merge_export"]
