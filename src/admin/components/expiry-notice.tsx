/**
 * Warnings of tokens and secrets that expire soon.
 */
import { DAY_MS } from '../../scim/duration.ts'
import { warningOf } from '../../storage/access/expiry.ts'
import { type Access, credentialsOf, isLive, successorOf } from '../credentials.ts'
import { Badge, Notice, type Tone } from './blocks.tsx'
import { CredentialName } from './credential-name.tsx'
import { counted } from './number.ts'
import { Time } from './time.tsx'

const TONES = { 60: 'off', 30: 'warn', 7: 'danger' } as const satisfies Readonly<Record<number, Tone>>

/** A notice names so many, those that expire first; the list of API keys has all of them. */
const SHOWN = 5

/** Lists the credentials that expire within 60 days, except those that were replaced. Nothing without any. */
export function ExpiryNotice(
  props: Pick<Access, 'tokens' | 'secrets'> & {
    readonly now: number
    /** The page to go to; undefined on that page. */
    readonly apiKeysPath?: string
  },
) {
  const { now, apiKeysPath } = props
  const all = credentialsOf(props)
  const expiring = all
    .filter((one) => isLive(one, now) && successorOf(one, all, now) === undefined)
    .flatMap((credential) => {
      const { expiresAt } = credential
      const days = warningOf(expiresAt, now)
      return days === undefined || expiresAt === null ? [] : [{ credential, expiresAt, days }]
    })
    .toSorted((a, b) => a.expiresAt - b.expiresAt)
  const [first] = expiring
  if (first === undefined) return null
  const title = expiring.length === 1 ? 'A credential expires soon' : 'Credentials expire soon'
  return (
    <Notice tone={TONES[first.days]} title={title}>
      <ul>
        {expiring.slice(0, SHOWN).map(({ credential, expiresAt }) => (
          <li>
            The {credential.kind} <CredentialName credential={credential} /> expires {inDays(expiresAt, now)},{' '}
            <Time at={expiresAt} />.
          </li>
        ))}
        {expiring.length > SHOWN && <li>and {counted(expiring.length - SHOWN, 'other credential')}.</li>}
      </ul>
      <p>
        {expiring.length === 1 ? 'Rotate it' : 'Rotate each of them'}, enter the new one at the client, then
        revoke the old one. The client misses no request.{' '}
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
