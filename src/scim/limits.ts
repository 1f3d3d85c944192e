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
 * answered meanwhile. Some 29,000 users with one test of a single value, 18,000 with one of a list.
 */
export const MAX_SCAN_MILLISECONDS = 80

// Lists

/** Resources in a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 100
/** The most resources in a page: served as filter.maxResults by /ServiceProviderConfig. */
export const MAX_PAGE_SIZE = 1000
/**
 * Bytes of resources in a page, as they are stored, beyond which the page ends before `count`: the first resource is
 * always on it. An isolate has 128 MB, and a page needs some five times its size while it is made.
 */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** Members of a group that an answer shows: some 20 MB of JSON. A larger group is read without its members. */
export const MAX_ANSWERED_MEMBERS = 100_000
/** Characters of a sort key that a cursor holds; the rest of a longer one is read from the resource at its position. */
export const MAX_CURSOR_KEY_CHARACTERS = 256
/** Characters of a cursor: a key of 256 characters takes up to 6 bytes for each, then base64. A URL may hold 8,000. */
export const MAX_CURSOR_CHARACTERS = 2_400
/** How long a cursor is good for: longer than any client walks, too short to serve as a bookmark. */
export const CURSOR_TIMEOUT_SECONDS = 24 * 60 * 60

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
