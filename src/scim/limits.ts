/**
 * Every limit on what one request may hold and what it may cost: the value, its unit and the reason. The names
 * of constants end in their unit. docs/limits.md has the same table, and a test compares the two.
 *
 * Limits of the platform (statements of a batch, bytes of a row) are in storage/database.ts, beside their source.
 */

// Requests

/** The largest request body, bulk requests included: some 25,000 members in one PATCH. */
export const MAX_BODY_BYTES = 1024 * 1024
/** How long a body may take to arrive: 35 kB a second for the largest. A slow one holds memory meanwhile. */
export const BODY_TIMEOUT_SECONDS = 30
/** Bytes of request bodies that one process holds until they are answered: parsed, they take about ten times as much. */
export const MAX_HELD_BODY_BYTES = 64 * 1024 * 1024
/** The part of them that is one tenant's, so that no client takes all: sixteen of the largest bodies. */
export const MAX_HELD_BODY_BYTES_PER_TENANT = 16 * 1024 * 1024
/** A body of the admin API, or a form of the dashboard: names and numbers. An import has no limit. */
export const MAX_ADMIN_BODY_BYTES = 64 * 1024
/** Operations in a bulk request: each costs up to two round trips, and they run one after another. */
export const MAX_BULK_OPERATIONS = 100
/** Levels of objects and arrays in a body. A bulk request that adds a manager to a user has nine. */
export const MAX_JSON_DEPTH = 32
/** Members of one object in a body. No resource type has 100 attributes; 100,000 take 0.2 s to read. */
export const MAX_JSON_MEMBERS = 1000
/**
 * Work that one request may make for the core, in units of one character that is folded, compared or copied: see
 * work.ts. A body of MAX_BODY_BYTES full of members needs 2.8 million; all of it takes some 50 ms. 100 ordinary users in a
 * bulk request need 40,000, a change of the largest user that is stored a million.
 */
export const MAX_WORK_UNITS = 4_000_000

// Values

/**
 * UTF-16 code units in a value that names, or that lists are looked up and sorted by: most attributes. No directory is
 * known to hold longer ones (Entra ends at 256, an e-mail address at 320), and indexes and cursors hold it twice more.
 */
export const MAX_NAME_CHARACTERS = 1024
/** The same in free text, certificates and pictures as data URLs: a thumbnail of 48 KB. A larger one is a link. */
export const MAX_TEXT_CHARACTERS = 64 * 1024
/** Elements of a multi-valued attribute other than `members`: each may be looked at by each operation of a PATCH. */
export const MAX_ELEMENTS = 1000
/** Members of a group in one operation, or in a whole group that is sent: MAX_BODY_BYTES hold 27,000 ids. */
export const MAX_MEMBERS = 30_000

// Filters

/** Levels of parentheses, `not` and brackets. A database refuses expressions much deeper than this. */
export const MAX_FILTER_DEPTH = 32
/** The values of a filter travel to the database, which takes 2 MB in a parameter. */
export const MAX_FILTER_CHARACTERS = 64 * 1024
/** Comparisons and `pr` tests in one filter. */
export const MAX_FILTER_COMPARISONS = 100

/** Characters that `co` looks for: SQLite compares them anew at each place of a value. Other operators read a value once. */
export const MAX_SUBSTRING_CHARACTERS = 1024
/**
 * Processor time, as estimated, of a list that no index answers: in the process on Node.js and Deno, where nobody else is
 * answered meanwhile. Some 49,000 users with one test of a single value, 38,000 with one of a list.
 */
export const MAX_SCAN_MILLISECONDS = 80

// Lists

/** Names in `attributes`, and in `excludedAttributes`: a resource type has fewer than 100. */
export const MAX_ATTRIBUTE_NAMES = 500
/** Resources in a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 100
/** The most resources in a page: served as filter.maxResults by /ServiceProviderConfig. */
export const MAX_PAGE_SIZE = 1000
/**
 * Bytes of resources in a page, as they are stored, beyond which the page ends before `count`: the first resource is
 * always on it. An isolate has 128 MB, and a page needs some five times its size while it is made.
 */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024
/**
 * Members of a group that are read as a whole, to be shown, replaced or compared: each takes some 3.3 µs to be shown, and
 * 1.5 µs to be removed, and on Node.js nobody else is answered meanwhile. A larger group is read without its members, and
 * changed by naming them.
 */
export const MAX_LOADED_MEMBERS = 25_000
/** Bytes of the documents in which their names are looked up, in a directory of large ones: 1 to 2 ns for each. */
export const MAX_MEMBER_DOCUMENT_BYTES = 16 * 1024 * 1024
/** Characters of a sort key that a cursor holds; the rest of a longer one is read from the resource at its position. */
export const MAX_CURSOR_KEY_CHARACTERS = 256
/** Characters of a cursor: a key of 256 characters takes up to 6 bytes for each, then base64. A URL may hold 8,000. */
export const MAX_CURSOR_CHARACTERS = 2_400
/** How long a cursor is good for: longer than any client walks, too short to serve as a bookmark. */
export const CURSOR_TIMEOUT_SECONDS = 24 * 60 * 60

// Schema extensions of a tenant

