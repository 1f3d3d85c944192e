/**
 * Documents above these sizes are in the indexes `users_by_size` and `groups_by_size`, by which a tenant is known to have
 * none. The migration has the same numbers.
 */

/** As many of this size as the largest page holds are MAX_PAGE_BYTES at most. */
export const LARGE_USER_BYTES = 4096
/** Smaller, because `groups` of each user on a page repeats the name of a group. */
export const LARGE_GROUP_BYTES = 1024
