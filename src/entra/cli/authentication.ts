/**
 * Determines how a command authenticates at its target: with a Secret Token, with OAuth 2.0 client credentials, or with
 * an assertion of a workload identity. Options override the job file. Secrets come from files and environment variables.
 */
import { resolve } from 'node:path'
import {
  AUTHENTICATION_METHODS,
  type AuthenticationConfig,
  type AuthenticationMethod,
  type JobFile,
} from '../documents/job-document.ts'
import { DEFAULT_IDENTITY } from '../issuer/identity.ts'
import {
  CLIENT_AUTHENTICATIONS,
  type ClientCredentialsGrant,
  type FederatedGrant,
  type Workload,
} from '../oauth/grant.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import { readText } from './files/documents.ts'
import { choiceOption, type OptionValues, textOption } from './options.ts'
import { UsageError } from './usage-error.ts'

export type Authentication =
  | { readonly kind: 'bearer'; readonly token: string }
  | ClientCredentialsGrant
  | EmbeddableGrant

/** A federated grant. Without an issuer, one is started for the command. */
export type EmbeddableGrant = Omit<FederatedGrant, 'workload'> & {
  readonly workload: Omit<Workload, 'issuer'> & { readonly issuer?: string }
}

/** The job file, and the folder to which its paths are relative. */
export interface JobFileLocation {
  readonly jobFile?: JobFile
  readonly folder: string
}

const TOKEN_VARIABLE = 'ENTRA_SECRET_TOKEN'
const CLIENT_SECRET_VARIABLE = 'ENTRA_CLIENT_SECRET'
const APPLICATION_SECRET_VARIABLE = 'ENTRA_APPLICATION_SECRET'

const TOKEN_OPTIONS = ['token-file', 'token']
const CLIENT_OPTIONS = ['token-endpoint', 'client-id', 'oauth-scope']
const SECRET_OPTIONS = ['client-secret-file', 'client-auth']
const ASSERTION_OPTIONS = [
  'issuer',
  'application-id',
  'application-secret-file',
  'issuer-port',
  'issuer-keys',
]

/** The options that have no meaning with a method. */
const REFUSED_OPTIONS: Readonly<Record<AuthenticationMethod, readonly string[]>> = {
  bearer: [...CLIENT_OPTIONS, ...SECRET_OPTIONS, ...ASSERTION_OPTIONS],
  'client-credentials': [...TOKEN_OPTIONS, ...ASSERTION_OPTIONS],
  federated: [...TOKEN_OPTIONS, ...SECRET_OPTIONS],
}

/** @throws {UsageError} naming the missing or invalid option or field */
export function readAuthentication(
  values: OptionValues,
  location: JobFileLocation,
  tenantUrl: TenantUrl,
): Authentication {
  const config = location.jobFile?.authentication ?? {}
  const method = choiceOption(values, 'auth', AUTHENTICATION_METHODS) ?? config.method ?? 'bearer'
  const refused = REFUSED_OPTIONS[method].find((name) => textOption(values, name) !== undefined)
  if (refused !== undefined) throw new UsageError(`--${refused} cannot be used with --auth ${method}`)
  if (method === 'bearer') return { kind: method, token: readToken(values, location) }
  const client = readClient(values, config)
  if (method === 'client-credentials')
    return { kind: method, ...client, ...readClientSecret(values, config, location) }
  const workload = readWorkload(values, config, location)
  return { kind: method, ...client, baseAddress: tenantUrl.base, workload }
}

/** A token that names its tenant has the form `scim_acme_<secret>`, and a client identifier `acme_<random>`. */
const TENANT_TOKEN = /^([A-Za-z0-9]+_[A-Za-z0-9-]+)_[A-Za-z0-9_-]{32,}$/
const TENANT_CLIENT = /^([a-z][a-z0-9-]*)_[A-Za-z0-9_-]{20,}$/

/** The tenant that the credentials name, the same for a token and a client of one tenant; undefined if they name none. */
export function tenantNamedBy(authentication: Authentication): string | undefined {
  if (authentication.kind === 'bearer') return TENANT_TOKEN.exec(authentication.token)?.[1]
  const tenant = TENANT_CLIENT.exec(authentication.clientId)?.[1]
  return tenant === undefined ? undefined : `scim_${tenant}`
}

