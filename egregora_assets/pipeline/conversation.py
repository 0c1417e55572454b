"""A window's conversation as the provider's tasks take it: messages, links, pictures, in one part or several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from egregora_assets.pipeline.context import WindowWork
from egregora_assets.pipeline.stage import Stage
from egregora_resources.document import Document, Message, absent
from egregora_resources.document_kinds import Enrichment, LinkEnrichment, MediaEnrichment, MediaMatter
from egregora_resources.llm.tasks import Link, Picture, Said, Stretch
from egregora_resources.site.settings import Settings

URL = re.compile(r"https?://[^\s<>\"'\u00a0]+", re.IGNORECASE)
TRAILING = ".,;:!?…)]}'\"*_~"
SPEAKING_KINDS = frozenset({"text", "media", "poll"})


def urls_in(text: str) -> list[str]:
    """Links in a text, without the punctuation that follows them."""
    found: list[str] = []
    for url in URL.findall(text):
        # A closing bracket belongs to the link when it was opened there: …/Keel_(boat)
        while url and url[-1] in TRAILING and not (url[-1] == ")" and url.count("(") >= url.count(")")):
            url = url[:-1]
        if len(url) > len("https://"):
            found.append(url)
    return found


def too_little(work: WindowWork) -> str:
    """Why nothing is written about a window, if so."""
    pipeline = work.context.config.pipeline
    speaking = sum(message.kind in SPEAKING_KINDS for message in work.messages)
    if speaking < pipeline.min_messages:
        return f"too little to say: {speaking} messages, [pipeline] min_messages is {pipeline.min_messages}"
    if work.so_far and not pipeline.write_open_window:
        return "the window is still running, and [pipeline] write_open_window is false"
    return ""


def window_rules(settings: Settings) -> list[object]:
    """The settings that a result depends on, beside its window.

    What fits a prompt is not among them: a window that was written stays written when the budget changes, and one
    that was too large for it is tried again because it failed.
    """
    return [settings.pipeline.min_messages, settings.pipeline.write_open_window, settings.site.language]


def stretches(work: WindowWork) -> list[Document[Stretch]]:
    """The window in parts, each as a document."""
    parts = work.parts()
    return [
        Document(
            "stretch",
            f"{work.key}/{number}",
            work.key,
            None,
            _stretch(work, messages, number, len(parts)),
        )
        for number, messages in enumerate(parts, 1)
    ]


def _stretch(work: WindowWork, messages: Sequence[Message], part: int, parts: int) -> Stretch:
    ids = {message.id for message in messages}
    language = work.context.config.site.language
    enrichments = [document.front_matter.root for document in work.documents("enrichments", Enrichment)]
    links = {note.url: note for note in enrichments if isinstance(note, LinkEnrichment)}
    described = {
        note.id: note for note in enrichments if isinstance(note, MediaEnrichment) and note.described
    }
    return Stretch(
        window=work.key,
        part=part,
        parts=parts,
        messages=[
            Said(id=m.id, time=m.time, author=m.author, text=m.text, kind=m.kind, media=m.media)
            for m in messages
        ],
        links=[
            Link(
                url=url,
                message=message.id,
                title=links[url].title if url in links else "",
                summary=links[url].summary if url in links else "",
            )
            for message in messages
            for url in urls_in(message.text)
        ],
        pictures=[
            Picture(
                id=file.media,
                message=file.message,
                kind=file.kind,
                caption=file.caption,
                alt=described[file.media].alt if file.media in described else "",
                summary=described[file.media].summary if file.media in described else "",
                missing=not file.view.path,
            )
            for file in (document.front_matter for document in work.documents("media", MediaMatter))
            if file.message in ids and absent(file.media) != "omitted"
        ],
        language=language,
        so_far=work.so_far,
    )


class WrittenStage(Stage):
    """A stage that is made from the window's conversation, part by part, when there is enough of it."""

    def reads(self, settings: Settings) -> object:
        return window_rules(settings)

    def depends(self, work: WindowWork) -> Mapping[str, str]:
        waits = work.so_far and not work.context.config.pipeline.write_open_window
        return {"so_far": "running" if waits else ""}

    def skip(self, work: WindowWork) -> str:
        return too_little(work)
