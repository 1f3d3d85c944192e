/**
 * Tokens with their state and their actions. Secrets are not stored, so they cannot be shown.
 */
import type { Client } from '../../storage/access/clients.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import { Badge } from './blocks.tsx'
import { Expiry } from './expiry-notice.tsx'
import { Time } from './time.tsx'

/** True if clients can use the token. */
export function isLive({ revokedAt, expiresAt }: ListedToken, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now)
}

export function TokenTable(props: {
  readonly tokens: readonly ListedToken[]
  /** All tokens, to look up a successor. */
  readonly all: readonly ListedToken[]
  /** The clients, to look up their names. */
  readonly clients: readonly Client[]
  readonly now: number
  /** The path of the page. */
  readonly path: string
  /** The id of the token that a rotation creates. */
  readonly newId: string
}) {
  const { tokens, all, clients, now, path, newId } = props
  return (
    <table class="stack tokens">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Client</th>
          <th scope="col">State</th>
          <th scope="col">Scope</th>
          <th scope="col">Created</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr>
            <th scope="row">{token.name}</th>
            <td data-label="Client">{clients.find(({ id }) => id === token.clientId)?.name ?? 'Deleted'}</td>
            <td data-label="State">
              <div>
                <TokenState token={token} all={all} now={now} />
              </div>
            </td>
            <td data-label="Scope" class="nowrap">
              {token.scope === 'read' ? 'Read only' : 'Provision'}
            </td>
            <td data-label="Created" class="number">
              <Time at={token.createdAt} />
            </td>
            <td data-label="Expires" class="number">
              <div>{token.expiresAt === null ? 'Never' : <Expiry at={token.expiresAt} now={now} />}</div>
            </td>
            <td data-label="Last used" class="number">
              {token.lastUsedAt === null ? 'Never' : <Time at={token.lastUsedAt} />}
            </td>
            <td class="row-actions">
              {isLive(token, now) && <TokenActions token={token} path={path} newId={newId} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function TokenState({ token, all, now }: { token: ListedToken; all: readonly ListedToken[]; now: number }) {
  if (token.revokedAt !== null) {
    return (
      <>
        <Badge tone="off">Revoked</Badge> <Time at={token.revokedAt} />
      </>
    )
  }
  if (!isLive(token, now)) return <Badge tone="off">Expired</Badge>
  if (token.replacedBy === null) return <Badge tone="ok">Valid</Badge>
  const successor = all.find(({ id }) => id === token.replacedBy)
  const isInUse = successor !== undefined && successor.lastUsedAt !== null
  return (
    <>
      <Badge tone="warn">To be revoked</Badge>
      <span class="hint block">
        {isInUse ? 'The new token is in use. Revoke this one.' : 'The new token has not been used yet.'}
      </span>
    </>
  )
}

function TokenActions({ token, path, newId }: { token: ListedToken; path: string; newId: string }) {
  return (
    <div class="actions">
      {token.replacedBy === null && (
        <form method="post" action={`${path}/${token.id}/rotate`}>
          <input type="hidden" name="id" value={newId} />
          <button type="submit" class="quiet small" aria-label={`Rotate ${token.name}`}>
            Rotate
          </button>
        </form>
      )}
      <a
        class="button quiet small danger-text"
        href={`${path}/${token.id}/revoke`}
        aria-label={`Revoke ${token.name}`}
      >
        Revoke
      </a>
    </div>
  )
}
