/** The commands test-connection, provision-on-demand and diff. */
import { randomUUID } from 'node:crypto'
import { providerOf } from '../../documents/job.ts'
import { connectionTest, sendConnectionTest } from '../../engine/cycle.ts'
import type { CycleContext } from '../../engine/cycle-context.ts'
import type { ImportedObject } from '../../engine/import.ts'
import { MAX_ON_DEMAND_MEMBERS, type OnDemandResult, provisionOnDemand } from '../../engine/on-demand.ts'
import { type PreviewEntry, previewCycle } from '../../engine/preview.ts'
import { describeFailure } from '../../engine/quarantine.ts'
import { schemasRequest } from '../../protocol/requests.ts'
import { ScimClient } from '../../protocol/scim-client.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import type { Output } from '../cycle-reporter.ts'
import { readDirectory } from '../files/directory-file.ts'
import { readState } from '../files/state-file.ts'
import { importObjects } from '../import-objects.ts'
import { textOption } from '../options.ts'
import { offsetClock, systemClock } from '../system-clock.ts'
import { readJobTarget, readTarget, type Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'
import { Session } from './session.ts'

/**
 * Sends the requests of *Test connection* and *Save*. Exit code 1 if the endpoint fails the test.
 * @throws {UsageError}
 */
export function testConnection({ values, output, errors }: CommandContext): Promise<number> {
  const target = readTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) => test(target, access, output))
}

async function test({ tenantUrl, job }: Target, { tokens, fetch }: Access, output: Output): Promise<number> {
  const { wire } = providerOf(job)
  const client = new ScimClient({ tenantUrl, tokens, fetch, clock: systemClock, wire })
  let hasFailed = false
  for await (const { request, outcome } of sendConnectionTest(client, connectionTest(job, randomUUID))) {
    output.write(`${outcome.ok ? 'ok     ' : 'failed '}  ${request.method} ${request.path}\n`)
    if (outcome.ok) continue
    hasFailed = true
    output.write(`         ${visible(describeFailure(outcome))}\n`)
  }
  if (hasFailed) return 1
  if (job.provider !== 'entra') return 0
  const schemas = await client.send('match', schemasRequest())
  const note = schemas.ok
    ? `${schemas.resources.length} schemas`
    : `${schemas.code}: a gallery application would not list the endpoint's attributes`
  output.write(
    `${schemas.ok ? 'ok     ' : 'warning'}  GET /Schemas (${note})\nThe supplied credentials are authorized to enable provisioning.\n`,
  )
  return 0
}

/**
 * Provisions one user or group now. Exit code 1 if a step failed.
 * @throws {UsageError}
 */
export async function onDemand(command: CommandContext): Promise<number> {
  const [wanted] = command.positionals
  if (wanted === undefined)
    throw new UsageError('Expected the id, userPrincipalName or displayName of a user or group')
  const { values, errors } = command
  const target = readJobTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) =>
    provisionNow(wanted, new Session(target, access), command),
  )
}

async function provisionNow(
  wanted: string,
  session: Session,
  { values, output }: CommandContext,
): Promise<number> {
  try {
    const context = session.context(() => undefined, true)
    const object = findObject(wanted, context.imported)
    const members = membersOption(textOption(values, 'members'), context.imported)
    const result = await provisionOnDemand(context, object.id, members)
    output.write(values.json === true ? `${JSON.stringify(result)}\n` : describeSteps(result))
    return result.ok ? 0 : 1
  } finally {
    session.close()
  }
}

function membersOption(text: string | undefined, imported: CycleContext['imported']): string[] {
  const wanted = text?.split(',').map((part) => part.trim()) ?? []
  if (wanted.length > MAX_ON_DEMAND_MEMBERS)
    throw new UsageError(`--members takes at most ${MAX_ON_DEMAND_MEMBERS} members, got ${wanted.length}`)
  return wanted.map((member) => findObject(member, imported).id)
}

function findObject(wanted: string, imported: CycleContext['imported']): ImportedObject {
  const folded = wanted.toLowerCase()
  const object = [...imported.values()].find(({ id, name }) => id === wanted || name.toLowerCase() === folded)
  if (object === undefined) throw new UsageError(`The directory has no user or group "${wanted}"`)
  return object
}

function describeSteps({ steps }: OnDemandResult): string {
  return steps
    .map(
      ({ name, status, description, changes = [] }, index) =>
        `${index + 1}. ${name}: ${status}\n${[description, ...changes].map((line) => `  ${visible(line)}\n`).join('')}`,
    )
    .join('')
}

/**
 * Shows the changes of the next cycle without sending anything. Exit code 0.
 * @throws {UsageError}
 */
export async function diff({ values, output }: CommandContext): Promise<number> {
  const { directoryFile, stateFile, stateTarget, job } = readJobTarget(values)
  const state = readState(stateFile, stateTarget)
  const directory = readDirectory(directoryFile, state.objects)
  const clock = offsetClock(systemClock, state.clockOffsetMs ?? 0)
  const imported = importObjects(directory, job, state, clock.now())
  const entries = previewCycle({ job, state, imported, clock, retryAll: false, newId: randomUUID })
  if (values.json === true) output.write(`${JSON.stringify(entries)}\n`)
  else output.write(describePreview(entries, imported))
  return 0
}

function describePreview(entries: readonly PreviewEntry[], imported: CycleContext['imported']): string {
  const shown = entries.filter(({ action }) => action !== 'skip')
  const skipped = entries.length - shown.length
  const nameOf = (id: string) => imported.get(id)?.name ?? id
  const lines = shown.flatMap(({ action, type, name, reason, changes, addMembers, removeMembers }) => [
    `${action.padEnd(7)}  ${type.padEnd(5)}  ${name}`,
    ...(reason === undefined ? [] : reason.split('\n').map((line) => `           ${line}`)),
    ...(action === 'create'
      ? []
      : changes.map(
          ({ path, oldValue, newValue }) =>
            `           ${path}: ${shownValue(oldValue)} -> ${shownValue(newValue)}`,
        )),
    ...addMembers.map((id) => `           + member ${nameOf(id)}`),
    ...removeMembers.map((id) => `           - member ${nameOf(id)}`),
  ])
  const closing = `${shown.length} to process, ${skipped} to skip. Nothing was sent.`
  return `${[...lines, closing].map(visible).join('\n')}\n`
}

function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
