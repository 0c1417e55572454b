-- Every table of the warehouse. Raw tables hold printed names and text as sent: they are read by import,
-- fingerprints, `messages`, `media`, `inspect`, the privacy check and `forget`, and by nothing else.

-- raw: one row a file that was imported
CREATE TABLE IF NOT EXISTS export_files (
    digest TEXT PRIMARY KEY,          -- sha256 of the container
    sequence INTEGER NOT NULL,        -- order of import
    file_name TEXT NOT NULL,
    chat TEXT NOT NULL,
    messages BIGINT NOT NULL,
    first_message TIMESTAMP,
    last_message TIMESTAMP,
    first_id BIGINT,                  -- of its messages as numbered in this export alone
    last_id BIGINT,
    seconds BOOLEAN NOT NULL,         -- its clock shows them
    modified TIMESTAMP,               -- when the phone wrote it, if known: breaks ties between exports
    date_order TEXT,
    confidence DOUBLE,
    not_understood BIGINT NOT NULL,
    new_messages BIGINT NOT NULL,
    changed_messages BIGINT NOT NULL,
    absent_messages BIGINT NOT NULL,  -- known before, merely missing in this export: kept
    imported_at TIMESTAMP NOT NULL
);

-- raw: lines of an export that could not be understood, kept as they stand
CREATE TABLE IF NOT EXISTS lines_not_understood (
    digest TEXT NOT NULL,
    line TEXT NOT NULL
);

-- raw: the merged log; `id` is minute × 1,000,000 + position, so that ids sort in the order of the log
-- How it is kept is told, since to try all compressions takes most of an import's time.
CREATE TABLE IF NOT EXISTS raw_messages (
    id BIGINT NOT NULL,
    ts TIMESTAMP NOT NULL,            -- wall clock as printed
    name TEXT USING COMPRESSION dictionary, -- printed name; NULL for notices
    kind TEXT NOT NULL USING COMPRESSION dictionary,
    text TEXT NOT NULL USING COMPRESSION uncompressed,
    attachment TEXT USING COMPRESSION uncompressed,
    edited BOOLEAN NOT NULL,
    deleted BOOLEAN NOT NULL,
    media_omitted BOOLEAN NOT NULL,
    data TEXT USING COMPRESSION uncompressed
);

-- raw: minutes in which exports differ: which exports cover them, and what each of them has there.
-- In all other minutes every export that covers them has exactly the log's rows (those whose clock shows no
-- seconds have them without).
CREATE TABLE IF NOT EXISTS minute_members (
    minute BIGINT NOT NULL,
    digest TEXT NOT NULL,
    source TEXT NOT NULL              -- whose rows of minute_versions these are; none if it has no message there
);
CREATE TABLE IF NOT EXISTS minute_versions (
    minute BIGINT NOT NULL,           -- as printed
    digest TEXT NOT NULL,
    id BIGINT NOT NULL,               -- as numbered in that export alone
    ts TIMESTAMP NOT NULL,
    name TEXT,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    attachment TEXT,
    edited BOOLEAN NOT NULL,
    deleted BOOLEAN NOT NULL,
    media_omitted BOOLEAN NOT NULL,
    data TEXT
);
-- where an export's clock didn't agree with the order of its messages: minutes that are ordered together
CREATE TABLE IF NOT EXISTS clock_knots (
    digest TEXT NOT NULL,
    first_minute BIGINT NOT NULL,     -- as printed
    last_minute BIGINT NOT NULL,      -- by its place in the file
    whole BOOLEAN NOT NULL            -- with all the minutes between
);
-- raw: the names that each export prints, in order of appearance
CREATE TABLE IF NOT EXISTS export_names (
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL
);
-- texts (hashed) that two exports print under different names in the same minute
CREATE TABLE IF NOT EXISTS common_texts (
    name TEXT NOT NULL,
    other TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    length INTEGER NOT NULL
);

