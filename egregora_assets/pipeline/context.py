"""What the stages of a run share, what one of them made, and one window on its way through them."""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from egregora_assets.windowing.splitting import FULL_CONTEXT_WINDOW_SIZE, split_messages
from egregora_resources.document import Document, FrontMatter, Message, Model, fingerprint
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.providers import make_provider
from egregora_resources.llm.tasks import Digest
from egregora_resources.media.store import MediaStore
from egregora_resources.people import People, load_people
from egregora_resources.privacy.scrubber import Scrubber
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.usage import Usage
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.documents import stored_digests, stored_posts
from egregora_resources.warehouse.raw_measures import retracted_messages
from egregora_resources.warehouse.results import load_media, load_messages, load_window
from egregora_resources.warehouse.vocabulary import terms
from egregora_resources.warehouse.windows import active_windows, windows_with


@dataclass
class PipelineContext:
    """What all stages of a run share.

    Args:
        config: the site's settings.
        site_root: the site's folder.
        storage: its warehouse.
        media_mapping: attachment's name → (id, kind, extension) in the media store; if left out, the warehouse tells the
            file of each message.
        provider: does the tasks that need a model; the one the settings name if left out.
        redo: (stage, window) that the owner wants made anew, whatever is stored.
    """

    config: Settings
    site_root: Path
    storage: Warehouse
    media_mapping: Mapping[str, tuple[str, str, str]] | None = None
    provider: Provider | None = None
    redo: Collection[tuple[str, str]] = frozenset()
    works: Sequence[WindowWork] = field(default=(), init=False, repr=False)
    """The windows of the run."""

    @classmethod
    def of(
        cls, site: Site, *, provider: Provider | None = None, redo: Collection[tuple[str, str]] = frozenset()
    ) -> PipelineContext:
        """The context of a run on a site."""
        return cls(site.settings, site.root, site.warehouse, provider=provider, redo=redo)

    @cached_property
    def site(self) -> Site:
        return Site(self.folder, self.config, self.storage)

    @cached_property
    def folder(self) -> SiteFolder:
        return SiteFolder(self.site_root.resolve())

    @cached_property
    def llm(self) -> Provider:
        return self.provider or make_provider(self.site)

    def file_of(self, message: int, attachment: str | None) -> tuple[str, str, str] | None:
        """(id, kind, extension) of a message's attachment; the id is empty if the export's file is damaged."""
        if attachment is None:
            return None
        if self.media_mapping is not None:
            return self.media_mapping.get(attachment)
        return self._files.get((message, attachment))

    @cached_property
    def media(self) -> Mapping[str, tuple[str, str]]:
        """(kind, extension) of each file of the media store that a message has, by its id."""
        mapping = self._files if self.media_mapping is None else self.media_mapping
        return {media: (kind, extension) for media, kind, extension in mapping.values() if media}

    @cached_property
    def _files(self) -> Mapping[tuple[int, str], tuple[str, str, str]]:
        return load_media(self.storage)

    @cached_property
    def media_store(self) -> MediaStore:
        return MediaStore(self.folder.media)

    @cached_property
    def people(self) -> People:
        with self.storage.connect() as connection:
            return load_people(connection, self.config)

    @cached_property
    def scrubber(self) -> Scrubber:
        return self.people.scrubber(self.config)

    def replace_people(self, people: People) -> None:
        """Replaces the cached people, and what was derived from them."""
        self.people = people
        self.__dict__.pop("scrubber", None)

    @cached_property
    def vocabulary(self) -> Sequence[str]:
        """Categories and tags in use, as of the run's start."""
        return [term.term for term in terms(self.storage)]

    @cached_property
    def digests(self) -> Sequence[tuple[datetime, Digest]]:
        """Digests of the site's windows and of the run's, with the windows' starts, in time order."""
        found = stored_digests(self.storage)
        stored = {digest.window for digest in found}
        # Windows over a table of the caller's own are not among the site's.
        given = [work for work in self.works if work.key not in stored and "digests" in work.made]
        digests = [(digest.start, Digest.model_validate_json(digest.front_matter)) for digest in found]
        digests += [
            (work.start, document.front_matter)
            for work in given
            for document in work.documents("digests", Digest)
        ]
        return sorted(digests, key=lambda pair: pair[0])

    @cached_property
    def memories(self) -> Mapping[str, Sequence[str]]:
        """Window → earlier windows that its posts were written with the memory of."""
        return {
            post.window: PostMatter.model_validate_json(post.front_matter).memory
            for post in stored_posts(self.storage)
        }

    @cached_property
    def withdrawals(self) -> Mapping[str, Sequence[str]]:
        """Window → who of those who speak or are named in it opted out, and the messages retracted in it."""
        out = [member.author_id for member in self.people.members if member.opted_out]
        with self.storage.connect() as connection:
            found = [*windows_with(connection, out)]
            found += [(window, str(message)) for window, message in retracted_messages(connection)]
        withdrawn: dict[str, list[str]] = {}
        for window, what in sorted(found):
            withdrawn.setdefault(window, []).append(what)
        return withdrawn

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Window → its place among the windows of the site, from 0."""
        return {window.key: place for place, window in enumerate(active_windows(self.storage))}

    def begin(self, works: Sequence[WindowWork]) -> None:
        """A run over these windows begins: what the last one read of the warehouse is read anew."""
        self.works = works
        for name in ("vocabulary", "digests", "memories", "withdrawals", "media", "order", "_files"):
            self.__dict__.pop(name, None)


@dataclass(frozen=True, slots=True)
class Made:
    """What a stage made of one window: documents, and rows of `messages` for the stage of that name."""

    documents: Sequence[Document] = ()
    messages: Sequence[Message] | None = None
    skipped: str = ""
    """Why there is nothing to make; then there are no documents."""
    note: str = ""
    """A remark for status and archive, e.g. why no post was written."""
    usage: Usage = Usage()
    degraded: str = ""

    def version(self) -> str:
        """A hash of everything made: the data version."""
        rows = [
            [m.id, m.time.isoformat(), m.author, m.kind, m.text, m.media, m.edited, m.data]
            for m in self.messages or ()
        ]
        return fingerprint([d.digest() for d in self.documents], rows, self.skipped)


@dataclass
class WindowWork:
    """One window in a run: what is known of it, and what its stages have made so far."""

    context: PipelineContext
    key: str
    start: datetime
    end: datetime
    raw_messages: Callable[[], pa.Table]
    """Reads the raw rows, in the order of the log: for `messages` only."""
    version: str
    """Data version of ``windows[w]``."""
    so_far: bool = False
    known: bool = True
    """Whether an earlier run stored anything of it: if not, there is nothing to read."""
    made: dict[str, Made] = field(default_factory=dict[str, Made])

    @cached_property
    def _before(self) -> Mapping[str, Sequence[Document[FrontMatter]]]:
        return load_window(self.context.storage, self.key) if self.known else {}

    @property
    def messages(self) -> Sequence[Message]:
        """The anonymised messages."""
        if "messages" not in self.made:
            self.made["messages"] = Made(messages=load_messages(self.context.storage, self.key))
        return self.made["messages"].messages or ()

    def documents(self, stage: str, model: type[Model]) -> Sequence[Document[Model]]:
        """What a stage made of this window, now or in an earlier run, with front matter of this model."""
        if stage not in self.made:
            self.made[stage] = Made(self._before.get(stage, ()))
        return [document.read_as(model) for document in self.made[stage].documents]

    def documents_before(self, stage: str, model: type[Model]) -> Sequence[Document[Model]]:
        """What a stage had made of this window before this run."""
        return [document.read_as(model) for document in self._before.get(stage, ())]

    def parts(self) -> list[list[Message]]:
        """The messages in as many parts as it takes to fit a prompt; see `split_messages`."""
        pipeline = self.context.config.pipeline
        return split_messages(
            self.key,
            self.messages,
            self.context.llm.tokens,
            budget=min(pipeline.max_prompt_tokens, FULL_CONTEXT_WINDOW_SIZE),
            max_parts=pipeline.max_parts if pipeline.split else 1,
        )
