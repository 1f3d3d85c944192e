/**
 * A round of the model test of events: clients write at random while consumers follow, the database fails, answers get
 * lost, two coordinators of the tenant run at the same time, and objects are killed. Afterwards each consumer has exactly
 * the directory, each event its write, and each write its events.
 */
import { abortAllDurableObjects } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { DirectoryCopy } from '../../../src/consumer/directory-copy.ts'
import type { DirectoryChange } from '../../../src/consumer/follow.ts'
import {
  type D1Binding,
  type DatabaseFigures,
  noFigures,
  openDatabase,
} from '../../../src/storage/database/database.ts'
import { chance } from '../../support/chance.ts'
import { FAULTS, type Fault, type FaultPlan, faultyBinding } from '../../support/faults.ts'
import { everyEvent, seqOf, type TestEvent } from '../../support/feed.ts'
import { contentOf, freshCopy, reader } from '../../support/follower.ts'
import { coordinatorNamed, labRuntime, sendTo, wrapCoordinator } from '../../support/lab.ts'
import { createModelTenant, type ModelTenant } from '../model/tenant.ts'
import { type Follower, longPoll, losing, newFollower, poll, pollWithRestarts } from './followers.ts'
import { type Receivers, startReceivers } from './receivers.ts'
import { newWriteTally, writeAtRandom } from './writers.ts'

/** Counters of all rounds. */
export interface EventTally {
  rounds: number
  writes: number
  unknown: number
  refused: number
  events: number
  /** Events that consumers applied. */
  followed: number
  /** Events that receivers of webhooks got, and those of them that they got before. */
  delivered: number
  repeated: number
  readonly faults: Map<string, number>
}

export function newEventTally(): EventTally {
  return {
    rounds: 0,
    writes: 0,
    unknown: 0,
    refused: 0,
    events: 0,
    followed: 0,
    delivered: 0,
    repeated: 0,
    faults: new Map(),
  }
}

/** One of this many batches fails. */
const FAULT_ONE_IN = 15
/** For a silent database; in production it is much longer. */
const TIMEOUT_MS = 60
/** The user whose creation ends the round: every write before it is committed or refused. */
const LAST_USER = 'last@quillfern.example'

/** @returns what is wrong, one line for each finding */
export async function eventRound(
  seed: number,
  { writes, kills }: { readonly writes: number; readonly kills: number },
  tally: EventTally,
): Promise<readonly string[]> {
  const tenant = await createModelTenant()
  const [client] = tenant.clients
  if (client === undefined) throw new Error('the tenant has no client')
  const random = chance(seed)
  const options = losing(await reader(client), random)
  const isLast = (change: DirectoryChange) =>
    change.kind === 'event' && change.event.data.userName === LAST_USER
  const noteFault = (fault: string) => tally.faults.set(fault, (tally.faults.get(fault) ?? 0) + 1)
  const faulty = faultyDatabase(random, noteFault)
  const receivers = await startReceivers(tenant.tenantId, random, () => faulty.open(noFigures()))
  const { send, restart } = await faultyTenant(tenant, faulty, receivers.poke)
  const made = newWriteTally()
  const followers = ['poll', 'long poll', 'restarted'].map(newFollower) as [Follower, Follower, Follower]
  let isOver = false
  const following = Promise.all([
    poll(followers[0], options, () => isOver),
    longPoll(followers[1], options, isLast),
    pollWithRestarts(followers[2], options, { isOver: () => isOver, random }),
  ])
  for (let part = 0; part <= kills; part++) {
    const writing = writeAtRandom({ clients: tenant.clients, send, random }, writes / (kills + 1), made)
    if (part > 0) {
      await abortAllDurableObjects()
      noteFault('object killed')
      await restart()
    }
    await writing
  }
  // A batch without an answer may still be running.
  await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS))
  await client.createUser({ userName: LAST_USER })
  isOver = true
  await Promise.all([following, receivers.end()])
  const events = await everyEvent(client)
  const exact = await reader(client)
  const directory = contentOf(await freshCopy(exact))
  tally.rounds++
  tally.writes += made.writes
  tally.unknown += made.unknown
  tally.refused += made.refused
  tally.events += events.length
  for (const { events: seen } of followers) tally.followed += seen
  for (const { last, repeated } of receivers.all) {
    tally.delivered += last + repeated
    tally.repeated += repeated
  }
  return [
    ...wrongNumbers(events),
    ...unlikeTheLog(events, await acceptedWrites(tenant.tenantId), made.confirmed),
    ...unlikeDirectory('a replay of all events', replayed(events), directory),
    ...followers.flatMap(({ name, copy, problems, last, reads }) => [
      ...problems,
      ...unlikeDirectory(name, copy, directory),
      ...(last === events.length ? [] : [`${name} ended at event ${last} of ${events.length}`]),
      ...(reads.join() === 'first' ? [] : [`${name} read the directory: ${reads.join()}`]),
    ]),
    ...receivers.all.flatMap(({ name, copy, problems, last }) => [
      ...problems,
      ...unlikeDirectory(name, copy, directory),
      ...(last === events.length ? [] : [`${name} got event ${last} last, of ${events.length}`]),
    ]),
  ]
}