-- raw: persons, and the names under which exports print them
CREATE TABLE IF NOT EXISTS authors (
    author_id TEXT PRIMARY KEY,       -- keyed hash of the first name known
    token TEXT NOT NULL UNIQUE        -- pseudonym, e.g. amber-heron
);
CREATE TABLE IF NOT EXISTS author_names (
    name TEXT PRIMARY KEY,
    author_id TEXT NOT NULL
);

-- what members decided in the chat (source 'chat') or the owner did for them ('owner', which wins)
CREATE TABLE IF NOT EXISTS decisions (
    author_id TEXT NOT NULL,
    source TEXT NOT NULL,
    alias TEXT, bio TEXT, avatar TEXT, interests TEXT, website TEXT, twitter TEXT,
    opted_out BOOLEAN,
    opted_out_at BIGINT,              -- the message that opted out: outlives its deletion from the chat
    level TEXT,                       -- strict, standard or open; only the owner sets it
    PRIMARY KEY (author_id, source)
);
-- Keyed hashes of the names of people who were forgotten, so that no import brings them back: see `privacy.forgotten`.
CREATE TABLE IF NOT EXISTS forgotten (
    hash TEXT NOT NULL,
    person TEXT NOT NULL,             -- random; what keeps one forgotten person's messages apart from another's
    form TEXT NOT NULL,               -- of the name: printed, number, or a form that texts are searched for
    words INTEGER NOT NULL,           -- of that form; of a script without spaces, its characters
    PRIMARY KEY (hash, form)
);

-- raw: the attachments that came with each export. Two phones may give one name to different files.
CREATE TABLE IF NOT EXISTS media (
    digest TEXT NOT NULL,             -- of the export
    name TEXT NOT NULL,               -- as the export's messages refer to it
    id TEXT NOT NULL,                 -- in the media store; empty if the file couldn't be read
    kind TEXT NOT NULL,
    extension TEXT NOT NULL,
    size BIGINT NOT NULL,
    crc BIGINT,                       -- of a zip's member: tells a file that is known already without reading it
    PRIMARY KEY (digest, name)
);
-- The file of each message of the log: out of the exports that have the message, the file of the one that counts most
-- when they differ (see `rank_exports` and `settle` of the chat log), whatever the order of import.
CREATE VIEW IF NOT EXISTS message_media AS
WITH exports AS (
    SELECT digest, first_id // 1000000 AS first_minute, last_id // 1000000 AS last_minute, row_number() OVER (
        ORDER BY last_id // 1000000, modified NULLS LAST, messages, sequence) AS rank
    FROM export_files WHERE digest IN (SELECT digest FROM media)
), attached AS (
    SELECT id AS message, id // 1000000 AS minute, epoch_ms(ts) // 60000 AS printed, author_id, attachment,
        count(*) OVER (PARTITION BY printed, author_id) AS together
    FROM raw_messages LEFT JOIN author_names USING (name) WHERE attachment IS NOT NULL
), versions AS (
    SELECT m.digest, epoch_ms(v.ts) // 60000 AS printed, author_id, v.attachment,
        count(*) OVER (PARTITION BY m.digest, printed, author_id) AS together
    FROM minute_members m JOIN minute_versions v ON v.minute = m.minute AND v.digest = m.source
    LEFT JOIN author_names USING (name) WHERE v.attachment IS NOT NULL
), holders AS (
    -- Where exports agree, each that covers the minute has the message.
    SELECT a.message, a.attachment, e.digest, a.attachment AS name
    FROM attached a JOIN exports e ON a.minute BETWEEN e.first_minute AND e.last_minute
    WHERE a.minute NOT IN (SELECT minute FROM minute_members)
    UNION ALL
    -- Elsewhere those that have it under this name; or under another, if it is the person's only one of the minute.
    SELECT a.message, a.attachment, v.digest, v.attachment AS name
    FROM attached a JOIN versions v
    ON v.printed = a.printed AND coalesce(v.author_id, '') = coalesce(a.author_id, '')
    AND (v.attachment = a.attachment OR (a.together = 1 AND v.together = 1))
)
SELECT message, attachment, m.id, kind, extension, m.size
FROM holders h JOIN exports USING (digest) JOIN media m USING (digest, name)
QUALIFY row_number() OVER (PARTITION BY message
    ORDER BY m.id <> '' DESC, h.name = attachment DESC, rank DESC, m.id) = 1;

