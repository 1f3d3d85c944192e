/**
 * The public keys of issuers, by the URL of their JWK Set. They are cached in the isolate or process, and a caller may have
 * stored the keys that it used last.
 *
 * A set is fetched again after some minutes, and for an unknown key, but at most once a minute: strangers can make up key
 * ids, and must not cause requests to the issuer. While the issuer cannot be reached, its last keys are used for a day.
 *
 * A URL must come from the configuration and never from a token. Redirects are not followed.
 */
import { readBounded } from './bounded-body.ts'
import { type Algorithm, type PublicKey, publicKeysOf } from './public-key.ts'

/** The keys of a JWK Set. */
export interface KeySet {
  readonly keys: readonly PublicKey[]
  /** Milliseconds since 1970. */
  readonly fetchedAt: number
}

export interface KeySource {
  readonly url: string
  readonly fetch: typeof fetch
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The keys that the caller has stored. They are used for this call alone, because other callers may not trust them. */
  readonly stored?: KeySet | undefined
}

/** The keys could not be fetched, and none are cached. The message says why. */
export class KeysUnavailable extends Error {}

/** A key that its issuer removes is accepted for this long, unless the issuer cannot be reached. */
const FRESH_MS = 10 * 60_000
/** The least time between two requests to one URL. */
const REFETCH_MS = 60_000
/** How long keys are used while they cannot be fetched. */
const MAX_AGE_MS = 24 * 60 * 60_000
const TIMEOUT_MS = 5_000
const MAX_BYTES = 100_000
/** The sets that were used last are kept. Tenants with one identity provider may share a set. */
const MAX_SETS = 1_000

interface Entry {
  set: KeySet | undefined
  /** When the last request began. */
  requestedAt: number
  /** Why the last request failed; undefined if it succeeded. */
  failure: KeysUnavailable | undefined
  /** The current request. It may never end: see `refresh`. */
  pending: Promise<void> | undefined
}

const entries = new Map<string, Entry>()

/**
 * The key that a token names, with the set that has it.
 *
 * @returns undefined if the issuer has no such key
 * @throws {KeysUnavailable} also if the key is unknown and the issuer cannot be asked
 */
export async function findKey(
  source: KeySource,
  kid: string,
  alg: Algorithm,
): Promise<{ readonly key: PublicKey; readonly set: KeySet } | undefined> {
  const entry = entryOf(source.url)
  const find = (maxAgeMs: number) => {
    const now = source.now()
    const set = latest(notAfter(now, entry.set), notAfter(now, source.stored))
    const key = set?.keys.find((one) => one.kid === kid && one.alg === alg)
    return set !== undefined && key !== undefined && isWithin(maxAgeMs, set.fetchedAt, now)
      ? { key, set }
      : undefined
  }
  const fresh = find(FRESH_MS)
  if (fresh !== undefined) return fresh
  const failure = await refresh(entry, source)
  const found = find(MAX_AGE_MS)
  if (found === undefined && failure !== undefined) throw failure
  return found
}

function entryOf(url: string): Entry {
  const known = entries.get(url)
  // Puts the entry at the end: the first one is the one that was not used for the longest time.
  entries.delete(url)
  const entry = known ?? {
    set: undefined,
    requestedAt: Number.NEGATIVE_INFINITY,
    failure: undefined,
    pending: undefined,
  }
  entries.set(url, entry)
  const [oldest] = entries.keys()
  if (entries.size > MAX_SETS && oldest !== undefined) entries.delete(oldest)
  return entry
}

/**
 * Undefined for a set that was fetched in the future: the clock was set back, or that of the server which stored the set is
 * ahead. Otherwise it would hide a set that is fetched now.
 */
function notAfter(now: number, set: KeySet | undefined): KeySet | undefined {
  return set !== undefined && set.fetchedAt <= now ? set : undefined
}

function latest(a: KeySet | undefined, b: KeySet | undefined): KeySet | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a.fetchedAt >= b.fetchedAt ? a : b
}

/** False for a time in the future: the clock was set back then. */
function isWithin(ms: number, since: number, now: number): boolean {
  return now >= since && now - since < ms
}

/**
 * Fetches the set, unless it was requested in the last minute. Concurrent calls share one request.
 *
 * On Workers, a request to an issuer is cancelled with the request of the client that caused it, and its promise then never
 * settles. Therefore each call has its own timer.
 *
 * @returns why the last request failed; undefined if it succeeded
 */
async function refresh(entry: Entry, source: KeySource): Promise<KeysUnavailable | undefined> {
  const { url, now, stored } = source
  if (stored !== undefined && isWithin(REFETCH_MS, stored.fetchedAt, now())) return undefined
  const { pending } = entry
  if (pending !== undefined && isWithin(TIMEOUT_MS, entry.requestedAt, now())) {
    await withTimeout(() => pending)
  } else if (!isWithin(REFETCH_MS, entry.requestedAt, now())) {
    entry.requestedAt = now()
    // Holds until there is an answer.
    entry.failure = new KeysUnavailable(`${url} did not answer within ${TIMEOUT_MS / 1000} seconds`)
    entry.pending = request(entry, source)
    await entry.pending
    entry.pending = undefined
  }
  return entry.failure
}

async function request(entry: Entry, source: KeySource): Promise<void> {
  try {
    const keys = await withTimeout((signal) => fetchKeys(source, signal))
    if (keys === undefined) return
    entry.set = { keys, fetchedAt: source.now() }
    entry.failure = undefined
  } catch (cause) {
    entry.failure =
      cause instanceof KeysUnavailable
        ? cause
        : new KeysUnavailable(`${source.url} cannot be reached`, { cause })
  }
}

/** @returns undefined when the time is up. The signal then ends the task. */
async function withTimeout<Result>(
  task: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const expiry = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined)
      controller.abort()
    }, TIMEOUT_MS)
  })
  try {
    return await Promise.race([task(controller.signal), expiry])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

/** @throws {KeysUnavailable} if the answer is not a JWK Set */
async function fetchKeys({ url, fetch }: KeySource, signal: AbortSignal): Promise<readonly PublicKey[]> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal,
    headers: { Accept: 'application/jwk-set+json, application/json' },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new KeysUnavailable(`${url} answered with status ${response.status}`)
  }
  const keys = publicKeysOf(parse(await readText(url, response)))
  if (keys === undefined) throw new KeysUnavailable(`${url} did not answer with a JWK Set`)
  return keys
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @throws {KeysUnavailable} if the body is too large */
async function readText(url: string, { body }: Response): Promise<string> {
  const text = await readBounded(body, MAX_BYTES)
  if (text === undefined) throw new KeysUnavailable(`${url} answered with more than ${MAX_BYTES} bytes`)
  return text
}
