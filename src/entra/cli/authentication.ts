/**
 * Determines how a command authenticates at its target: with a Secret Token, with OAuth 2.0 client credentials, or with
 * an assertion of a workload identity. Options override the job file. Secrets come from files and environment variables.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AUTHENTICATION_METHODS, type AuthenticationConfig, type JobFile } from '../documents/job-document.ts'
import { DEFAULT_IDENTITY } from '../issuer/identity.ts'
import { CLIENT_AUTHENTICATIONS, type ClientCredentialsGrant, type FederatedGrant } from '../oauth/grant.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import { choiceOption, type OptionValues, textOption } from './options.ts'
import { UsageError } from './usage-error.ts'

export type Authentication =
  | { readonly kind: 'bearer'; readonly token: string }
  | ClientCredentialsGrant
  /** A federated grant whose issuer is started for the command. */
  | (Omit<FederatedGrant, 'workload'> & {
      readonly workload: Omit<FederatedGrant['workload'], 'issuer'> & { readonly issuer?: string }
    })

/** The job file, and the folder to which its paths are relative. */
export interface JobFileLocation {
  readonly jobFile?: JobFile
  readonly folder: string
}

const TOKEN_VARIABLE = 'ENTRA_SECRET_TOKEN'
const CLIENT_SECRET_VARIABLE = 'ENTRA_CLIENT_SECRET'
const APPLICATION_SECRET_VARIABLE = 'ENTRA_APPLICATION_SECRET'

/** Options that have no meaning with a Secret Token. */
const OAUTH_OPTIONS = ['token-endpoint', 'client-id', 'client-secret-file', 'client-auth', 'oauth-scope']
const FEDERATED_OPTIONS = [
  'issuer',
  'application-id',
  'application-secret-file',
  'issuer-port',
  'issuer-keys',
]

/** @throws {UsageError} naming the missing or invalid option or field */
export function readAuthentication(
  values: OptionValues,
  location: JobFileLocation,
  tenantUrl: TenantUrl,
): Authentication {
  const config = location.jobFile?.authentication ?? {}
  const method = choiceOption(values, 'auth', AUTHENTICATION_METHODS) ?? config.method ?? 'bearer'
  if (method === 'bearer') {
    refuseOptions(values, [...OAUTH_OPTIONS, ...FEDERATED_OPTIONS], method)
    return { kind: 'bearer', token: readToken(values, location.jobFile) }
  }
  refuseOptions(
    values,
    ['token', ...(method === 'federated' ? ['client-secret-file'] : FEDERATED_OPTIONS)],
    method,
  )
  const client = readClient(values, config)
  if (method === 'federated')
    return { kind: method, ...client, ...readWorkload(values, config, location, tenantUrl) }
  const clientSecret = readSecret(values, location.folder, {
    option: 'client-secret-file',
    file: config.clientSecretFile,
    variable: config.clientSecretVariable ?? CLIENT_SECRET_VARIABLE,
  })
  if (clientSecret === undefined)
    throw new UsageError(
      `--client-secret-file is missing: a file with the client secret (or the environment variable ${config.clientSecretVariable ?? CLIENT_SECRET_VARIABLE})`,
    )
  const clientAuthentication =
    choiceOption(values, 'client-auth', CLIENT_AUTHENTICATIONS) ?? config.clientAuthentication ?? 'body'
  return { kind: method, ...client, clientSecret, clientAuthentication }
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

function readToken(values: OptionValues, jobFile: JobFile | undefined): string {
  const variable = jobFile?.tokenVariable ?? TOKEN_VARIABLE
  const token = textOption(values, 'token') ?? jobFile?.token ?? process.env[variable]
  if (token === undefined || token === '')
    throw new UsageError(`--token is missing: the Secret Token (or the environment variable ${variable})`)
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError('The Secret Token contains a character that is not allowed in a header')
  return token
}

function readClient(values: OptionValues, config: AuthenticationConfig) {
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

function readWorkload(
  values: OptionValues,
  config: AuthenticationConfig,
  { folder }: JobFileLocation,
  tenantUrl: TenantUrl,
) {
  const issuer = textOption(values, 'issuer') ?? config.issuer
  if (issuer !== undefined) requireUrl('--issuer', issuer)
  const applicationSecret = readSecret(values, folder, {
    option: 'application-secret-file',
    file: config.applicationSecretFile,
    variable: config.applicationSecretVariable ?? APPLICATION_SECRET_VARIABLE,
  })
  const workload = {
    applicationId:
      textOption(values, 'application-id') ?? config.applicationId ?? DEFAULT_IDENTITY.applicationId,
    ...(issuer === undefined ? {} : { issuer: issuer.replace(/\/+$/, '') }),
    ...(applicationSecret === undefined ? {} : { applicationSecret }),
  }
  return { baseAddress: tenantUrl.base, workload }
}

interface SecretLocation {
  readonly option: string
  /** From the job file, relative to it. */
  readonly file: string | undefined
  readonly variable: string
}

/** The file of the option comes first, then that of the job file, then the environment variable. */
function readSecret(
  values: OptionValues,
  folder: string,
  { option, file, variable }: SecretLocation,
): string | undefined {
  const path = textOption(values, option) ?? (file === undefined ? undefined : resolve(folder, file))
  if (path === undefined) return process.env[variable] || undefined
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error
    throw new UsageError(
      `Cannot read the secret in "${path}": ${reason === 'ENOENT' ? 'no such file' : reason}`,
    )
  }
  if (secret === '' || /[\r\n]/.test(secret))
    throw new UsageError(`The file "${path}" must contain the secret in one line and nothing else`)
  return secret
}

function refuseOptions(values: OptionValues, names: readonly string[], method: string): void {
  const name = names.find((candidate) => textOption(values, candidate) !== undefined)
  if (name !== undefined) throw new UsageError(`--${name} cannot be used with --auth ${method}`)
}

function requireUrl(name: string, text: string): void {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UsageError(`${name} must be an absolute http or https URL, got "${text}"`)
}
