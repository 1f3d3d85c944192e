/**
 * What the entries of Deno and Node.js have in common: commands, the start, what is said of it, and the end.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { backUpAll } from '../sqlite/backup.ts'
import type { Migration } from '../sqlite/migrations.ts'
import { startError } from '../sqlite/open.ts'
import { StartError } from '../sqlite/start-error.ts'
import { type Service, startService } from './service.ts'
import { dataFolder, type ListenSettings, readSettings, type ServerSettings } from './settings.ts'

/** The files of migrations/: the build puts them here, so that the module is all that there is. */
declare const MIGRATIONS: readonly Migration[]

/** How long answers that were just written may take to leave, where the runtime does not tell. */
const LINGER_MS = 50

const USAGE = `Commands:

  serve        opens HOST:PORT; settings come from the environment, or from settings.env in DATA_FOLDER
  backup FILE  copies the database, also while it is served, to a file that does not exist yet`

export type Command = 'listen' | 'be served'

/**
 * Obeys the command line: `backup FILE` is done here and ends the process.
 *
 * @returns whether to open a port ("serve") or to be given requests (no argument)
 */
export async function obey(args: readonly string[]): Promise<Command> {
  const [command, ...rest] = args
  if (command === undefined) return 'be served'
  if (command === 'serve' && rest.length === 0) return 'listen'
  if (command === 'backup' && rest.length === 1) {
    await makeBackup(rest[0] as string)
    process.exit(0)
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE)
    process.exit(0)
  }
  return fail(new StartError(`"${args.join(' ')}" is not a command; there are "serve" and "backup FILE"`))
}

/** Copies the database of DATA_FOLDER, also while it is served. */
async function makeBackup(target: string): Promise<void> {
  try {
    await backUpAll(dataFolder(), target, (line) => console.log(line))
  } catch (error) {
    fail(error)
  }
}

export interface Started {
  readonly service: Service
  readonly settings: ServerSettings
}

/** Starts the service, or ends the process with the reason. SIGTERM and SIGINT end it from now on. */
export function start(): Started {
  try {
    const settings = readSettings()
    const service = startService(settings, MIGRATIONS)
    if (service.migrated.length > 0) console.log(`Applied migrations: ${service.migrated.join(', ')}.`)
    endOnSignals(service)
    return { service, settings }
  } catch (error) {
    return fail(error)
  }
}

function endOnSignals(service: Service): void {
  const end = async () => {
    await service.stop()
    setTimeout(() => process.exit(0), LINGER_MS)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end().catch(fail))
}

/** Says where the server is, and what comes next. */
export function announce({ settings }: Started, scheme: 'http' | 'https', host: string, port: number): void {
  const address = host.includes(':') ? `[${host}]` : host
  const {
    newAdminTokenIn,
    databaseFile: file,
    publicOrigin: base = `${scheme}://${address}:${port}`,
  } = settings
  const token =
    newAdminTokenIn === undefined ? 'ADMIN_TOKEN, as configured' : `ADMIN_TOKEN in ${newAdminTokenIn}`
  console.log(`scim-worker is running on ${file}.

  Tenant URL   ${base}/scim/v2
  Dashboard    ${base}/admin
  Admin token  ${token}
`)
}

/** The files of a server with TLS. @throws {StartError} when they cannot be read */
export function readTlsFiles(tls: ListenSettings['tls']): { cert: string; key: string } | undefined {
  if (tls === undefined) return undefined
  return { cert: readTlsFile('TLS_CERT_FILE', tls.certFile), key: readTlsFile('TLS_KEY_FILE', tls.keyFile) }
}

function readTlsFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = startError(error, path)
    throw reason instanceof StartError
      ? new StartError(`${name}: ${reason.message}`, { cause: error })
      : reason
  }
}

/** The reason for which a port cannot be listened on. */
export function portError(error: unknown, where: string): unknown {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error)
  if (/AddrInUse|EADDRINUSE/.test(text)) {
    return new StartError(`${where} is taken by another process; end that one, or choose another port`)
  }
  if (/AddrNotAvailable|EADDRNOTAVAIL|PermissionDenied|NotCapable|EACCES|ENOTFOUND/.test(text)) {
    return new StartError(`${where} cannot be listened on: ${text}; choose another host or port`)
  }
  // OpenSSL in Node.js, rustls in Deno.
  if (/routines::|InvalidData/.test(text)) {
    return new StartError(`TLS_CERT_FILE and TLS_KEY_FILE must be a certificate and its key in PEM: ${text}`)
  }
  return error
}

/** Ends the process with one line; what is a fault of ours comes with its stack. */
export function fail(error: unknown): never {
  console.error(error instanceof StartError ? `error: ${error.message}` : error)
  process.exit(1)
}
