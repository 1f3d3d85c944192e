/**
 * Checks whether an endpoint loses updates of concurrent clients: runs each race on objects that it creates, counts
 * what was acknowledged and lost, and deletes the objects afterwards. Requests go through an injected fetch.
 */
import type { Clock, NewId } from '../clock.ts'
import type { Fetch } from '../protocol/fetch.ts'
import type { Dialect } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import { type Exchange, ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import { attributeRace } from './attribute-race.ts'
import { createRaces } from './create-races.ts'
import { memberRaces } from './member-races.ts'
import {
  type Race,
  type RaceContext,
  RaceObjects,
  type RaceResult,
  UnpreparedRace,
  type ValuesOfUser,
} from './race.ts'
import { type Send, TestObjects } from './test-objects.ts'

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
  /** False if the endpoint has no groups. */
  readonly groups?: boolean
  /** By default names and a work email. */
  readonly valuesOfUser?: ValuesOfUser
  /** Keeps account of the objects of the caller, which deletes them; by default they are deleted at the end. */
  readonly account?: TestObjects
  /** The names of the objects begin with it. */
  readonly namePrefix?: string
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
  const { newId, namePrefix = `entra-check-${newId().slice(-12)}`, account } = options
  const objects = account ?? new TestObjects(namePrefix)
  const results: RaceResult[] = []
  const report = (result: RaceResult) => {
    results.push(result)
    options.onResult?.(result)
  }
  try {
    await runAll(options, namePrefix, objects, report)
  } finally {
    const left = account === undefined ? await objects.deleteAll(senderOf(options)) : []
    if (left.length > 0) report(failed('clean up', `could not be deleted: ${left.join(', ')}`, 0))
  }
  return results
}

async function runAll(
  options: ConcurrencyOptions,
  namePrefix: string,
  account: TestObjects,
  report: (result: RaceResult) => void,
): Promise<void> {
  const { clock, newId, dialect, signal, clients = DEFAULT_CLIENTS, groups = true } = options
  const client = new ScimClient({
    ...options,
    onExchange: ({ request, answer }) => {
      account.expect(request)
      account.note(request, answer)
    },
  })
  const objects = new RaceObjects(client, options.valuesOfUser)
  const context: RaceContext = { client, clock, newId, dialect, clients, groups, objects }
  for (const [index, [title, race]] of RACES.entries()) {
    if (signal?.aborted) return
    if (race === memberRaces && !groups) continue
    for (const result of await run(context, title, (c) => race(c, `${namePrefix}.race${index + 1}`)))
      report(result)
  }
}

/** Sends one request, also after an abort. */
function senderOf({ tenantUrl, tokens, fetch, clock }: ConcurrencyOptions): Send {
  return async (request) => {
    let answer: WireResponse | undefined
    const onExchange = (exchange: Exchange) => {
      answer = exchange.answer
    }
    const outcome = await new ScimClient({ tenantUrl, tokens, fetch, clock, onExchange }).send(
      'match',
      request,
    )
    return answer ?? { kind: 'none', reason: 'network', message: outcome.ok ? '' : outcome.detail }
  }
}

async function run(
  context: RaceContext,
  title: string,
  race: (context: RaceContext) => ReturnType<Race>,
): Promise<RaceResult[]> {
  const started = context.clock.now()
  try {
    const results = await race(context)
    const durationMs = context.clock.now() - started
    return results.map((result) => ({ ...result, durationMs }))
  } catch (error) {
    if (!(error instanceof UnpreparedRace)) throw error
    const durationMs = context.clock.now() - started
    return [{ ...failed(title, error.message, durationMs), unprepared: true }]
  }
}

function failed(title: string, message: string, durationMs: number): RaceResult {
  return { title, grade: 'error', message, sent: 0, acknowledged: 0, refused: 0, lost: 0, durationMs }
}
