/**
 * `npm run ad-connector`: writes a directory file as an on-premises Active Directory connector does, beside Microsoft Entra.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type CycleResult, runConnectorCycle } from '../connector/connector.ts'
import { ScimClient } from '../protocol/scim-client.ts'
import { secretToken } from '../protocol/token-source.ts'
import { durationOption } from './duration.ts'
import { readDirectory } from './files/directory-file.ts'
import { choiceOption, type OptionValues, requireText, tenantUrlOption, textOption } from './options.ts'
import { systemClock } from './system-clock.ts'
import { UsageError } from './usage-error.ts'
import { wireFetch } from './wire-fetch.ts'

const HELP = `npm run ad-connector -- --directory FILE --tenant-url URL --token-file FILE [--interval 5m]

Writes the users that have an objectGUID, and all groups with their members, as a connector of an on-premises Active
Directory does: with short account names, and with the objectGUID as it stands in Active Directory.

  --directory FILE   the directory file of "npm run entra"; it is read again in each cycle
  --tenant-url URL   such as http://127.0.0.1:8787/scim/v2
  --token-file FILE  a file with a token of the tenant; or the variable SCIM_TOKEN
  --anchor NAME      the attribute of the objectGUID: nativeObjectId (the default) or externalId
  --encoding NAME    its form: base64, as in Active Directory (the default), or text
  --interval TIME    the pause between two cycles, such as 30s or 5m (the default)
  --once             ends after one cycle
  --remove           deletes what the connector has written, and ends

The exit code is 0, 1 if the server refused a write of the last cycle, and 2 if the command line is wrong.
`

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  directory: TEXT,
  'tenant-url': TEXT,
  'token-file': TEXT,
  anchor: TEXT,
  encoding: TEXT,
  interval: TEXT,
  once: FLAG,
  remove: FLAG,
  help: FLAG,
}
const DEFAULT_INTERVAL_MS = 5 * 60_000

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    const values = parsed(args)
    if (values.help === true) {
      process.stdout.write(HELP)
      return 0
    }
    return await runCycles(values)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return 2
  }
}

function parsed(args: string[]): OptionValues {
  try {
    return parseArgs({ args, options: OPTIONS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Runs until a signal, or one cycle with --once or --remove. */
async function runCycles(values: OptionValues): Promise<number> {
  const file = requireText(values, 'directory', 'the directory file')
  const tenantUrl = tenantUrlOption(requireText(values, 'tenant-url', 'the Tenant URL of the SCIM endpoint'))
  const anchor = {
    attribute: choiceOption(values, 'anchor', ['nativeObjectId', 'externalId']) ?? 'nativeObjectId',
    encoding: choiceOption(values, 'encoding', ['base64', 'text']) ?? 'base64',
  } as const
  const interval = durationOption(values, 'interval') ?? DEFAULT_INTERVAL_MS
  const stop = new AbortController()
  const tokens = secretToken(tokenOf(values))
  const client = new ScimClient({
    tenantUrl,
    tokens,
    fetch: wireFetch(),
    clock: systemClock,
    signal: stop.signal,
  })
  // Not `once`: npm forwards a Ctrl-C, which then arrives twice, and the second one would end the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const isOnce = values.once === true || values.remove === true
  for (;;) {
    const send = client.send.bind(client)
    const result = await runConnectorCycle(readDirectory(file), anchor, send, values.remove === true)
    process.stdout.write(reportOf(result))
    if (isOnce) return result.refused.length > 0 ? 1 : 0
    await systemClock.sleep(interval, stop.signal)
    if (stop.signal.aborted) return 0
  }
}

/** @throws {UsageError} */
function tokenOf(values: OptionValues): string {
  const file = textOption(values, 'token-file')
  const token = (file === undefined ? process.env.SCIM_TOKEN : readToken(file))?.trim()
  if (token) return token
  throw new UsageError('no token: give --token-file FILE, or set the variable SCIM_TOKEN')
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--token-file: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function reportOf({ created, updated, unchanged, deleted, refused }: CycleResult): string {
  const counts = { created, updated, unchanged, deleted, refused: refused.length }
  const parts = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? `${count} ${name}` : []))
  const lines = refused.map(({ name, status, detail }) => `  ${name}: ${status ?? 'no answer'} ${detail}`)
  return `${[`AD connector: ${parts.join(', ') || 'nothing to write'}`, ...lines].join('\n')}\n`
}