-- a window is a range of message ids
CREATE TABLE IF NOT EXISTS windows (
    key TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    first_id BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    start_time TIMESTAMP NOT NULL,    -- of the calendar span, or of the first message
    end_time TIMESTAMP NOT NULL,      -- exclusive for calendar spans, else of the last message
    messages BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    content TEXT NOT NULL,            -- fingerprint of the raw content
    touched TEXT NOT NULL,            -- fingerprint of the people who speak or are named in it
    reported TEXT,                    -- data version that the asset graph was last told
    retired BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS window_people (
    window_key TEXT NOT NULL,
    author_id TEXT NOT NULL,
    messages BIGINT NOT NULL,         -- 0: only named in the text
    named BOOLEAN NOT NULL            -- a text may hold their name
);

-- anonymised
CREATE TABLE IF NOT EXISTS messages (
    window_key TEXT NOT NULL,
    id BIGINT NOT NULL,
    ts TIMESTAMP NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    media TEXT,
    edited BOOLEAN NOT NULL,
    data TEXT
);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    window_key TEXT NOT NULL,
    slug TEXT,
    front_matter TEXT NOT NULL,
    body TEXT NOT NULL,
    stage TEXT NOT NULL,
    PRIMARY KEY (stage, kind, id)     -- an extender's stage may hand on documents of another's kind and id
);
CREATE TABLE IF NOT EXISTS vocabulary (
    kind TEXT NOT NULL,               -- category or tag
    term TEXT NOT NULL,
    first_window TEXT NOT NULL,
    PRIMARY KEY (kind, term)
);

-- terms of posts that mean another: what readers see instead. They go with the posts that brought them.
CREATE TABLE IF NOT EXISTS synonyms (
    kind TEXT NOT NULL,
    term TEXT NOT NULL,
    stays TEXT NOT NULL,
    PRIMARY KEY (kind, term)
);

-- what the owner decided about a post; re-runs respect it
CREATE TABLE IF NOT EXISTS overrides (
    post_id TEXT PRIMARY KEY,
    hidden BOOLEAN NOT NULL DEFAULT FALSE,
    pinned BOOLEAN NOT NULL DEFAULT FALSE,
    title TEXT,
    body TEXT
);

-- the outcome of each stage for each window
CREATE TABLE IF NOT EXISTS stage_results (
    stage TEXT NOT NULL,
    window_key TEXT NOT NULL,
    status TEXT NOT NULL,             -- done, skipped, failed, or withdrawn: what was made is gone
    fingerprint TEXT NOT NULL,        -- of what it was made from
    data_version TEXT NOT NULL,       -- of what was made; empty for failures
    parts TEXT NOT NULL,              -- JSON: the fingerprint's parts, to tell why it differs
    reason TEXT NOT NULL,             -- why it was run
    note TEXT NOT NULL,               -- why it was skipped, or what it has to say
    error TEXT NOT NULL,
    degraded TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    usd DOUBLE NOT NULL,
    seconds DOUBLE NOT NULL,
    documents INTEGER NOT NULL,
    finished_at TIMESTAMP NOT NULL,
    run_id TEXT NOT NULL,
    reported BOOLEAN NOT NULL,        -- the asset graph has its event
    PRIMARY KEY (stage, window_key)
);
CREATE TABLE IF NOT EXISTS claims (
    window_key TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started DOUBLE NOT NULL,
    claimed_at TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (
    key TEXT PRIMARY KEY,             -- secret, layout, provider, chat, site …
    value TEXT NOT NULL
);
