/** The commands `generate` and `import`, which create a directory file. */
import { existsSync } from 'node:fs'
import { importTables, RowError, type TableRow } from '../../documents/csv-import.ts'
import { parseDirectory } from '../../documents/directory.ts'
import { generateDirectory } from '../../documents/generate.ts'
import { describePath, type Problem } from '../../problem.ts'
import { readTable } from '../files/csv-file.ts'
import { writeAtomically } from '../files/state-file.ts'
import { integerOption, requireText, textOption } from '../options.ts'
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
 * Imports a directory from CSV exports. Positionals have the form `Group name=members.csv`.
 * @throws {UsageError}
 */
export async function importDirectoryCsv(command: CommandContext): Promise<number> {
  const usersFile = requireText(
    command.values,
    'users-csv',
    'the list of users as the Entra admin center exports it',
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
