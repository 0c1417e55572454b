"""`site[w]`: this window's pages are in the built site. One build a run, over everything that is to be shown.

Here the stored tokens meet what people chose to be called: aliases, bios and avatars change pages, never posts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock

from egregora_assets.leak_check.check import LeakCheck
from egregora_assets.leak_check.names_on_pages import on_pages, shown_name
from egregora_assets.pipeline.context import Made, PipelineContext
from egregora_assets.pipeline.stage import FinalStage
from egregora_assets.pipeline.taxonomy import settle_posts
from egregora_assets.posts import shown_messages
from egregora_assets.profiles import combine_portraits
from egregora_resources.document import Document, Message, fingerprint
from egregora_resources.document_kinds import (
    BannerMatter,
    Enrichment,
    MediaEnrichment,
    MediaMatter,
    PostMatter,
)
from egregora_resources.llm.tasks import Observation
from egregora_resources.media.documents import text_of_document
from egregora_resources.media.unreadable import Unreadable
from egregora_resources.people import Member
from egregora_resources.privacy.folded_text import Folded
from egregora_resources.privacy.page_text import BLOCK
from egregora_resources.publishing import build
from egregora_resources.publishing.content import LinkView, MediaView, Person, Post, Site, WindowView
from egregora_resources.site.settings import Settings
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.documents import spoken
from egregora_resources.warehouse.facts import fact
from egregora_resources.warehouse.overrides import Override, overrides
from egregora_resources.warehouse.results import load_documents, load_messages, made_versions
from egregora_resources.warehouse.windows import StoredWindow, active_windows

FAVOURITES = 12
PERSONAL = "This document names people, or holds numbers or addresses, so it isn't shown."
NOT_READ = "This document can't be read for names and numbers, so it isn't shown."
_PICTURE = re.compile(r"\{picture ([^}\n]+)\}")


def theme_version() -> str:
    """Hash of everything that decides what pages look like, so that a new theme shows without anybody's doing."""
    root = Path(build.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return fingerprint(
        [[str(p.relative_to(root)), hashlib.sha256(p.read_bytes()).hexdigest()] for p in files]
    )


class SiteStage(FinalStage):
    name: ClassVar[str] = "site"
    after: ClassVar[tuple[str, ...]] = (
        "messages",
        "media",
        "enrichments",
        "digests",
        "profiles",
        "posts",
        "banners",
    )
    code: ClassVar[str] = f"1/{theme_version()}"
    description: ClassVar[str] = "The window's pages, in the built site."
    kinds: ClassVar[frozenset[str]] = frozenset({"mkdocs"})

    def reads(self, settings: Settings) -> Any:
        return [
            settings.site.title,
            settings.site.description,
            settings.site.language,
            settings.privacy.level,
        ]

    def state(self, context: PipelineContext) -> str:
        storage = context.storage
        with storage.connect() as connection:
            # An extender's stage behind the posts isn't read by the site, and no reason to build it anew.
            chat = fact(connection, "chat")
            stored = [
                [made for made in made_versions(connection) if made.stage in self.after],
                overrides(connection),
                [] if chat is None else [[chat]],
            ]
        members = [
            [m.token, m.opted_out, m.alias, m.bio, m.avatar, m.interests, m.website, m.twitter, m.level]
            + ([m.names] if m.level == "open" else [])
            for m in context.people.members
        ]
        return fingerprint(self.code, self.reads(context.config), stored, members)

    def missing(self, context: PipelineContext) -> bool:
        return not (context.folder.built / "index.html").exists()

    def finish(self, context: PipelineContext, keys: Sequence[str]) -> Mapping[str, Made]:
        # The lock spans reading and building: of two runs that end together, the later one shows what both made.
        with FileLock(context.folder.state / "site.lock"):
            content = assemble(context)
            views = [view for post in content.posts for view in post.media.values()]
            views += [person.avatar for person in content.people.values() if person.avatar]
            wanted = [view for view in views if view.path]

            def publish(docs: Path) -> None:
                context.media_store.publish(wanted, docs)

            report = build.build_site(
                content, context.folder.root, media=publish, prove=LeakCheck(context).gate
            )
        note = f"{len(report.notices)} pages replaced by a notice" if report.notices else ""
        return {key: Made(note=note) for key in keys}


def assemble(context: PipelineContext) -> Site:
    """Everything the site is to show, out of the warehouse."""
    storage, settings = context.storage, context.config
    people = context.people
    shown = [member for member in people.members if not member.opted_out]
    withdrawn = LeakCheck(context).forbidden
    messages = {m.id: m for m in load_messages(storage) if m.id not in withdrawn}
    views = {id: _discreet(context, view) for id, view in _media_views(storage).items()}
    decided = {override.post_id: override for override in overrides(storage)}
    posts = [
        post
        for post in load_documents(storage, "posts", PostMatter)
        if not (post.id in decided and decided[post.id].hidden)
        and withdrawn.isdisjoint(post.front_matter.sources)
    ]
    windows = active_windows(storage)
    order = {window.key: n for n, window in enumerate(windows)}
    posts.sort(key=lambda post: (order[post.window], post.front_matter.start, post.id))
    settled = settle_posts(storage, posts, people.language)
    banners = {banner.id: banner for banner in load_documents(storage, "banners", BannerMatter)}
    rendered = [
        _post(
            post,
            decided.get(post.id),
            settled[post.id],
            banners.get(post.id),
            shown_messages(messages, _body(post, decided.get(post.id)), post.front_matter.sources),
            views,
        )
        for post in posts
    ]
    notes = {made.window: made.note for made in made_versions(storage) if made.stage == "posts"}
    observations = load_documents(storage, "profiles", Observation)
    return Site(
        title=_title(context),
        description=settings.site.description,
        language=people.language,
        posts=rendered,
        people=_people(context, shown, observations, {m.author for m in messages.values()}, order),
        windows=_windows(windows, rendered, notes, context),
        timezone=settings.site.timezone,
        strict_times=settings.privacy.level == "strict",
    )


def _media_views(storage: Warehouse) -> dict[str, MediaView]:
    enrichments = [
        document.front_matter.root for document in load_documents(storage, "enrichments", Enrichment)
    ]
    alts = {note.id: note.alt for note in enrichments if isinstance(note, MediaEnrichment) and note.described}
    files = [document.front_matter for document in load_documents(storage, "media", MediaMatter)]
    return {file.media: replace(file.view, alt=alts.get(file.media, file.view.alt)) for file in files}


def _discreet(context: PipelineContext, view: MediaView) -> MediaView:
    """A shared document only if it holds nothing that a message's text mustn't."""
    if view.kind != "document" or not view.path:
        return view
    extension, original = Path(view.path).suffix.removeprefix("."), context.media_store.original(view.id)
    try:
        text = text_of_document(original, extension) if original else ""
    except Unreadable:
        return replace(view, path=None, missing=NOT_READ)
    for part in set(text.split(BLOCK)):
        if any(not finding.doubtful for finding in context.scrubber.find(Folded(part))):
            return replace(view, path=None, missing=PERSONAL)
    return view


def _post(
    post: Document[PostMatter],
    override: Override | None,
    settled: tuple[str, list[str]],
    banner: Document[BannerMatter] | None,
    shown: Mapping[int, Message],
    views: Mapping[str, MediaView],
) -> Post:
    known = post.front_matter
    decided = override or Override(post.id)
    text = _body(post, override)
    sent = [message.media for message in shown.values() if message.media]
    return Post(
        id=post.id,
        slug=post.slug or post.id,
        window=post.window,
        title=decided.title or known.title,
        dek=known.dek,
        body=text,
        start=known.start,
        end=known.end,
        language=known.language,
        category=settled[0],
        tags=settled[1],
        people=known.people,
        messages=shown,
        media={media: views[media] for media in [*_PICTURE.findall(text), *sent] if media in views},
        links={url: LinkView(url, link.title, link.summary) for url, link in known.links.items()},
        banner=banner.body if banner and banner.front_matter.format == "svg" else "",
        banner_picture=banner.body if banner and banner.front_matter.format == "webp" else "",
        automatic=known.extract,
        banner_alt=banner.front_matter.alt if banner else "",
        so_far=known.so_far,
        pinned=decided.pinned,
    )


def _body(post: Document, override: Override | None) -> str:
    """As the owner rewrote it, or as it was written."""
    return (override.body if override else None) or post.body


def _people(
    context: PipelineContext,
    members: Sequence[Member],
    observations: Sequence[Document[Observation]],
    spoke: Collection[str],
    order: Mapping[str, int],
) -> dict[str, Person]:
    portraits = combine_portraits(observations, [member.token for member in members])
    pictures = context.media
    scrub = context.scrubber.scrub
    people: dict[str, Person] = {}
    for member in map(on_pages, members):
        if member.token not in spoke:
            continue
        portrait = portraits[member.token]
        avatar = member.avatar or ""
        person = Person(
            token=member.token,
            name=shown_name(member, context.people, context.config),
            bio=scrub(member.bio or ""),
            avatar=context.media_store.view(avatar, *pictures[avatar]) if avatar in pictures else None,
            interests=scrub(member.interests or ""),
            website=member.website if member.website and scrub(member.website) == member.website else "",
            twitter=member.twitter if member.twitter and scrub(member.twitter) == member.twitter else "",
        )
        people[member.token] = replace(
            person,
            messages=portrait.messages,
            words=portrait.words,
            first=portrait.first,
            last=portrait.last,
            hours=portrait.hours if portrait.messages and member.level != "strict" else (),
            strict_times=member.level == "strict",
            weeks=sorted(portrait.weeks.items(), key=lambda pair: order.get(pair[0], 0)),
            topics=[topic for topic, _ in portrait.topics.most_common(FAVOURITES)],
            talks_with=portrait.talks_with.most_common(),
            favourite_words=portrait.favourite_words.most_common(FAVOURITES),
            notes=portrait.notes,
            portrait=portrait.portrait,
        )
    return people


def _title(context: PipelineContext) -> str:
    """The title as set, or the chat's name, unless that names somebody."""
    chat = context.storage.fact("chat") or ""
    unnamed = chat if context.scrubber.scrub(chat) == chat else ""
    return context.config.site.title or unnamed or "Our chat"


def _windows(
    windows: Sequence[StoredWindow],
    posts: Sequence[Post],
    notes: Mapping[str, str],
    context: PipelineContext,
) -> list[WindowView]:
    said = spoken(context.storage)
    slugs: dict[str, list[str]] = {}
    for post in posts:
        slugs.setdefault(post.window, []).append(post.slug)
    return [
        WindowView(
            key=window.key,
            label=window.key,
            start=window.start,
            end=window.end,
            messages=said[window.key].messages if window.key in said else 0,
            people=said[window.key].people if window.key in said else [],
            posts=slugs.get(window.key, []),
            note=notes.get(window.key, ""),
        )
        for window in windows
    ]
