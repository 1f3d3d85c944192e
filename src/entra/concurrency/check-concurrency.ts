/**
 * Checks whether an endpoint loses updates of concurrent clients: runs each race on objects that it creates, counts
 * what was acknowledged and lost, and deletes the objects afterwards. Requests go through an injected fetch.
 */
import type { Clock, NewId } from '../clock.ts'
import type { Fetch } from '../protocol/fetch.ts'
import type { Dialect } from '../protocol/requests.ts'
import { ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import { attributeRace } from './attribute-race.ts'
import { createRaces } from './create-races.ts'
import { memberRaces } from './member-races.ts'
import { type Race, type RaceContext, RaceObjects, type RaceResult, UnpreparedRace } from './race.ts'

/** The number of clients by default. */
export const DEFAULT_CLIENTS = 40

export interface ConcurrencyOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  readonly dialect: Dialect
  /** The number of requests that are sent together. */
  readonly clients?: number
  /** When aborted, no further race starts, and the objects are deleted. */
  readonly signal?: AbortSignal
  readonly onResult?: (result: RaceResult) => void
}

const RACES: readonly (readonly [title: string, race: Race])[] = [
  ['clients change the members of one group', memberRaces],
  ['clients change the attributes of one user', attributeRace],
  ['clients create objects of the same name', createRaces],
]

/** @returns a result for each race, and one for the clean-up if an object is left */
export async function checkConcurrency(options: ConcurrencyOptions): Promise<RaceResult[]> {
  const { tenantUrl, tokens, fetch, clock, newId, dialect, signal, clients = DEFAULT_CLIENTS } = options
  const client = new ScimClient({ tenantUrl, tokens, fetch, clock })
  const objects = new RaceObjects(client)
  const context: RaceContext = { client, clock, newId, dialect, clients, objects }
  const results: RaceResult[] = []
  const report = (result: RaceResult) => {
    results.push(result)
    options.onResult?.(result)
  }
  try {
    for (const [title, race] of RACES) {
      if (signal?.aborted) break
      for (const result of await run(context, title, race)) report(result)
    }
  } finally {
    const left = await objects.deleteAll()
    if (left.length > 0) report(failed('clean up', `could not be deleted: ${left.join(', ')}`, 0))
  }
  return results
}

async function run(context: RaceContext, title: string, race: Race): Promise<RaceResult[]> {
  const started = context.clock.now()
  try {
    const results = await race(context, `entra-check-${context.newId().slice(0, 8)}`)
    const durationMs = context.clock.now() - started
    return results.map((result) => ({ ...result, durationMs }))
  } catch (error) {
    if (!(error instanceof UnpreparedRace)) throw error
    return [failed(title, error.message, context.clock.now() - started)]
  }
}

function failed(title: string, message: string, durationMs: number): RaceResult {
  return { title, grade: 'error', message, sent: 0, acknowledged: 0, refused: 0, lost: 0, durationMs }
}
