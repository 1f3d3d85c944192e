/** The commands `generate` and `import`, which create a directory file. */
import { existsSync } from 'node:fs'
import { importTables, RowError, type TableRow } from '../../documents/csv-import.ts'
import { parseDirectory } from '../../documents/directory.ts'
import { generateDirectory } from '../../documents/generate.ts'
import { directoryOf } from '../../documents/scim-import.ts'
import { describeFailure } from '../../engine/quarantine.ts'
import { describePath, type Problem } from '../../problem.ts'
import { type Pages, readPages } from '../../protocol/pages.ts'
import type { Failure } from '../../protocol/response.ts'
import { ScimClient } from '../../protocol/scim-client.ts'
import { OKTA_PAGE_SIZE } from '../../providers/okta.ts'
import { PROVIDERS } from '../../providers/providers.ts'
import { visible } from '../../visible-text.ts'
import { withAccess } from '../access.ts'
import type { Output } from '../cycle-reporter.ts'
import { readTable } from '../files/csv-file.ts'
import { writeAtomically } from '../files/state-file.ts'
import { integerOption, requireText, textOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'

/**
 * Generates a directory of a fictional organisation and prints it, or writes it to --output.
 * @throws {UsageError}
 */
export async function generate(command: CommandContext): Promise<number> {
  const { values } = command
  const users = integerOption(values, 'users', 0, 1_000_000) ?? 300
  const groups = integerOption(values, 'groups', 0, 100_000) ?? 25
  const directory = generateDirectory({
    users,
    groups,
    memberships: integerOption(values, 'memberships', 0, 100_000_000) ?? users * 3,
    seed: integerOption(values, 'seed', 0, 4_294_967_295) ?? 1,
    domain: textOption(values, 'domain') ?? 'quillfern.example',
  })
  return writeDirectory(directory, command)
}

/**
 * Imports a directory from CSV exports or from an endpoint. Exit code 1 if the endpoint cannot be read.
 * @throws {UsageError}
 */
export async function importDirectory(command: CommandContext): Promise<number> {
  const { values } = command
  const isEndpoint = [values['tenant-url'], values.job].some((value) => value !== undefined)
  return isEndpoint && values['users-csv'] === undefined ? importEndpoint(command) : importCsv(command)
}

/** Reads all users, then all groups, page by page as Okta's import does. */
function importEndpoint(command: CommandContext): Promise<number> {
  const { values, errors } = command
  const { tenantUrl, authentication } = readTarget(values)
  return withAccess(authentication, values, errors.write, async ({ tokens, fetch }) => {
    const client = new ScimClient({ tenantUrl, tokens, fetch, clock: systemClock, wire: PROVIDERS.okta.wire })
    const users = await readPages(client, 'User', OKTA_PAGE_SIZE)
    const groups = users.ok ? await readPages(client, 'Group', OKTA_PAGE_SIZE) : users
    if (!users.ok) return reportFailure(users, errors)
    if (!groups.ok) return reportFailure(groups, errors)
    reportMissing('users', users, errors)
    reportMissing('groups', groups, errors)
    return writeDirectory(directoryOf(users.resources, groups.resources), command)
  })
}

function reportFailure(failure: Failure, errors: Output): number {
  errors.write(`${visible(describeFailure(failure))}\n`)
  return 1
}

function reportMissing(name: string, { resources, totalResults }: Pages, errors: Output): void {
  if (resources.length < totalResults)
    errors.write(
      `The endpoint returned ${resources.length} of ${totalResults} ${name}: its pages are shorter than ${OKTA_PAGE_SIZE}\n`,
    )
}

/** Positionals have the form `Group name=members.csv`. */
async function importCsv(command: CommandContext): Promise<number> {
  const usersFile = requireText(
    command.values,
    'users-csv',
    'the list of users as the Entra admin center exports it, or --tenant-url of an endpoint to read',
  )
  const memberLists = command.positionals.map((text) => {
    const separator = text.lastIndexOf('=')
    if (separator < 1) throw new UsageError(`Expected "Group name=members.csv", got "${text}"`)
    return {
      groupName: text.slice(0, separator),
      rows: readTable(text.slice(separator + 1), 'list of members'),
    }
  })
  const userRows = readTable(usersFile, 'list of users')
  try {
    const directory = importTables(userRows, memberLists)
    const [problem] = parseDirectory(directory).problems
    if (problem !== undefined) throw new UsageError(describeProblem(usersFile, userRows, problem))
    return writeDirectory(directory, command)
  } catch (error) {
    if (!(error instanceof RowError)) throw error
    throw new UsageError(`${usersFile}:${error.line}: ${error.message}`)
  }
}

/** Users are in the order of their rows, so a problem with a user can be reported with its line. */
function describeProblem(file: string, rows: readonly TableRow[], { path, message }: Problem): string {
  const [list, index, ...field] = path
  const row = list === 'users' && typeof index === 'number' ? rows[index] : undefined
  return row === undefined
    ? `${file}: ${describePath(path)} ${message}`
    : `${file}:${row.line}: ${describePath(field)} ${message}`
}

function writeDirectory(
  directory: { users: object[]; groups: object[] },
  { values, output }: CommandContext,
): number {
  const text = `${JSON.stringify(directory, null, 2)}\n`
  const file = textOption(values, 'output')
  if (file === undefined) {
    output.write(text)
    return 0
  }
  if (existsSync(file) && values.force !== true)
    throw new UsageError(`"${file}" already exists; use --force to overwrite it`)
  // The file may contain data of real people, so only its owner may read it.
  writeAtomically(file, text)
  output.write(`${file}: ${directory.users.length} users, ${directory.groups.length} groups\n`)
  return 0
}
