/**
 * The settings of a self-hosted server: from the environment, or from settings.env in the data folder. The
 * environment takes precedence. The server refuses to start with an unknown name or an invalid value.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseEnv } from 'node:util'
import { addPrivateLine } from '../private-file.mjs'
import type { RateLimitName } from '../runtime.ts'
import {
  isOn,
  oneOf,
  SettingError,
  SHARED_DEFAULTS,
  type SharedSettings,
  sharedSettings,
  token,
  type Values,
  wholeNumber,
} from '../settings.ts'
import { databaseFile, requireFolder, startError } from '../sqlite/open.ts'
import { StartError } from '../sqlite/start-error.ts'

export interface ServerSettings extends SharedSettings {
  readonly dataFolder: string
  /** The file of the first database, which holds the catalogue. */
  readonly databaseFile: string
  /** The number of databases: each has a separate file in the folder. */
  readonly databaseCount: number
  /** The file that has the ADMIN_TOKEN; undefined if the environment has it, or if there is none. */
  readonly adminTokenIn: string | undefined
  /** Whether the ADMIN_TOKEN was made now, and `storeNewAdminToken` is to write it to the file. */
  readonly isAdminTokenNew: boolean
  readonly synchronous: 'FULL' | 'NORMAL'
  readonly busyTimeoutMs: number
  readonly trustProxy: boolean
  /** The bearer token for /metrics; undefined: there is no /metrics. */
  readonly metricsToken: string | undefined
  /** The number of requests in one period; Infinity for no limit. */
  readonly rateLimits: Readonly<Record<RateLimitName, number>>
  /** The address for a server that opens its port itself. */
  readonly listen: ListenSettings
}

export interface ListenSettings {
  readonly host: string
  readonly port: number
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
}

/** Each database has a connection, a cache and a lock. */
const MAX_DATABASES = 16
const SETTINGS_FILE = 'settings.env'
/** NAME=VALUE, a comment, or nothing. A quotation mark at the beginning of a value is closed in the same line. */
const SETTINGS_LINE = /^[ \t]*(?:#.*|(?:export +)?[\w.-]+[ \t]*=(?![ \t]*(["'`])(?!.*\1)).*)?$/

/** Every setting but DATA_FOLDER, with its default. docs/operate/settings.md explains them. */
export const DEFAULTS = {
  ...SHARED_DEFAULTS,
  DATABASES: '1',
  SYNCHRONOUS: 'FULL',
  BUSY_TIMEOUT_MS: '5000',
  TRUST_PROXY: '0',
  METRICS_TOKEN: '',
  // As in wrangler.toml, except the limit of failed authentication: there it counts for each location, here for all.
  TOKEN_LIMIT: '5000',
  TENANT_LIMIT: '10000',
  SIGN_IN_LIMIT: '10',
  FAILED_AUTHENTICATION_LIMIT: '100',
  HOST: '127.0.0.1',
  PORT: '8787',
  TLS_CERT_FILE: '',
  TLS_KEY_FILE: '',
} as const

type Name = keyof typeof DEFAULTS
type ServerValues = Values<Name>
const NAMES = Object.keys(DEFAULTS) as Name[]

/** Settings from a command line: they take precedence over the environment. */
export type Chosen = Partial<Values<Name | 'DATA_FOLDER'>>

/** The folder of the database, which may not exist yet. */
export function dataFolderName({ DATA_FOLDER: chosen }: Chosen = {}): string {
  return chosen ?? (variable('DATA_FOLDER') || 'data')
}

/** The folder of the database. @throws {StartError} when it cannot be used */
export function dataFolder(chosen: Chosen = {}): string {
  const folder = dataFolderName(chosen)
  requireFolder(folder)
  return folder
}

/**
 * Reads the settings, and makes an ADMIN_TOKEN if nobody could sign in otherwise. Changes no file.
 *
 * @throws {StartError} naming the setting, what was found and what is allowed
 */
export function readSettings({ DATA_FOLDER, ...chosen }: Chosen = {}): ServerSettings {
  const folder = dataFolder(DATA_FOLDER === undefined ? {} : { DATA_FOLDER })
  const file = join(folder, SETTINGS_FILE)
  const stored = fromFile(file)
  const others = { ...fromEnvironment(), ...chosen }
  const values = { ...DEFAULTS, ...stored, ...others }
  const setIn = (name: string) => {
    if (Object.hasOwn(chosen, name)) return 'command line or program'
    if (Object.hasOwn(others, name)) return 'environment'
    return Object.hasOwn(stored, name) ? file : undefined
  }
  return withoutSettingError(() => {
    const { app, ...shared } = sharedSettings(values, setIn)
    const server = { ...serverSettings(folder, values), ...shared }
    if (app.adminToken === undefined && app.accessTeamDomain === undefined) {
      const made = { ...values, ADMIN_TOKEN: randomBytes(32).toString('base64url') }
      const withToken = sharedSettings(made, (name) => (name === 'ADMIN_TOKEN' ? file : setIn(name)))
      return { ...server, app: withToken.app, adminTokenIn: file, isAdminTokenNew: true }
    }
    const isStored = Boolean(stored.ADMIN_TOKEN) && others.ADMIN_TOKEN === undefined
    return { ...server, app, adminTokenIn: isStored ? file : undefined, isAdminTokenNew: false }
  })
}

/** Where the server of a data folder listens. Creates nothing. @throws {StartError} */
export function readListenSettings(chosen: Chosen = {}): ListenSettings {
  const file = join(dataFolder(chosen), SETTINGS_FILE)
  const values = { ...DEFAULTS, ...fromFile(file), ...fromEnvironment(), ...chosen }
  return withoutSettingError(() => listenSettings(values))
}

function withoutSettingError<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw error instanceof SettingError ? new StartError(error.message, { cause: error }) : error
  }
}

