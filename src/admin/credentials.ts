/**
 * Tokens and client secrets as an administrator sees them: by which characters they are recognised, what replaces them, and
 * what remains to their client when one is revoked. Times in milliseconds since 1970.
 */
import type { SecretInfo } from '../storage/access/client-secrets.ts'
import type { CredentialKind } from '../storage/access/replacements.ts'
import type { ListedToken } from '../storage/access/token-rotation.ts'
import type { Trust } from '../storage/access/trusts.ts'

export interface Credential extends Omit<SecretInfo, 'lastCharacters' | 'expiresAt'> {
  readonly kind: CredentialKind
  readonly lastCharacters: string | null
  /** Null for a token that does not expire. */
  readonly expiresAt: number | null
}

/** What authenticates the clients of a tenant. */
export interface Access {
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  readonly trusts: readonly Trust[]
}

export function tokenCredential(token: ListedToken): Credential {
  return { ...token, kind: 'token' }
}

export function secretCredential(secret: SecretInfo): Credential {
  return { ...secret, kind: 'secret' }
}

/** The tokens and the secrets of a tenant as one list. */
export function credentialsOf({
  tokens,
  secrets,
}: Pick<Access, 'tokens' | 'secrets'>): readonly Credential[] {
  return [...tokens.map(tokenCredential), ...secrets.map(secretCredential)]
}

/** True if the client can use it. */
export function isLive({ revokedAt, expiresAt }: Pick<Credential, 'revokedAt' | 'expiresAt'>, now: number) {
  return revokedAt === null && (expiresAt === null || expiresAt > now)
}

/** "scim_…x1yZ". @returns undefined if the last characters are not stored */
export function charactersOf({
  kind,
  lastCharacters,
}: Pick<Credential, 'kind' | 'lastCharacters'>): string | undefined {
  return lastCharacters === null ? undefined : `${PREFIXES[kind]}…${lastCharacters}`
}

const PREFIXES = { token: 'scim_', secret: 'scims_' } as const

/** The valid credential that replaces another one, which is to be revoked then. */
export function successorOf(
  { kind, replacedBy }: Credential,
  all: readonly Credential[],
  now: number,
): Credential | undefined {
  return all.find((one) => one.kind === kind && one.id === replacedBy && isLive(one, now))
}

/** The valid credentials that are to be revoked because this one replaces them. */
export function replacedBy(
  { kind, id }: Credential,
  all: readonly Credential[],
  now: number,
): readonly Credential[] {
  return all.filter((one) => one.kind === kind && one.replacedBy === id && isLive(one, now))
}

/**
 * What remains to a client without one of its credentials: nothing, only what was never used, or what was used.
 */
export type Remaining = 'nothing' | 'unused' | 'used'

/** What its client can still sign in with once a credential is revoked. */
export function remainingWithout(credential: Credential, access: Access, now: number): Remaining {
  const ofClient = ({ clientId }: { readonly clientId: string }) => clientId === credential.clientId
  const others = credentialsOf(access).filter(
    (one) => ofClient(one) && isLive(one, now) && !(one.kind === credential.kind && one.id === credential.id),
  )
  const left = [...others, ...access.trusts.filter(ofClient)]
  if (left.length === 0) return 'nothing'
  return left.every(({ lastUsedAt }) => lastUsedAt === null) ? 'unused' : 'used'
}
