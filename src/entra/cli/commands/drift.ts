/** The command `drift`: compares an export of a directory with an endpoint, and changes nothing. */
import { createReadStream } from 'node:fs'
import { compareExport } from '../../../drift/compare.ts'
import { type DriftResult, driftCsv, MATCH_KEYS } from '../../../drift/difference.ts'
import { DriftError } from '../../../drift/drift-error.ts'
import { EntriesInMemory } from '../../../drift/entries-in-memory.ts'
import { exportedIn } from '../../../drift/export-formats.ts'
import { textOf } from '../../../drift/text.ts'
import { describeFailure } from '../../engine/quarantine.ts'
import { type ObjectType, pageRequest } from '../../protocol/requests.ts'
import { ScimClient } from '../../protocol/scim-client.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import { choiceOption, textOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'

const PAGE_SIZE = 200
/** Differences that the text shows. */
const MAX_SHOWN = 100

/**
 * Exit code 0 if the endpoint has what the export has, 1 if it differs or cannot be read.
 * @throws {UsageError} the export cannot be compared
 */
export async function drift(command: CommandContext): Promise<number> {
  const { values, positionals, errors } = command
  const [file] = positionals
  if (file === undefined || positionals.length > 1) throw new UsageError('Expected one file with the export')
  const target = readTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) =>
    compareFile(file, { target, access }, command),
  )
}

async function compareFile(
  file: string,
  { target, access }: { readonly target: Target; readonly access: Access },
  { values, output, errors }: CommandContext,
): Promise<number> {
  const match = choiceOption(values, 'match', MATCH_KEYS)
  const notes: string[] = []
  const exported = exportedIn(textOf(bytesOf(file)), textOption(values, 'group'), {
    add: (note) => notes.push(note),
  })
  try {
    // Before the endpoint is asked for anything, the export must be one.
    const first = await exported.next()
    const stored = await readEndpoint(target, access)
    const all = async function* () {
      if (!first.done) yield first.value
      yield* exported
    }
    const result = await compareExport(all(), stored, { match, notes })
    output.write(textForm(result, values))
    return result.verdict === 'same' ? 0 : 1
  } catch (error) {
    if (error instanceof DriftError) throw new UsageError(`${file}: ${error.message}`)
    if (!(error instanceof EndpointError)) throw error
    errors.write(`${visible(error.message)}\n`)
    return 1
  }
}

/** The endpoint refuses to list its resources. */
class EndpointError extends Error {}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error
    throw new UsageError(
      `Cannot read the export "${file}": ${reason === 'ENOENT' ? 'no such file' : String(reason)}`,
    )
  }
}

/** Reads all users and groups, page by page, and keeps their compared attributes. */
async function readEndpoint({ tenantUrl }: Target, { tokens, fetch }: Access): Promise<EntriesInMemory> {
  const client = new ScimClient({ tenantUrl, tokens, fetch, clock: systemClock })
  const stored = new EntriesInMemory()
  for (const type of ['User', 'Group'] as const) await readAll(client, type, stored)
  return stored
}

async function readAll(client: ScimClient, type: ObjectType, stored: EntriesInMemory): Promise<void> {
  for (let startIndex = 1; ; ) {
    const page = await client.send('match', pageRequest(type, startIndex, PAGE_SIZE))
    if (!page.ok) throw new EndpointError(describeFailure(page))
    for (const resource of page.resources) stored.add(type, resource)
    startIndex += page.resources.length
    if (page.resources.length === 0 || startIndex > (page.totalResults ?? 0)) return
  }
}

function textForm(result: DriftResult, values: CommandContext['values']): string {
  if (values.json === true) return `${JSON.stringify(result)}\n`
  if (values.csv === true) return driftCsv(result)
  return `${linesOf(result).map(visible).join('\n')}\n`
}

function linesOf({ users, groups, members, differences, differenceCount, ...rest }: DriftResult): string[] {
  const shown = differences.slice(0, MAX_SHOWN).map(({ kind, resourceType, name, ...change }) => {
    const what = change.attribute === null ? '' : `: ${change.attribute} `
    const sides = change.attribute === null ? '' : `${change.stored ?? '–'} -> ${change.exported ?? '–'}`
    return `${kind.padEnd(14)}  ${resourceType.padEnd(5)}  ${name}${what}${sides}`
  })
  const more = differenceCount - shown.length
  return [
    ...shown,
    ...(more > 0 ? [`and ${more} more; --csv or --json lists them`] : []),
    `users   ${countsText(users)}`,
    `groups  ${countsText(groups)}`,
    `members ${members.missing} missing, ${members.extra} extra`,
    ...rest.notes,
    rest.summary,
  ]
}

function countsText({ exported, matched, missing, extra, different }: DriftResult['users']): string {
  return `${exported} in the export, ${matched} matched, ${missing} missing, ${extra} extra, ${different} different`
}