/** A database that fails, for the app and the runners of webhooks. */
function faultyDatabase(random: () => number, noteFault: (fault: Fault) => void) {
  const plan =
    (faults: readonly Fault[]): FaultPlan =>
    () =>
      random() * FAULT_ONE_IN < 1 ? faults[Math.floor(random() * faults.length)] : undefined
  const binding = faultyBinding(env.DB, plan(FAULTS), noteFault)
  // Without this, the coordinator would wait for a silent database as long as in production.
  const loud = plan(FAULTS.filter((fault) => !fault.startsWith('silent')))
  return {
    open: (figures: DatabaseFigures) => openDatabase(binding, figures, TIMEOUT_MS),
    ofCoordinator: (own: D1Binding) => faultyBinding(own, loud, noteFault),
  }
}

/** The app with a database that fails, and with two coordinators of the tenant in turn. */
async function faultyTenant(
  { tenantId }: ModelTenant,
  { open, ofCoordinator }: ReturnType<typeof faultyDatabase>,
  pokeWebhooks: Receivers['poke'],
) {
  const names = [tenantId, `${tenantId}-second`]
  const restart = async () => {
    for (const name of names) await wrapCoordinator(name, ofCoordinator)
  }
  await restart()
  let turn = 0
  const runtime = labRuntime({
    openDatabase: (_name, figures) => open(figures),
    groupWriter: () => coordinatorNamed(names[turn++ % 2] ?? tenantId),
    pokeWebhooks,
  })
  return { send: (request: Request) => sendTo(runtime, request), restart }
}

/** The requests that changed something, by the provisioning log. */
async function acceptedWrites(tenantId: string): Promise<readonly string[]> {
  const { results } = await env.DB.prepare(
    `SELECT request_id AS id FROM provisioning_log WHERE tenant_id = ? AND status < 300
       AND (action = 'delete' OR changes <> '[]')`,
  )
    .bind(tenantId)
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

function wrongNumbers(events: readonly TestEvent[]): readonly string[] {
  return events.flatMap((event, i) => (seqOf(event) === i + 1 ? [] : [`event ${i + 1} is ${event.id}`]))
}

/** A refused write can show a conflict, every write that takes access away can be unusual, and the log is one of clients. */
function tellsWrite({ type }: TestEvent): boolean {
  return !['source.conflict', 'deprovision.unusual', 'administrator.acted'].includes(type)
}

function unlikeTheLog(
  events: readonly TestEvent[],
  written: readonly string[],
  confirmed: ReadonlySet<string>,
): readonly string[] {
  const told = new Set(events.filter(tellsWrite).map(({ source }) => source.requestId))
  const done = new Set(written)
  return [
    ...[...done].filter((id) => !told.has(id)).map((id) => `the write ${id} has no event`),
    ...[...told].filter((id) => !done.has(id)).map((id) => `an event names ${id}, which wrote nothing`),
    ...(confirmed.size > 0 ? [] : ['no write was confirmed']),
    ...(new Set(written).size === written.length ? [] : ['a request was done twice']),
  ]
}

function replayed(events: readonly TestEvent[]): DirectoryCopy {
  const copy = new DirectoryCopy()
  for (const event of events) copy.apply(event)
  return copy
}

function unlikeDirectory(
  name: string,
  copy: DirectoryCopy,
  directory: ReturnType<typeof contentOf>,
): readonly string[] {
  const [found, expected] = [
    JSON.stringify(sortedKeys(contentOf(copy))),
    JSON.stringify(sortedKeys(directory)),
  ]
  return found === expected ? [] : [`${name} has\n${found}\nand the directory\n${expected}`]
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortedKeys(inner)]),
  )
}
