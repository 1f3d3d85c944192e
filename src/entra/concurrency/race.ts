/**
 * The parts that all races share: the objects of the check, requests that are sent together, and the verdict on what
 * the endpoint acknowledged and then lost.
 */
import type { Clock, NewId } from '../clock.ts'
import type { JsonObject } from '../problem.ts'
import {
  createRequest,
  type Dialect,
  deleteRequest,
  matchRequest,
  type ObjectType,
  type ScimRequest,
} from '../protocol/requests.ts'
import type { Outcome, Purpose, Success } from '../protocol/response.ts'
import type { ScimClient } from '../protocol/scim-client.ts'

/** The client of the endpoint and what the races have in common. */
export interface RaceContext {
  readonly client: ScimClient
  readonly clock: Clock
  readonly newId: NewId
  readonly dialect: Dialect
  /** The number of requests that are sent together. */
  readonly clients: number
  /** The objects that exist at the endpoint, to be deleted at the end. */
  readonly objects: RaceObjects
}

export type RaceGrade = 'success' | 'acceptable' | 'error' | 'skipped'

/** The result of one race. The names are those of a result of `check`. */
export interface RaceResult {
  readonly title: string
  readonly grade: RaceGrade
  readonly message: string
  /** What Entra would do; set only for an error. */
  readonly consequence?: string
  /** The document that requires the expected behaviour. */
  readonly source?: string
  /** Requests that were sent together, those with a 2xx response, those without, and acknowledged ones without effect. */
  readonly sent: number
  readonly acknowledged: number
  readonly refused: number
  readonly lost: number
  readonly durationMs: number
}

/** One race or several with the same objects. `name` begins the names of its objects. @throws {UnpreparedRace} */
export type Race = (context: RaceContext, name: string) => Promise<Omit<RaceResult, 'durationMs'>[]>

/** A race that cannot begin, because the endpoint refuses what a single client sends. */
export class UnpreparedRace extends Error {
  override readonly name = 'UnpreparedRace'
}

export interface Verdict {
  readonly title: string
  readonly outcomes: readonly Outcome[]
  readonly lost: number
  readonly consequence: string
  /** What was lost, such as "members". */
  readonly what: string
}

/** RFC 7644 §3.14 names the loss of concurrent changes as the reason for versions. */
const CONCURRENT_CHANGES = 'https://www.rfc-editor.org/rfc/rfc7644#section-3.14'

/**
 * A refused request is not lost, because the client repeats it. It is acceptable, but slows a job down.
 * @returns everything but the duration
 */
export function verdict({
  title,
  outcomes,
  lost,
  consequence,
  what,
}: Verdict): Omit<RaceResult, 'durationMs'> {
  const acknowledged = outcomes.filter(({ ok }) => ok).length
  const refused = outcomes.length - acknowledged
  const counts = { sent: outcomes.length, acknowledged, refused, lost }
  const message = `${acknowledged} of ${outcomes.length} acknowledged, ${lost} ${what} lost${describeRefusals(outcomes)}`
  if (lost > 0) return { title, grade: 'error', message, consequence, source: CONCURRENT_CHANGES, ...counts }
  if (acknowledged === 0) {
    const nothing = 'Every request of concurrent clients fails and is repeated in later cycles'
    return { title, grade: 'error', message, consequence: nothing, ...counts }
  }
  return { title, grade: refused > 0 ? 'acceptable' : 'success', message, ...counts }
}

function describeRefusals(outcomes: readonly Outcome[]): string {
  const failures = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome]))
  const [first] = failures
  return first === undefined ? '' : `, ${failures.length} refused (${first.code}: ${first.detail})`
}

/** Sends the requests at once. */
export function together(
  { client }: RaceContext,
  purpose: Purpose,
  requests: readonly ScimRequest[],
): Promise<Outcome[]> {
  return Promise.all(requests.map((request) => client.send(purpose, request)))
}

/** @throws {UnpreparedRace} if the endpoint refuses the request of a single client */
export async function sendAlone(
  { client }: RaceContext,
  purpose: Purpose,
  request: ScimRequest,
): Promise<Success> {
  const outcome = await client.send(purpose, request)
  if (outcome.ok) return outcome
  throw new UnpreparedRace(`${request.method} ${request.path}: ${outcome.code}: ${outcome.detail}`)
}

/** An endpoint with replicas may answer a read from before the race; it has this time to catch up. */
const CATCH_UP_MS = [500, 2000]

/**
 * Counts what was lost, and counts again after a pause as long as anything is missing.
 * @param count the number of acknowledged changes that a read does not show
 */
export async function countLost({ clock }: RaceContext, count: () => Promise<number>): Promise<number> {
  let lost = await count()
  for (const waitMs of CATCH_UP_MS) {
    if (lost === 0) return 0
    await clock.sleep(waitMs)
    lost = await count()
  }
  return lost
}

/** A user or group by its unique name. */
export interface RaceObject {
  readonly type: ObjectType
  readonly name: string
}

/** Creates the objects of the check, and deletes all of them at the end, also those that a lost response created. */
export class RaceObjects {
  readonly #client: ScimClient
  readonly #ids = new Map<string, ObjectType>()
  readonly #unanswered: RaceObject[] = []

  constructor(client: ScimClient) {
    this.#client = client
  }

  /** @returns the outcome of the request to create the object */
  async create(object: RaceObject): Promise<Outcome> {
    const outcome = await this.#client.send('create', createObject(object))
    if (outcome.ok) this.#ids.set(String(outcome.resource?.id), object.type)
    else if (outcome.status === undefined || outcome.status < 400 || outcome.status >= 500)
      this.#unanswered.push(object)
    return outcome
  }

  /**
   * @returns the id
   * @throws {UnpreparedRace}
   */
  async require(object: RaceObject): Promise<string> {
    const outcome = await this.create(object)
    if (outcome.ok) return String(outcome.resource?.id)
    throw new UnpreparedRace(`the ${object.type} "${object.name}" cannot be created: ${outcome.detail}`)
  }

  /** @returns the objects that could not be deleted */
  async deleteAll(): Promise<string[]> {
    for (const { type, name } of this.#unanswered)
      for (const { id } of await findByName(this.#client, type, name)) this.#ids.set(String(id), type)
    const left: string[] = []
    // Groups first, so that no deletion of a user must change a group.
    const byType = [...this.#ids].toSorted(([, a], [, b]) => a.localeCompare(b))
    for (const [id, type] of byType) {
      const outcome = await this.#client.send('delete', deleteRequest(type, id))
      if (!outcome.ok) left.push(`${type} ${id} (${outcome.detail})`)
    }
    return left
  }
}

/** @returns no resources if the query fails */
export async function findByName(
  client: ScimClient,
  type: ObjectType,
  name: string,
): Promise<readonly JsonObject[]> {
  const found = await client.send('match', matchRequest(type, nameAttribute(type), name))
  return found.ok ? found.resources : []
}

function createObject({ type, name }: RaceObject): ScimRequest {
  if (type === 'Group') return createRequest(type, new Map([['displayName', name]]))
  const values = new Map<string, string | boolean>([
    ['userName', name],
    ['externalId', name],
    ['active', true],
    ['displayName', name],
    ['name.givenName', 'Mirela'],
    ['name.familyName', 'Osterholt'],
    // Some endpoints require an address.
    ['emails[type eq "work"].value', name],
  ])
  return createRequest(type, values)
}

function nameAttribute(type: ObjectType): string {
  return type === 'User' ? 'userName' : 'displayName'
}
