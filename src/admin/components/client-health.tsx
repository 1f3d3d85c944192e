/**
 * The time of the last request of any client, with a warning if it is too long ago.
 */
import type { Client } from '../../storage/access/clients.ts'
import { Ago } from './time.tsx'

/** Entra runs a cycle about every 40 minutes and sends requests even without changes. Two cycles may be missed. */
const EXPECTED_WITHIN_MS = 2 * 40 * 60 * 1000

export function ClientHealth(props: {
  readonly clients: readonly Client[]
  /** The number of valid tokens and secrets, and of federations. */
  readonly credentialCount: number
  readonly now: number
  readonly apiKeysPath: string
}) {
  const { clients, credentialCount, now, apiKeysPath } = props
  const last = credentialCount === 0 ? 0 : Math.max(0, ...clients.map(({ lastUsedAt }) => lastUsedAt ?? 0))
  const isLate = last > 0 && now - last > EXPECTED_WITHIN_MS
  return (
    <div class={isLate ? 'stat warn' : 'stat'}>
      <h2>Client</h2>
      <p class="big text">{last === 0 ? 'No request yet' : <Ago at={last} now={now} />}</p>
      <p class={isLate ? 'warn-text' : 'muted'}>{advice(credentialCount, last, isLate)}</p>
      {credentialCount === 0 && <a href={apiKeysPath}>Generate a token or client secret</a>}
    </div>
  )
}

function advice(credentialCount: number, last: number, isLate: boolean): string {
  if (credentialCount === 0)
    return 'No client can connect, because the tenant has no valid token, client secret or federation.'
  if (last === 0) return 'Press “Test Connection” in the client. Its first request appears here.'
  if (isLate) return 'Entra runs a cycle every 40 minutes. Check whether the job is on or in quarantine.'
  return 'The last request. Entra runs a cycle every 40 minutes.'
}
