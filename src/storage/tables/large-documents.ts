/**
 * The sizes above which a document counts as large. The indexes `users_by_size` and `groups_by_size` hold the large
 * documents, so one look-up tells that a tenant has none. The migration has the same numbers.
 */

/** The largest page of documents of this size is at most MAX_PAGE_BYTES. */
export const LARGE_USER_BYTES = 4096
/** Smaller, because `groups` of each user on a page repeats the name of a group. */
export const LARGE_GROUP_BYTES = 1024
