/** Many clients create an object with the same name together: exactly one may succeed. */
import type { Outcome } from '../protocol/response.ts'
import {
  findByName,
  type Race,
  type RaceContext,
  type RaceObject,
  type RaceResult,
  UnpreparedRace,
} from './race.ts'

const UNIQUE_USER_NAMES = 'https://www.rfc-editor.org/rfc/rfc7643#section-4.1.1'
const UNIQUENESS = 'https://www.rfc-editor.org/rfc/rfc7644#section-3.3'

/** `userName` must be unique (RFC 7643 §4.1.1). Groups may share a name, unless the endpoint refuses a second one. */
export const createRaces: Race = async (context, name) => {
  if (!(await hasUniqueNames(context, { type: 'User', name: `${name}-twice@entra-check.example` })))
    throw new UnpreparedRace('a second user of the same name is created, also without concurrent clients')
  const users = await race(context, { type: 'User', name: `${name}-created@entra-check.example` })
  if (!context.groups) return [users]
  const groups = (await hasUniqueNames(context, { type: 'Group', name: `${name} twice` }))
    ? await race(context, { type: 'Group', name: `${name} created` })
    : skippedGroups()
  return [users, groups]
}

async function race(context: RaceContext, wanted: RaceObject): Promise<Omit<RaceResult, 'durationMs'>> {
  const { clients, client, objects } = context
  const outcomes = await Promise.all(Array.from({ length: clients }, () => objects.create(wanted)))
  const found = await findByName(client, wanted.type, wanted.name)
  return judge(wanted, outcomes, new Set(found.map(({ id }) => id)).size)
}

function judge(
  { type }: RaceObject,
  outcomes: readonly Outcome[],
  found: number,
): Omit<RaceResult, 'durationMs'> {
  const acknowledged = outcomes.filter(({ ok }) => ok).length
  const title = `${outcomes.length} clients create a ${type.toLowerCase()} of the same name`
  // Every created object beyond the first hides another one or is hidden by it.
  const lost = Math.max(0, Math.max(acknowledged, found) - 1)
  const counts = { sent: outcomes.length, acknowledged, refused: outcomes.length - acknowledged, lost }
  const message = `${acknowledged} of ${outcomes.length} created, ${found} found by the name`
  if (acknowledged === 1 && found === 1)
    return { title, grade: strayGrade(outcomes), message: message + describeStrays(outcomes), ...counts }
  const source = type === 'User' ? UNIQUE_USER_NAMES : UNIQUENESS
  return {
    title,
    grade: 'error',
    message,
    consequence: consequenceOf(counts.acknowledged, found),
    source,
    ...counts,
  }
}

function consequenceOf(acknowledged: number, found: number): string {
  if (acknowledged === 0) return 'The object is not created, although its name is free'
  if (found === 0) return 'Entra cannot find the object by its name'
  return 'Entra can log DuplicateTargetEntries: the object cannot be matched any more'
}

/** All refusals but one with 409. */
function strays(outcomes: readonly Outcome[]): readonly Extract<Outcome, { ok: false }>[] {
  return outcomes.flatMap((outcome) => (outcome.ok || outcome.status === 409 ? [] : [outcome]))
}

function strayGrade(outcomes: readonly Outcome[]): 'success' | 'acceptable' {
  return strays(outcomes).length === 0 ? 'success' : 'acceptable'
}

function describeStrays(outcomes: readonly Outcome[]): string {
  const others = strays(outcomes)
  const [first] = others
  return first === undefined ? '' : `; ${others.length} answers were not 409 (${first.code}: ${first.detail})`
}

/** Whether a second object of a name is refused with any status; 409 is checked in the race. */
async function hasUniqueNames({ objects }: RaceContext, object: RaceObject): Promise<boolean> {
  await objects.require(object)
  return !(await objects.create(object)).ok
}

function skippedGroups(): Omit<RaceResult, 'durationMs'> {
  const counts = { sent: 0, acknowledged: 0, refused: 0, lost: 0 }
  const message = 'the endpoint allows groups that share a name'
  return { title: 'clients create a group of the same name', grade: 'skipped', message, ...counts }
}
