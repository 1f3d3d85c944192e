/**
 * The common part of the Deno and Node.js entries: commands, start, messages and shutdown.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { backUpAll } from '../sqlite/backup.ts'
import { startError } from '../sqlite/open.ts'
import { StartError } from '../sqlite/start-error.ts'
import { builtMigrations } from './built-migrations.ts'
import { fail } from './fail.ts'
import { type Service, startService } from './service.ts'
import {
  type Chosen,
  dataFolder,
  type ListenSettings,
  readSettings,
  type ServerSettings,
} from './settings.ts'

/** The time that answers are given to be sent before the exit, where the runtime does not report it. */
const LINGER_MS = 50

const USAGE = `Commands:

  serve        opens HOST:PORT; settings come from the environment, or from settings.env in DATA_FOLDER
  backup FILE  copies the database, also while it is served, to a file that does not exist yet`

export type Command = 'serve' | 'embedded'

/**
 * Runs the command of the command line. `backup FILE` runs here and ends the process.
 *
 * @returns "serve" to open a port; "embedded" (no argument) if the runtime passes in the requests
 */
export async function runCommand(args: readonly string[]): Promise<Command> {
  const [command, ...rest] = args
  if (command === undefined) return 'embedded'
  if (command === 'serve' && rest.length === 0) return 'serve'
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

/** Copies the databases of DATA_FOLDER, which may be in use. */
async function makeBackup(target: string): Promise<void> {
  try {
    await backUpAll(dataFolder(), target, (line) => console.log(line))
  } catch (error) {
    fail(error)
  }
}

/** All that a port needs, before the database is opened. */
export interface Prepared {
  readonly settings: ServerSettings
  /** The certificate and its key in PEM; undefined without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

/**
 * Reads the settings and the files for TLS, or ends the process with the reason. Creates and changes no file.
 *
 * @param chosen settings that take precedence over the environment
 */
export function prepare(chosen: Chosen = {}): Prepared {
  try {
    const settings = readSettings(chosen)
    return { settings, tls: readTlsFiles(settings.listen.tls) }
  } catch (error) {
    return fail(error)
  }
}

export interface Started {
  readonly service: Service
  readonly settings: ServerSettings
}

/**
 * Opens the database and starts the service, or ends the process with the reason. From then on, SIGTERM and SIGINT shut it
 * down. Called when the port is open already, where that is possible: a taken port leaves no new database.
 */
export function start({ settings }: Prepared): Started {
  try {
    const service = startService(settings, builtMigrations())
    for (const { file, names } of service.migrated) {
      console.log(`Applied migrations to ${file}: ${names.join(', ')}.`)
    }
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

/** Prints the addresses of the server, and where its token is. @returns the origin of the server */
export function announce(
  { settings }: Started,
  scheme: 'http' | 'https',
  host: string,
  port: number,
): string {
  const address = host.includes(':') ? `[${host}]` : host
  const { adminTokenIn, databaseFile: file, publicOrigin: base = `${scheme}://${address}:${port}` } = settings
  const token = adminTokenIn === undefined ? 'ADMIN_TOKEN, as configured' : `ADMIN_TOKEN in ${adminTokenIn}`
  console.log(`scim-worker is running on ${file}.

  Tenant URL   ${base}/scim/v2
  Dashboard    ${base}/admin
  Admin token  ${token}
`)
  return base
}

/** @throws {StartError} when a file cannot be read */
function readTlsFiles(tls: ListenSettings['tls']): Prepared['tls'] {
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

/** The reason why the server cannot listen on a port. */
export function portError(error: unknown, where: string): unknown {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error)
  if (/AddrInUse|EADDRINUSE/.test(text)) {
    return new StartError(`${where} is taken by another process; end that one, or choose another port`)
  }
  if (/AddrNotAvailable|EADDRNOTAVAIL|PermissionDenied|NotCapable|EACCES|ENOTFOUND/.test(text)) {
    return new StartError(`cannot listen on ${where}: ${text}; choose another host or port`)
  }
  // The texts of OpenSSL in Node.js and of rustls in Deno.
  if (/routines::|InvalidData/.test(text)) {
    return new StartError(`TLS_CERT_FILE and TLS_KEY_FILE must be a certificate and its key in PEM: ${text}`)
  }
  return error
}