function readToken(values: OptionValues, { jobFile, folder }: JobFileLocation): string {
  const variable = jobFile?.tokenVariable ?? TOKEN_VARIABLE
  const named = textOption(values, 'token')
  if (named !== undefined && textOption(values, 'token-file') !== undefined)
    throw new UsageError('--token-file and --token cannot be used together')
  const fromFile = { option: 'token-file', file: undefined, variable }
  const token = named ?? readFromFile(values, folder, fromFile) ?? jobFile?.token ?? process.env[variable]
  if (token === undefined || token === '')
    throw new UsageError(
      `--token-file is missing: a file with the Secret Token (or the environment variable ${variable})`,
    )
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError('The Secret Token contains a character that is not allowed in a header')
  return token
}

function readClient(
  values: OptionValues,
  config: AuthenticationConfig,
): Pick<ClientCredentialsGrant, 'tokenEndpoint' | 'clientId' | 'scope'> {
  const tokenEndpoint = textOption(values, 'token-endpoint') ?? config.tokenEndpoint
  if (tokenEndpoint === undefined)
    throw new UsageError('--token-endpoint is missing: the URL of the token endpoint of the target')
  const clientId = textOption(values, 'client-id') ?? config.clientId
  if (clientId === undefined)
    throw new UsageError('--client-id is missing: the client identifier that the target assigned')
  const scope = textOption(values, 'oauth-scope') ?? config.scope
  requireUrl('--token-endpoint', tokenEndpoint)
  return { tokenEndpoint, clientId, ...(scope === undefined ? {} : { scope }) }
}

function readClientSecret(
  values: OptionValues,
  config: AuthenticationConfig,
  { folder }: JobFileLocation,
): Pick<ClientCredentialsGrant, 'clientSecret' | 'clientAuthentication'> {
  const variable = config.clientSecretVariable ?? CLIENT_SECRET_VARIABLE
  const location = { option: 'client-secret-file', file: config.clientSecretFile, variable }
  const clientSecret = readSecret(values, folder, location)
  if (clientSecret === undefined)
    throw new UsageError(
      `--client-secret-file is missing: a file with the client secret (or the environment variable ${variable})`,
    )
  const clientAuthentication =
    choiceOption(values, 'client-auth', CLIENT_AUTHENTICATIONS) ?? config.clientAuthentication ?? 'body'
  return { clientSecret, clientAuthentication }
}

function readWorkload(
  values: OptionValues,
  config: AuthenticationConfig,
  { folder }: JobFileLocation,
): EmbeddableGrant['workload'] {
  const issuer = textOption(values, 'issuer') ?? config.issuer
  if (issuer !== undefined) requireUrl('--issuer', issuer)
  const applicationSecret = readSecret(values, folder, {
    option: 'application-secret-file',
    file: config.applicationSecretFile,
    variable: config.applicationSecretVariable ?? APPLICATION_SECRET_VARIABLE,
  })
  return {
    applicationId:
      textOption(values, 'application-id') ?? config.applicationId ?? DEFAULT_IDENTITY.applicationId,
    ...(issuer === undefined ? {} : { issuer: issuer.replace(/\/+$/, '') }),
    ...(applicationSecret === undefined ? {} : { applicationSecret }),
  }
}

interface SecretLocation {
  readonly option: string
  /** From the job file, relative to it. */
  readonly file: string | undefined
  readonly variable: string
}

/** The file of the option comes first, then that of the job file, then the environment variable. */
function readSecret(values: OptionValues, folder: string, location: SecretLocation): string | undefined {
  return readFromFile(values, folder, location) ?? (process.env[location.variable] || undefined)
}

function readFromFile(
  values: OptionValues,
  folder: string,
  { option, file }: SecretLocation,
): string | undefined {
  const path = textOption(values, option) ?? (file === undefined ? undefined : resolve(folder, file))
  if (path === undefined) return undefined
  const secret = readText(path, 'file with the secret').replace(/\r?\n$/, '')
  if (secret === '' || /[\r\n]/.test(secret))
    throw new UsageError(`The file "${path}" must contain the secret in one line and nothing else`)
  return secret
}

function requireUrl(name: string, text: string): void {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UsageError(`${name} must be an absolute http or https URL, got "${text}"`)
}
