/**
 * Tokens that this isolate knows to be valid. The knowledge saves writes of "last used" and decides the order of the
 * work (see `isKnownValid`). It grants no access: every batch checks the token again.
 */
/** A token in a request, and the time of the request in milliseconds since 1970. */
interface Use {
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string
  readonly now: number
}

/** The client that a token belongs to. */
export interface KnownClient {
  readonly clientId: string
  /** The key that seals the cursors of the client. */
  readonly cursorKey: string
}

interface KnownToken {
  /** The last write of "last used", in milliseconds since 1970. */
  readonly usedAt: number
  /** Undefined until a check has returned it. */
  readonly client: KnownClient | undefined
  /** The last write of the position in the event feed, likewise; undefined before the first one. */
  readonly feedReadAt: number | undefined
  /** The last write of the contact of its client, likewise. */
  readonly contactAt: number | undefined
}

/** The shortest time between two writes of "last used". */
export const LAST_USED_INTERVAL_MS = 60_000
const MAX_TOKENS = 10_000

/** By hash. */
const known = new Map<string, KnownToken>()

/** Records a token that a check has found valid. @param client its client, if the check returned it */
export function recordUse({ tokenHash, now }: Use, client?: KnownClient): void {
  const before = known.get(tokenHash)
  if (!isLastUsedDue(tokenHash, now) && (before?.client !== undefined || client === undefined)) return
  // Only the oldest entry is dropped: a forgotten token costs its client a round trip.
  known.delete(tokenHash)
  const [oldest] = known.keys()
  if (known.size >= MAX_TOKENS && oldest !== undefined) known.delete(oldest)
  known.set(tokenHash, {
    usedAt: now,
    client: client ?? before?.client,
    feedReadAt: before?.feedReadAt,
    contactAt: before?.contactAt,
  })
}

/** Records that a provisioning request of a valid token was noted. */
export function recordContact({ tokenHash, now }: Use): void {
  const found = known.get(tokenHash)
  if (found !== undefined && isContactDue({ tokenHash, now }))
    known.set(tokenHash, { ...found, contactAt: now })
}

/** Whether a provisioning request is to be noted: as seldom as "last used". */
export function isContactDue({ tokenHash, now }: Use): boolean {
  return now - (known.get(tokenHash)?.contactAt ?? Number.NEGATIVE_INFINITY) >= LAST_USED_INTERVAL_MS
}

/** Records that the position of a valid token in the event feed was written. */
export function recordFeedRead({ tokenHash, now }: Use): void {
  const found = known.get(tokenHash)
  if (found !== undefined) known.set(tokenHash, { ...found, feedReadAt: now })
}

/** Whether the position in the event feed is to be written: as seldom as "last used". */
export function isFeedReadDue({ tokenHash, now }: Use): boolean {
  return now - (known.get(tokenHash)?.feedReadAt ?? Number.NEGATIVE_INFINITY) >= LAST_USED_INTERVAL_MS
}

/** Forgets a token that was refused. */
export function forgetToken({ tokenHash }: Pick<Use, 'tokenHash'>): void {
  known.delete(tokenHash)
}

/** Whether "last used" of a token is to be written again: at most once in LAST_USED_INTERVAL_MS. */
export function isLastUsedDue(tokenHash: string, now: number): boolean {
  return now - (known.get(tokenHash)?.usedAt ?? Number.NEGATIVE_INFINITY) >= LAST_USED_INTERVAL_MS
}

/**
 * True when this isolate has found the token valid and has not refused it since. Its requests then count as those of
 * the tenant, and their body may be read before the batch that checks the token.
 */
export function isKnownValid({ tokenHash }: Pick<Use, 'tokenHash'>): boolean {
  return known.has(tokenHash)
}

/** The client of a known token. It never changes. */
export function knownClient({ tokenHash }: Pick<Use, 'tokenHash'>): KnownClient | undefined {
  return known.get(tokenHash)?.client
}
