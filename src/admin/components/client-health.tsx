/**
 * The time of the last request of any client, with a warning if it is too long ago.
 */
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import { Ago } from './time.tsx'

/** Entra runs a cycle about every 40 minutes and sends requests even without changes. Two cycles may be missed. */
const EXPECTED_WITHIN_MS = 2 * 40 * 60 * 1000

export function ClientHealth(props: {
  readonly tokens: readonly ListedToken[]
  readonly now: number
  readonly apiKeysPath: string
}) {
  const { tokens, now, apiKeysPath } = props
  const live = tokens.filter(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt ?? now + 1) > now)
  const last = Math.max(0, ...live.map(({ lastUsedAt }) => lastUsedAt ?? 0))
  const isLate = last > 0 && now - last > EXPECTED_WITHIN_MS
  return (
    <div class={isLate ? 'stat warn' : 'stat'}>
      <h2>Client</h2>
      <p class="big text">{last === 0 ? 'No request yet' : <Ago at={last} now={now} />}</p>
      <p class={isLate ? 'warn-text' : 'muted'}>{advice(live.length, last, isLate)}</p>
      {live.length === 0 && <a href={apiKeysPath}>Generate a token</a>}
    </div>
  )
}

function advice(liveTokens: number, last: number, isLate: boolean): string {
  if (liveTokens === 0) return 'No client can connect, because the tenant has no valid token.'
  if (last === 0) return 'Press “Test Connection” in the client. Its first request appears here.'
  if (isLate) return 'Entra runs a cycle every 40 minutes. Check whether the job is on or in quarantine.'
  return 'The last request. Entra runs a cycle every 40 minutes.'
}
