/**
 * `npm run follow`: prints the changes of a directory as they come, and keeps a copy in a file if it is given one.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Refused } from './directory-client.ts'
import { DirectoryCopy, type DirectoryEvent } from './directory-copy.ts'
import { followDirectory } from './follow.ts'

const help = (program: string) => `${program} --tenant-url URL [--once] [--json] [--state FILE]

Follows the event feed of a directory and keeps an exact copy of its users and groups.

  --tenant-url URL   such as http://127.0.0.1:8787/scim/v2
  --token-file FILE  a file with a token that may read; or the variable SCIM_TOKEN
  --token TOKEN      the token itself; other users of the machine can see it
  --once             ends when the copy is up to date
  --json             prints each event as a line of JSON
  --state FILE       keeps the copy in a file, and goes on from there the next time
`

/** A mistake on the command line, or a file that cannot be used. */
class UsageError extends Error {}

/**
 * Runs one command line.
 *
 * @param program how the command is called, for its help
 * @returns the exit code
 */
export async function main(args: readonly string[], program = 'npm run follow --'): Promise<number> {
  try {
    const options = optionsOf(args, program)
    if (options === undefined) {
      process.stdout.write(help(program))
      return 0
    }
    return await follow(options)
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof Refused || error instanceof TypeError)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

interface Options {
  readonly tenantUrl: string
  readonly token: string
  readonly once: boolean
  readonly json: boolean
  readonly state: string | undefined
}

/** @returns undefined for --help @throws {UsageError} */
function optionsOf(args: readonly string[], program: string): Options | undefined {
  const { values } = parsed(args, program)
  if (values.help) return undefined
  const { 'tenant-url': tenantUrl, 'token-file': file, once = false, json = false, state } = values
  const example = 'a URL such as "http://127.0.0.1:8787/scim/v2"'
  if (tenantUrl === undefined) throw new UsageError(`--tenant-url is missing: ${example}`)
  if (!URL.canParse(tenantUrl)) throw new UsageError(`--tenant-url must be ${example}, found "${tenantUrl}"`)
  const token = values.token ?? (file === undefined ? process.env.SCIM_TOKEN : read(file))?.trim()
  if (!token) throw new UsageError('no token: give --token-file FILE, or set the variable SCIM_TOKEN')
  return { tenantUrl: tenantUrl.replace(/\/+$/, ''), token, once, json, state }
}

function parsed(args: readonly string[], program: string) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    'tenant-url': text,
    token: text,
    'token-file': text,
    state: text,
    once: flag,
    json: flag,
    help: flag,
  }
  try {
    return parseArgs({ args: [...args], options })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\nsee: ${program} --help`)
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

async function follow({ tenantUrl, token, once, json, state }: Options): Promise<number> {
  const copy = stored(state)
  const abort = new AbortController()
  // Not `once`: npm forwards a Ctrl-C, which then arrives twice, and the second one would end the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort())
  const note = (text: string) => process.stderr.write(`${text}\n`)
  try {
    for await (const change of followDirectory(copy, { tenantUrl, token, once, signal: abort.signal })) {
      if (change.kind === 'event')
        process.stdout.write(`${json ? JSON.stringify(change.event) : line(change.event)}\n`)
      else note(`read the directory: ${copy.users.size} users, ${copy.groups.size} groups (${change.reason})`)
      store(state, copy)
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error
  }
  store(state, copy)
  if (once) note(`up to date: ${copy.users.size} users, ${copy.groups.size} groups`)
  return 0
}

function stored(file: string | undefined): DirectoryCopy {
  if (file === undefined || !existsSync(file)) return new DirectoryCopy()
  try {
    return DirectoryCopy.from(JSON.parse(read(file)))
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file} is not a copy of a directory; delete it to begin again`)
  }
}

/**
 * A file that is cut off would lose the copy, so a whole one replaces it.
 * @throws {UsageError}
 */
function store(file: string | undefined, copy: DirectoryCopy): void {
  if (file === undefined) return
  try {
    writeFileSync(`${file}.new`, JSON.stringify(copy), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** `2026-11-27T10:00:00.000Z  group.members_added  Field crew: mirela@quillfern.example  by Microsoft Entra ID` */
function line({ timestamp, type, source, data }: DirectoryEvent): string {
  const members = data.members?.map((member) => nameOf(member)).join(', ')
  const fields = /\.(?:updated|acted)$/.test(type) && Array.isArray(data.changed) ? data.changed : []
  const details = members ?? (fields.length === 0 ? undefined : fields.join(', '))
  const what = `${nameOf(data)}${details === undefined ? '' : `: ${details}`}`
  const who = source.clientName ?? (type === 'administrator.acted' ? 'an administrator' : undefined)
  return visible(`${timestamp}  ${type}  ${what}${who === undefined ? '' : `  by ${who}`}`)
}

/** The name of a resource; of another event, what it is about. */
function nameOf(about: Readonly<Record<string, unknown>>): string {
  const { userName, displayName, id, clientName, operation, target, value, kind } = about
  if (operation !== undefined) return `${operation}${target === null ? '' : ` ${target}`}`
  return String(userName ?? displayName ?? id ?? clientName ?? value ?? kind)
}

/** Characters that a terminal would obey, or that reverse the text, become visible. */
function visible(text: string): string {
  const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, code)
}

// Without a top-level await, which a CommonJS bundle cannot have: the binary is one.
if (import.meta.main)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
