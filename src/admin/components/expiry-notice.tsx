/**
 * Warnings of tokens and secrets that expire soon.
 */
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import { DAY_MS, warningOf } from '../../storage/access/expiry.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import { Badge, Notice, type Tone } from './blocks.tsx'
import { Time } from './time.tsx'

const TONES = { 60: 'off', 30: 'warn', 7: 'danger' } as const satisfies Readonly<Record<number, Tone>>

/** Lists the credentials that expire within 60 days, except tokens that were replaced. Nothing without any. */
export function ExpiryNotice(props: {
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  readonly now: number
  /** The page to go to; undefined on that page. */
  readonly apiKeysPath?: string
}) {
  const { tokens, secrets, now, apiKeysPath } = props
  const all = [
    ...tokens
      .filter(({ revokedAt, replacedBy }) => revokedAt === null && replacedBy === null)
      .map((token) => ({ ...token, kind: 'token' })),
    ...secrets.filter(({ revokedAt }) => revokedAt === null).map((secret) => ({ ...secret, kind: 'secret' })),
  ]
  const expiring = all
    .flatMap(({ kind, name, expiresAt }) => {
      const days = warningOf(expiresAt, now)
      return days === undefined || expiresAt === null ? [] : [{ kind, name, expiresAt, days }]
    })
    .toSorted((a, b) => a.expiresAt - b.expiresAt)
  const [first] = expiring
  if (first === undefined) return null
  const title = expiring.length === 1 ? 'A credential expires soon' : 'Credentials expire soon'
  return (
    <Notice tone={TONES[first.days]} title={title}>
      <ul>
        {expiring.map(({ kind, name, expiresAt }) => (
          <li>
            The {kind} “{name}” expires {inDays(expiresAt, now)}, <Time at={expiresAt} />.
          </li>
        ))}
      </ul>
      <p>
        Generate another one, enter it at the client, then revoke the old one. The client misses no request.{' '}
        {apiKeysPath && <a href={apiKeysPath}>Open API Keys</a>}
      </p>
    </Notice>
  )
}

/** The time of an expiry, with a badge if it is soon. */
export function Expiry({ at, now }: { readonly at: number; readonly now: number }) {
  const days = warningOf(at, now)
  return (
    <>
      <Time at={at} />
      {days !== undefined && (
        <>
          {' '}
          <Badge tone={TONES[days]}>{inDays(at, now)}</Badge>
        </>
      )}
    </>
  )
}

function inDays(at: number, now: number): string {
  const days = Math.floor((at - now) / DAY_MS)
  if (days === 0) return 'within a day'
  return days === 1 ? 'in 1 day' : `in ${days} days`
}