/** Attributes in all extension schemas of a tenant, removed ones included: each is looked for in each resource. */
export const MAX_EXTENSION_ATTRIBUTES = 50
/** Those of them that an index finds: as many columns for it as the tables of resources have. */
export const MAX_INDEXED_ATTRIBUTES = 5
/** Sub-attributes of one attribute. The largest of RFC 7643, `addresses`, has eight. */
export const MAX_SUB_ATTRIBUTES = 20
/** Extension schemas of a tenant, removed ones included: each may be looked for at the beginning of each path. */
export const MAX_EXTENSION_SCHEMAS = 20
/** Characters of the URN of a schema: it is repeated in each resource that has a value, and in each path. */
export const MAX_SCHEMA_URN_CHARACTERS = 256
/** Characters of the name of an attribute. The longest of RFC 7643 has 17. */
export const MAX_ATTRIBUTE_NAME_CHARACTERS = 64
/** Characters of a description. */
export const MAX_DESCRIPTION_CHARACTERS = 1000
/** Canonical values of one attribute: they are suggestions for a form. */
export const MAX_CANONICAL_VALUES = 100
/** Characters of all extension schemas of a tenant as JSON: each isolate that serves the tenant reads and holds them. */
export const MAX_EXTENSION_CHARACTERS = 64 * 1024

// Groups

/**
 * Memberships of groups in groups that a tenant may hold: a tree of 1,000 groups, where 200 are the default limit of all
 * groups. Whoever walks through nested groups takes this many steps at most. A trigger holds it, so that it is true
 * whoever writes. Of the identity providers that we know, Entra provisions none.
 */
export const MAX_NESTED_MEMBERSHIPS = 1000

// Answers (self-hosted: on Cloudflare the platform holds them)

/** Bytes of large answers that wait for their clients to read them, of one process: a page of each of 32 readers. */
export const MAX_UNREAD_ANSWER_BYTES = 128 * 1024 * 1024
/** The same of one tenant, so that clients that do not read make no other tenant wait. */
export const MAX_TENANT_UNREAD_ANSWER_BYTES = 32 * 1024 * 1024
/** From this many characters on an answer is large: it is counted, and handed over as fast as it is read. */
export const MIN_LARGE_ANSWER_CHARACTERS = 64 * 1024
/** The slowest that a client may read a large answer, in bytes for each second, after the seconds below. */
export const MIN_ANSWER_BYTES_PER_SECOND = 64 * 1024
/** How long a client may take to read any answer, however short. */
export const ANSWER_TIMEOUT_SECONDS = 30

// Messages

/** Characters of a client's text that an error message repeats: what it repeats is logged. */
export const MAX_QUOTED_CHARACTERS = 100
/** Unknown members that an error message names; the rest is counted. */
export const MAX_NAMED_IDS = 20

// The provisioning log: what one write leaves in it. Columns are cut to these where the entry is made.

/** Characters of a client's X-Request-Id: a UUID has 36. A longer one is replaced by one of ours. */
export const MAX_REQUEST_ID_CHARACTERS = 128
/** Characters of a userName or displayName: enough to recognise it, and an e-mail address has at most 254. */
export const MAX_LOGGED_NAME_CHARACTERS = 256
/** Characters of the id in a path: ours have 36, a client can send any. */
export const MAX_LOGGED_ID_CHARACTERS = 100
/** Characters of the reason for a refusal. */
export const MAX_LOGGED_DETAIL_CHARACTERS = 1_000
/** Characters of one text in a change: more of a photo or a description helps no reader. */
export const MAX_LOGGED_TEXT_CHARACTERS = 2_000
/** Characters of one changed value as JSON, such as a list: some 1,000 ids of members. */
export const MAX_LOGGED_VALUE_CHARACTERS = 40_000
/** Characters of all changes of an entry as JSON, the old and the new values together. */
export const MAX_LOGGED_CHANGES_CHARACTERS = 64 * 1024
/** Characters of all names of ignored attributes. */
export const MAX_LOGGED_IGNORED_CHARACTERS = 2_000
/**
 * Refused writes of a token that have an entry of their own in one minute: more than an identity provider sends when
 * each of its writes fails. Those beyond it share an entry for each action, type and answer.
 */
export const MAX_REFUSED_ENTRIES_PER_MINUTE = 200
/**
 * Bytes of a tenant's log, some 300,000 entries: beyond it the oldest go as new ones come. The value is in
 * migrations/0008_log_bounds.sql too, where a trigger holds it.
 */
export const MAX_LOG_BYTES = 256 * 1024 * 1024
/** Ignored names that an entry of the log holds. A body can hold 100,000 of them; an administrator reads the first. */
export const MAX_IGNORED_NAMES = 100

// Import

/** Characters in a line of an import: it holds one resource, which the database holds in one row. */
export const MAX_IMPORT_LINE_CHARACTERS = 2_000_000
/** The latest time of an imported resource: the end of the year 9999, the last that a SCIM dateTime can name. */
export const MAX_IMPORT_TIME_MS = 253_402_300_799_999
/** The highest version of an imported resource: it can still rise for ever, and an entity tag can name it. */
export const MAX_IMPORT_VERSION = 999_999_999_999
