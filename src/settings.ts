/**
 * The settings of all runtimes, and their checks. docs/operate/settings.md describes them. While any of them has an invalid value,
 * the server refuses every request.
 */
import { parseRoleRules, type RoleRule, RoleRulesError } from './administrators/role-rules.ts'
import { isHost } from './edge/address.ts'
import { parsePublicUrl } from './edge/public-url.ts'
import type { OidcSettings, SettingInForce, Settings } from './runtime.ts'

/** An invalid setting. The message is one line that names the setting, the value found, and the values allowed. */
export class SettingError extends Error {}

/** The shared settings with their default values. */
export const SHARED_DEFAULTS = {
  ADMIN_TOKEN: '',
  SERVER_TIMING: '0',
  REQUEST_LOG: '1',
  LOG_BODIES: '1',
  LOG_RETENTION_DAYS: '30',
  EVENT_RETENTION_DAYS: '30',
  TOMBSTONE_DAYS: '30',
  ACCESS_TEAM_DOMAIN: '',
  ACCESS_AUD: '',
  ADMIN_ROLES: '',
  OIDC_ISSUER: '',
  OIDC_CLIENT_ID: '',
  OIDC_CLIENT_SECRET: '',
  OIDC_SCOPES: 'openid email profile',
  OIDC_GROUPS_CLAIM: 'groups',
  PUBLIC_URL: '',
  FEDERATION_HOSTS: '',
  ALLOW_LOOPBACK_WEBHOOKS: '0',
} as const

export type Values<Name extends string> = Readonly<Record<Name, string>>

const MIN_TOKEN_LENGTH = 16
/** 100 years. */
const MAX_RETENTION_DAYS = 36_500
/** "acme" or "acme.cloudflareaccess.com", or the URL that Cloudflare's dashboard shows. */
const TEAM_DOMAIN = /^(?:https:\/\/)?[a-z\d-]+(?:\.[a-z\d-]+)*\/*$/i

export interface SharedSettings {
  readonly app: Settings
  readonly logRetentionDays: number
  readonly eventRetentionDays: number
  /** The origin that clients use. If undefined, the origin of each request is used. */
  readonly publicOrigin?: string | undefined
}

/** The names of settings whose values are secret. */
const SECRET = /_(?:TOKEN|SECRET|PASSWORD|KEY)$/

/**
 * Validates all shared settings.
 *
 * @param values of the shared settings, and of those that the runtime adds
 * @param setIn where the value of a setting comes from; undefined: it is the default
 * @throws {SettingError}
 */
export function sharedSettings(
  values: Values<keyof typeof SHARED_DEFAULTS>,
  setIn: (name: string) => string | undefined,
): SharedSettings {
  return {
    app: {
      adminToken: token('ADMIN_TOKEN', values),
      serverTiming: isOn('SERVER_TIMING', values),
      requestLog: isOn('REQUEST_LOG', values),
      logBodies: isOn('LOG_BODIES', values),
      logRetentionDays: values.LOG_RETENTION_DAYS,
      eventRetentionDays: values.EVENT_RETENTION_DAYS,
      tombstoneDays: wholeNumber('TOMBSTONE_DAYS', values, 0, MAX_RETENTION_DAYS),
      federationHosts: federationHosts(values),
      allowLoopbackWebhooks: isOn('ALLOW_LOOPBACK_WEBHOOKS', values),
      inForce: Object.entries(values).map(([name, value]) => settingInForce(name, value, setIn(name))),
      ...access(values),
      adminRoles: adminRoles(values),
      oidc: oidc(values),
    },
    logRetentionDays: wholeNumber('LOG_RETENTION_DAYS', values, 1, MAX_RETENTION_DAYS),
    eventRetentionDays: wholeNumber('EVENT_RETENTION_DAYS', values, 1, MAX_RETENTION_DAYS),
    publicOrigin: publicOrigin(values),
  }
}

function settingInForce(name: string, value: string, setIn: string | undefined): SettingInForce {
  return { name, value: value !== '' && SECRET.test(name) ? undefined : value, setIn }
}

/** A secret; undefined if it is not set. @throws {SettingError} */
export function token<Name extends string>(name: Name, values: Values<Name>): string | undefined {
  const { length } = values[name]
  if (length === 0 || length >= MIN_TOKEN_LENGTH) return values[name] || undefined
  throw new SettingError(
    `${name} must have at least ${MIN_TOKEN_LENGTH} characters, found ${length}; ` +
      'generate one with: openssl rand -base64 32',
  )
}

function publicOrigin({ PUBLIC_URL: text }: Values<'PUBLIC_URL'>): string | undefined {
  if (text === '') return undefined
  const origin = parsePublicUrl(text)
  if (origin !== undefined) return origin
  throw new SettingError(
    `PUBLIC_URL must be a scheme and a host such as "https://scim.example.com", without a path, found "${text}"`,
  )
}

