/**
 * The parts that all races share: the objects of the check, requests that are sent together, and the verdict on what
 * the endpoint acknowledged and then lost.
 */
import type { Clock, NewId } from '../clock.ts'
import type { MappedValues } from '../mappings/attribute-mapping.ts'
import type { JsonObject } from '../problem.ts'
import {
  createRequest,
  type Dialect,
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
  /** Whether the endpoint has groups. */
  readonly groups: boolean
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
  /** The race could not begin, because the endpoint refuses or ignores what a single client sends. */
  readonly unprepared?: true
  readonly durationMs: number
}

/** One race or several with the same objects. `name` begins the names of its objects. @throws {UnpreparedRace} */
export type Race = (context: RaceContext, name: string) => Promise<Omit<RaceResult, 'durationMs'>[]>

/** A race that cannot begin, because the endpoint refuses or ignores what a single client sends. */
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

/** The attributes of a user besides its userName. */
export type ValuesOfUser = (name: string) => MappedValues

/** Creates the objects of the races. */
export class RaceObjects {
  readonly #client: ScimClient
  readonly #valuesOfUser: ValuesOfUser

  constructor(client: ScimClient, valuesOfUser: ValuesOfUser = userOfRace) {
    this.#client = client
    this.#valuesOfUser = valuesOfUser
  }

  /** @returns the outcome of the request to create the object */
  create({ type, name }: RaceObject): Promise<Outcome> {
    const values =
      type === 'Group'
        ? new Map([['displayName', name]])
        : new Map([...this.#valuesOfUser(name), ['userName', name]])
    return this.#client.send('create', createRequest(type, values))
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

function userOfRace(name: string): MappedValues {
  return new Map<string, string | boolean>([
    ['externalId', name],
    ['active', true],
    ['displayName', name],
    ['name.givenName', 'Mirela'],
    ['name.familyName', 'Osterholt'],
    // Some endpoints require an address.
    ['emails[type eq "work"].value', name],
  ])
}

function nameAttribute(type: ObjectType): string {
  return type === 'User' ? 'userName' : 'displayName'
}
