/**
 * Tokens that this isolate has seen valid. That saves writes of "last used" and orders the work (see `isKnownValid`); it
 * lets nobody in: every batch checks the token again.
 */
/** A token in a request, of that moment in milliseconds since 1970. */
interface Use {
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string
  readonly now: number
}

/** The client that a token belongs to, as a check has told it. */
export interface KnownClient {
  readonly clientId: string
  /** Seals the cursors of the client. */
  readonly cursorKey: string
}

interface KnownToken {
  /** When "last used" was last written, in milliseconds since 1970. */
  readonly usedAt: number
  /** Undefined until a check has told it. */
  readonly client: KnownClient | undefined
}

/** "Last used" is written at most once in this time. */
export const LAST_USED_INTERVAL_MS = 60_000
const MAX_TOKENS = 10_000

/** By hash. */
const known = new Map<string, KnownToken>()

/** To be called when the token was seen valid. @param client its client, if the check told it */
export function recordUse({ tokenHash, now }: Use, client?: KnownClient): void {
  const before = known.get(tokenHash)
  if (!isLastUsedDue(tokenHash, now) && (before?.client !== undefined || client === undefined)) return
  // The one that was noted first goes, and no more: a token that is forgotten costs its client a round trip.
  known.delete(tokenHash)
  const [oldest] = known.keys()
  if (known.size >= MAX_TOKENS && oldest !== undefined) known.delete(oldest)
  known.set(tokenHash, { usedAt: now, client: client ?? before?.client })
}

/** To be called when the token was refused: it is no longer one that was seen valid. */
export function forgetToken({ tokenHash }: Pick<Use, 'tokenHash'>): void {
  known.delete(tokenHash)
}

export function isLastUsedDue(tokenHash: string, now: number): boolean {
  return now - (known.get(tokenHash)?.usedAt ?? Number.NEGATIVE_INFINITY) >= LAST_USED_INTERVAL_MS
}

/**
 * True when this isolate has seen the token valid, and not refused since: then its requests are those of the tenant,
 * and its body may be read before the batch that checks it.
 */
export function isKnownValid({ tokenHash }: Pick<Use, 'tokenHash'>): boolean {
  return known.has(tokenHash)
}

/** The client of a token that was seen valid. It never changes. */
export function knownClient({ tokenHash }: Pick<Use, 'tokenHash'>): KnownClient | undefined {
  return known.get(tokenHash)?.client
}