function serverSettings(
  folder: string,
  values: ServerValues,
): Omit<ServerSettings, keyof SharedSettings | 'adminTokenIn' | 'isAdminTokenNew'> {
  return {
    dataFolder: folder,
    databaseFile: databaseFile(folder),
    databaseCount: wholeNumber('DATABASES', values, 1, MAX_DATABASES),
    synchronous: oneOf('SYNCHRONOUS', values, ['FULL', 'NORMAL']),
    busyTimeoutMs: wholeNumber('BUSY_TIMEOUT_MS', values, 0, 60_000),
    trustProxy: isOn('TRUST_PROXY', values),
    metricsToken: token('METRICS_TOKEN', values),
    rateLimits: {
      client: rateLimit('TOKEN_LIMIT', values),
      tenant: rateLimit('TENANT_LIMIT', values),
      signIn: rateLimit('SIGN_IN_LIMIT', values),
      failedAuthentication: rateLimit('FAILED_AUTHENTICATION_LIMIT', values),
    },
    listen: listenSettings(values),
  }
}

function listenSettings(values: ServerValues): ListenSettings {
  return { host: host(values), port: wholeNumber('PORT', values, 0, 65_535), tls: tlsFiles(values) }
}

/** An empty name would make Node.js listen on every address. */
function host({ HOST: name }: ServerValues): string {
  if (name !== '') return name
  throw new SettingError('HOST must name the address to listen on, such as "127.0.0.1", found ""')
}

function tlsFiles({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: ServerValues): ListenSettings['tls'] {
  if (certFile === '' && keyFile === '') return undefined
  if (certFile !== '' && keyFile !== '') return { certFile, keyFile }
  const missing = certFile === '' ? 'TLS_CERT_FILE' : 'TLS_KEY_FILE'
  throw new SettingError(`${missing} is not set; TLS needs both TLS_CERT_FILE and TLS_KEY_FILE`)
}

/** Adds a new ADMIN_TOKEN to the settings file, readable by this user alone. @throws {StartError} */
export function storeNewAdminToken({ app, adminTokenIn: file, isAdminTokenNew }: ServerSettings): void {
  if (!isAdminTokenNew || file === undefined) return
  try {
    addPrivateLine(file, `ADMIN_TOKEN="${app.adminToken}"`)
  } catch (error) {
    throw startError(error, file)
  }
}

/** @returns '' when there is no such file */
function readFile(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch (error) {
    throw startError(error, file)
  }
}

function fromFile(file: string): Partial<ServerValues> {
  // Editors on Windows begin a file with a byte order mark. It would become part of the first name.
  const text = readFile(file).replace(/^\uFEFF/, '')
  const number = text.split(/\r?\n/).findIndex((line) => !SETTINGS_LINE.test(line)) + 1
  // parseEnv ignores such a line. Its text is not repeated here, because it may be a secret.
  if (number > 0) throw new StartError(`line ${number} of ${file} is neither NAME=VALUE nor a comment`)
  const values = parseEnv(text)
  const unknown = Object.keys(values).find((name) => !(NAMES as readonly string[]).includes(name))
  if (unknown === undefined) return values as Partial<ServerValues>
  throw new StartError(`"${unknown}" in ${file} is not a setting; there are ${NAMES.join(', ')}`)
}

function fromEnvironment(): Partial<ServerValues> {
  const found = NAMES.map((name) => [name, variable(name)] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** @throws {StartError} when Deno lacks the permission to read it: a setting must not be ignored */
function variable(name: Name | 'DATA_FOLDER'): string | undefined {
  try {
    return process.env[name]
  } catch (error) {
    const flag = `--allow-env=${['DATA_FOLDER', ...NAMES].join(',')}`
    throw new StartError(`the variable ${name} may not be read; start Deno with ${flag}`, { cause: error })
  }
}

/** 0 means no limit. */
function rateLimit(name: Name, values: ServerValues): number {
  return wholeNumber(name, values, 0, 1_000_000_000) || Number.POSITIVE_INFINITY
}
