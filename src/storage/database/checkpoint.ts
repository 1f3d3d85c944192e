/**
 * A condition that is always true, for rows of a long scan at which it may be ended. Where nothing can end it, SQLite leaves
 * the condition out. Self-hosted, the thread for long reads replaces it by a function that asks whether somebody waits for
 * the result: see src/sqlite/thread.ts.
 */
export const CHECKPOINT = '1 /* checkpoint */'

/** The scan may be ended at one of so many rows. To ask at each of them would take a tenth of its time. */
export const ROWS_TO_CHECKPOINT = 256
