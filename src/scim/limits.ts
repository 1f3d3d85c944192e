/**
 * Every limit on what one request may hold and what it may cost: the value, its unit and the reason. The names
 * of constants end in their unit. README.md has the same table, and a test compares the two.
 *
 * Limits of the platform (statements of a batch, bytes of a row) are in storage/database.ts, beside their source.
 */

// Requests

/** The largest request body, bulk requests included: some 25,000 members in one PATCH. */
export const MAX_BODY_BYTES = 1024 * 1024
/** Operations in a bulk request: each costs up to two round trips, and they run one after another. */
export const MAX_BULK_OPERATIONS = 100
/** Levels of objects and arrays in a body. A bulk request that adds a manager to a user has nine. */
export const MAX_JSON_DEPTH = 32
/** Members of one object in a body. No resource type has 100 attributes; 100,000 take 0.2 s to read. */
export const MAX_JSON_MEMBERS = 1000
/**
 * Work that one request may make for the core, in units of one character that is folded, compared or copied: see
 * work.ts. A body of MAX_BODY_BYTES full of members needs 2.8 million; all of it takes some 50 ms.
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

// Lists

/** Names in `attributes`, and in `excludedAttributes`: a resource type has fewer than 100. */
export const MAX_ATTRIBUTE_NAMES = 500
/** Resources in a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 100
/** The most resources in a page: served as filter.maxResults by /ServiceProviderConfig. */
export const MAX_PAGE_SIZE = 1000
/** How long a cursor is good for: longer than any client walks, too short to serve as a bookmark. */
export const CURSOR_TIMEOUT_SECONDS = 24 * 60 * 60

// Messages

/** Characters of a client's text that an error message repeats: what it repeats is logged. */
export const MAX_QUOTED_CHARACTERS = 100
/** Unknown names that an entry of the provisioning log tells: an administrator reads the first. */
export const MAX_IGNORED_NAMES = 100
/** Unknown members that an error message names; the rest is counted. */
export const MAX_NAMED_IDS = 20
