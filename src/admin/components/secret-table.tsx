/**
 * Client secrets with their state and their actions. The secrets themselves are not stored, so they cannot be shown.
 */
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import type { Client } from '../../storage/access/clients.ts'
import { Badge } from './blocks.tsx'
import { Expiry } from './expiry-notice.tsx'
import { Time } from './time.tsx'

/** True if the client gets access tokens for the secret. */
export function isLiveSecret({ revokedAt, expiresAt }: SecretInfo, now: number): boolean {
  return revokedAt === null && expiresAt > now
}

export function SecretTable(props: {
  readonly secrets: readonly SecretInfo[]
  /** The clients, to look up their names. */
  readonly clients: readonly Client[]
  readonly now: number
  /** The path of the page. */
  readonly path: string
  /** The id of the secret that a rotation creates. */
  readonly newId: string
}) {
  const { secrets, clients, now, path, newId } = props
  return (
    <table class="stack tokens">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Client</th>
          <th scope="col">State</th>
          <th scope="col">Created</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {secrets.map((secret) => (
          <tr>
            <th scope="row">
              {secret.name}
              <code class="hint block">scims_…{secret.lastCharacters}</code>
            </th>
            <td data-label="Client">{clients.find(({ id }) => id === secret.clientId)?.name ?? 'Deleted'}</td>
            <td data-label="State">
              <div>
                <SecretState secret={secret} now={now} />
              </div>
            </td>
            <td data-label="Created" class="number">
              <Time at={secret.createdAt} />
            </td>
            <td data-label="Expires" class="number">
              <div>
                <Expiry at={secret.expiresAt} now={now} />
              </div>
            </td>
            <td data-label="Last used" class="number">
              {secret.lastUsedAt === null ? 'Never' : <Time at={secret.lastUsedAt} />}
            </td>
            <td class="row-actions">
              {isLiveSecret(secret, now) && <SecretActions secret={secret} path={path} newId={newId} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function SecretState({ secret, now }: { readonly secret: SecretInfo; readonly now: number }) {
  if (secret.revokedAt !== null) {
    return (
      <>
        <Badge tone="off">Revoked</Badge> <Time at={secret.revokedAt} />
      </>
    )
  }
  return isLiveSecret(secret, now) ? <Badge tone="ok">Valid</Badge> : <Badge tone="off">Expired</Badge>
}

function SecretActions(props: {
  readonly secret: SecretInfo
  readonly path: string
  readonly newId: string
}) {
  const { secret, path, newId } = props
  const label = `the secret ${secret.name} …${secret.lastCharacters}`
  return (
    <div class="actions">
      <form method="post" action={`${path}/secrets/${secret.id}/rotate`}>
        <input type="hidden" name="id" value={newId} />
        <button type="submit" class="quiet small" aria-label={`Rotate ${label}`}>
          Rotate
        </button>
      </form>
      <a
        class="button quiet small danger-text"
        href={`${path}/secrets/${secret.id}/revoke`}
        aria-label={`Revoke ${label}`}
      >
        Revoke
      </a>
    </div>
  )
}