/** The hosts in the notation of `URL.host`. */
function federationHosts({ FEDERATION_HOSTS: text }: Values<'FEDERATION_HOSTS'>): readonly string[] {
  const hosts = text
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
  const wrong = hosts.find((host) => !isHost(host))
  if (wrong === undefined) return hosts.map((host) => new URL(`https://${host}`).host)
  throw new SettingError(
    `FEDERATION_HOSTS must be hosts separated by commas, such as "idp.example.com,127.0.0.1:9876", found "${wrong}"`,
  )
}

function access(
  values: Values<'ACCESS_TEAM_DOMAIN' | 'ACCESS_AUD'>,
): Pick<Settings, 'accessTeamDomain' | 'accessAudience'> {
  const { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUD: audience } = values
  if ((domain === '') !== (audience === '')) {
    const missing = domain === '' ? 'ACCESS_TEAM_DOMAIN' : 'ACCESS_AUD'
    throw new SettingError(
      `${missing} is not set; Cloudflare Access needs both ACCESS_TEAM_DOMAIN and ACCESS_AUD`,
    )
  }
  if (domain !== '' && !TEAM_DOMAIN.test(domain)) {
    throw new SettingError(
      `ACCESS_TEAM_DOMAIN must be a domain such as "acme.cloudflareaccess.com", found "${domain}"`,
    )
  }
  return { accessTeamDomain: domain || undefined, accessAudience: audience || undefined }
}

function adminRoles({ ADMIN_ROLES: text }: Values<'ADMIN_ROLES'>): readonly RoleRule[] | undefined {
  try {
    return parseRoleRules(text)
  } catch (error) {
    if (error instanceof RoleRulesError) throw new SettingError(`ADMIN_ROLES is invalid: ${error.message}`)
    throw error
  }
}

/** What sign-in by OpenID Connect needs besides its own settings. */
const OIDC_NEEDS = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'PUBLIC_URL'] as const
/** A token of RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

type OidcName =
  | 'OIDC_ISSUER'
  | 'OIDC_CLIENT_ID'
  | 'OIDC_CLIENT_SECRET'
  | 'OIDC_SCOPES'
  | 'OIDC_GROUPS_CLAIM'
  | 'PUBLIC_URL'
  | 'ACCESS_TEAM_DOMAIN'

function oidc(values: Values<OidcName>): OidcSettings | undefined {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_SCOPES, OIDC_GROUPS_CLAIM } = values
  if (OIDC_ISSUER === '' && OIDC_CLIENT_ID === '' && OIDC_CLIENT_SECRET === '') return undefined
  const missing = OIDC_NEEDS.find((name) => values[name] === '')
  if (missing !== undefined) {
    throw new SettingError(`${missing} is not set; OpenID Connect needs ${OIDC_NEEDS.join(', ')}`)
  }
  if (values.ACCESS_TEAM_DOMAIN !== '') {
    throw new SettingError('OIDC_ISSUER and ACCESS_TEAM_DOMAIN are both set; use one way to sign in')
  }
  return {
    issuer: issuer(OIDC_ISSUER),
    clientId: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET || undefined,
    scopes: scopes(OIDC_SCOPES),
    groupsClaim: OIDC_GROUPS_CLAIM,
  }
}

/** OpenID Connect Discovery 1.0 §3: https, without a query or a fragment. */
function issuer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url?.protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (url !== undefined && (url.protocol === 'https:' || isLocal) && !/[?#@]/.test(text)) return text
  throw new SettingError(
    `OIDC_ISSUER must be an https URL such as "https://login.microsoftonline.com/TENANT_ID/v2.0", found "${text}"`,
  )
}

function scopes(text: string): string {
  const list = text.split(' ').filter((scope) => scope !== '')
  if (list.includes('openid') && list.every((scope) => SCOPE.test(scope))) return list.join(' ')
  throw new SettingError(
    `OIDC_SCOPES must be scopes separated by spaces, "openid" among them, found "${text}"`,
  )
}

/** @throws {SettingError} */
export function isOn<Name extends string>(name: Name, values: Values<Name>): boolean {
  return oneOf(name, values, ['0', '1']) === '1'
}

/** @throws {SettingError} */
export function oneOf<Name extends string, Allowed extends string>(
  name: Name,
  values: Values<Name>,
  allowed: readonly Allowed[],
): Allowed {
  const value = allowed.find((one) => one === values[name])
  if (value !== undefined) return value
  throw new SettingError(
    `${name} must be ${allowed.map((one) => `"${one}"`).join(' or ')}, found "${values[name]}"`,
  )
}

/** @throws {SettingError} */
export function wholeNumber<Name extends string>(
  name: Name,
  values: Values<Name>,
  min: number,
  max: number,
): number {
  const text = values[name]
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min && number <= max) return number
  throw new SettingError(`${name} must be a whole number from ${min} to ${max}, found "${text}"`)
}
