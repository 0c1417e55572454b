"""The tasks about links, media and banners. What can't be read, seen or drawn is recorded, and fails nothing."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from egregora_resources.errors import ProviderError, RunStopped
from egregora_resources.llm.cache import Subjects
from egregora_resources.llm.gemini.answer_schemas import WireMedia, parse, schema_of
from egregora_resources.llm.gemini.caller import Caller
from egregora_resources.llm.gemini.outcomes import Malformed, Reply
from egregora_resources.llm.gemini.request import Ask
from egregora_resources.llm.gemini.transcript import canonical
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.offline.enrichments import readable
from egregora_resources.llm.prompting import Prompts, fence, one_line
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import (
    Banner,
    BannerInput,
    Link,
    LinkNote,
    MediaNote,
    Notes,
    NotesInput,
    Picture,
    Task,
)
from egregora_resources.usage import Usage

MIME = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "3gp": "video/3gpp",
    "opus": "audio/ogg", "ogg": "audio/ogg", "mp3": "audio/mp3", "wav": "audio/wav", "aac": "audio/aac",
    "flac": "audio/flac", "m4a": "audio/m4a",
}  # fmt: skip
"""What the service is given, by extension. It would read documents, too, but these name their authors and whoever is
written about in them, and we have nothing that takes that out."""
MOST_BYTES = 12 << 20
"""Of the files in one request, which the service limits to 20 MB as it is written on the wire."""
MOST_FILES = 8
BANNER_SIZE = (1200, 675)
MOST_PIXELS = 40_000_000


class SeeingTasks:
    """Links and media are described, banners drawn.

    Args:
        caller: the way to the service.
        prompts: of the site.
        models: a task's models, in order of preference.
        file_of: (path, extension) of a media file as it may leave the machine; None if it may not, or isn't there.
    """

    def __init__(
        self,
        caller: Caller,
        prompts: Prompts,
        models: Callable[[Task], Sequence[str]],
        file_of: Callable[[str], tuple[Path, str] | None],
    ) -> None:
        self._caller, self._prompts, self._models, self._file_of = caller, prompts, models, file_of

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        """A note for every link and file."""
        links, media = await asyncio.gather(
            asyncio.gather(*(self._link(link, request) for link in request.links)), self._media(request)
        )
        usage = sum((answer.usage for answer in [*links, *media]), Usage())
        degraded = next((answer.degraded for answer in [*links, *media] if answer.degraded), "")
        notes = Notes(
            links=[answer.output for answer in links], media=[n for answer in media for n in answer.output]
        )
        return Answer(notes, usage, degraded)

    async def _link(self, link: Link, request: NotesInput) -> Answer[LinkNote]:
        address = canonical(link.url)

        def check(reply: Reply, *, salvage: bool) -> tuple[LinkNote, str]:
            del salvage
            # What is in the cache is the note itself; an answer of a model knows what pages were retrieved.
            note = LinkNote.model_validate_json(reply.text) if reply.pages is None else _note(address, reply)
            return note, note.model_dump_json()

        ask = Ask(
            "enrichments",
            self._prompts.fill("links", url=address, language=request.language),
            Subjects(request.window, messages=(link.message,)),
            reads_pages=True,
        )
        try:
            answer = await self._caller.ask(ask, self._models("enrichments"), check)
        except RunStopped:
            raise
        except ProviderError as error:
            note = LinkNote(url=link.url, title=readable(link.url), problem=str(error))
            return Answer(note, getattr(error, "usage", Usage()))
        note = answer.output.model_copy(update={"url": link.url})
        return Answer(
            note if note.title else note.model_copy(update={"title": readable(link.url)}),
            answer.usage,
            answer.degraded,
        )

    async def _media(self, request: NotesInput) -> list[Answer[list[MediaNote]]]:
        files: list[tuple[Picture, str, bytes]] = []
        problems: list[MediaNote] = []
        seen: set[str] = set()
        for picture in request.media:
            if picture.id in seen:
                continue
            seen.add(picture.id)
            path, extension = await asyncio.to_thread(self._file_of, picture.id) or (None, "")
            kind = MIME.get(extension)
            if path is None:
                problem = "the file isn't there, or can't be shown"
            elif kind is None:
                problem = "a kind of file that isn't sent to the service"
            elif (size := path.stat().st_size) > MOST_BYTES:
                problem = f"too large ({size >> 20} MB, {MOST_BYTES >> 20} MB are taken)"
            else:
                files.append((picture, kind, await asyncio.to_thread(path.read_bytes)))
                continue
            problems.append(MediaNote(id=picture.id, alt=picture.caption, problem=problem))
        answers = await asyncio.gather(*(self._described(batch, request) for batch in _batches(files)))
        return [Answer(problems), *answers]

    async def _described(
        self, batch: Sequence[tuple[Picture, str, bytes]], request: NotesInput
    ) -> Answer[list[MediaNote]]:
        def check(reply: Reply, *, salvage: bool) -> tuple[list[MediaNote], str]:
            wire = parse(WireMedia, reply.text, salvage=salvage)
            found = {file.number: file for file in wire.files if file.number <= len(batch)}
            whole = len(wire.files) == len(found) == len(batch)
            if not (whole or (salvage and found)):
                raise Malformed(
                    f"{len(found)} of {len(batch)} files are described",
                    f"There are {len(batch)} files, numbered from 1; describe each, once.",
                )
            notes = [
                MediaNote(
                    id=picture.id, described=True, alt=one_line(found[n].alt), summary=one_line(found[n].summary),
                    text=found[n].text.strip()[:1_000],
                )
                if n in found
                else MediaNote(id=picture.id, alt=picture.caption, problem="the model left it out")
                for n, (picture, _, _) in enumerate(batch, 1)
            ]  # fmt: skip
            return notes, reply.text

        ask = Ask(
            "enrichments",
            self._prompts.fill("media", count=len(batch), language=request.language),
            Subjects(
                request.window,
                messages=tuple(picture.message for picture, _, _ in batch),
                media=tuple(picture.id for picture, _, _ in batch),
            ),
            schema_of(WireMedia),
            [(kind, content) for _, kind, content in batch],
        )
        try:
            return await self._caller.ask(ask, self._models("enrichments"), check)
        except RunStopped:
            raise
        except ProviderError as error:
            usage = getattr(error, "usage", Usage())
            if len(batch) > 1:
                # One of them may be to blame: each by itself.
                singles = await asyncio.gather(*(self._described([one], request) for one in batch))
                return Answer(
                    [note for answer in singles for note in answer.output],
                    sum((answer.usage for answer in singles), usage),
                )
            picture = batch[0][0]
            return Answer([MediaNote(id=picture.id, alt=picture.caption, problem=str(error))], usage)

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]:
        """A banner for every post; the generated one where none is drawn."""
        answers = await asyncio.gather(*(self._banner(request) for request in requests))
        return Answer(
            [answer.output for answer in answers],
            sum((answer.usage for answer in answers), Usage()),
            next((answer.degraded for answer in answers if answer.degraded), ""),
        )

    async def _banner(self, request: BannerInput) -> Answer[Banner]:
        article = "\n".join([request.title, request.dek, ", ".join([request.category, *request.tags])])

        def check(reply: Reply, *, salvage: bool) -> tuple[Banner, str]:
            del salvage
            content = reply.text if reply.pages is None else _picture(reply.image)
            return Banner(format="webp", content=content), content

        ask = Ask(
            "banners",
            self._prompts.fill("banners", article=fence("article", article)),
            Subjects(request.window),
            draws=True,
        )
        try:
            return await self._caller.ask(ask, self._models("banners"), check, vital=False)
        except RunStopped:
            raise
        except ProviderError as error:
            drawn = await OfflineProvider().illustrate([request])
            return Answer(drawn.output[0], getattr(error, "usage", Usage()), "offline")


def _note(address: str, reply: Reply) -> LinkNote:
    """What a model that was to read a page came back with; nothing it says counts unless the page was retrieved."""
    statuses = set((reply.pages or {}).values())
    lines = [line.strip(" #*") for line in reply.text.strip().splitlines() if line.strip()]
    if "URL_RETRIEVAL_STATUS_SUCCESS" not in statuses:
        status = next(iter(statuses), "").removeprefix("URL_RETRIEVAL_STATUS_").lower() or "not retrieved"
        return LinkNote(url=address, problem=f"the page couldn't be read ({status})")
    if not lines or lines[0].upper().startswith("UNREADABLE"):
        return LinkNote(url=address, problem="the page couldn't be read")
    return LinkNote(url=address, read=True, title=lines[0][:200], summary=" ".join(lines[1:])[:800])


def _picture(content: bytes) -> str:
    """A drawn picture made fit for the site, as base64; encoded anew, so that nothing but the picture is in it."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Malformed("the picture is too large")
            drawn = image.convert("RGB")
        drawn.thumbnail(BANNER_SIZE)
        out = io.BytesIO()
        drawn.save(out, "WEBP", quality=82, method=4)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Malformed("not a picture", "Draw a picture.") from None
    return base64.b64encode(out.getvalue()).decode("ascii")


def _batches(files: Sequence[tuple[Picture, str, bytes]]) -> list[list[tuple[Picture, str, bytes]]]:
    batches: list[list[tuple[Picture, str, bytes]]] = []
    size = 0
    for file in files:
        size += len(file[2])
        if not batches or len(batches[-1]) == MOST_FILES or size > MOST_BYTES:
            batches.append([])
            size = len(file[2])
        batches[-1].append(file)
    return batches
