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

// Lists

/** Resources in a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 100
/** The most resources in a page: served as filter.maxResults by /ServiceProviderConfig. */
export const MAX_PAGE_SIZE = 1000
/** How long a cursor is good for: longer than any client walks, too short to serve as a bookmark. */
export const CURSOR_TIMEOUT_SECONDS = 24 * 60 * 60

// Groups

/**
 * Memberships of groups in groups that a tenant may hold: a tree of 1,000 groups, where 200 are the default limit of all
 * groups. Whoever walks through nested groups takes this many steps at most. A trigger holds it, so that it is true
 * whoever writes. Of the identity providers that we know, Entra provisions none.
 */
export const MAX_NESTED_MEMBERSHIPS = 1000

// Messages

/** Characters of a client's text that an error message repeats: what it repeats is logged. */
export const MAX_QUOTED_CHARACTERS = 100
