/**
 * The clients of a tenant with their health, the number of their valid tokens and secrets, and their federation.
 */
import { type ClientFacts, healthOf } from '../../scim/client-health.ts'
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import type { Trust } from '../../storage/access/trusts.ts'
import { HealthBadge } from './connections.tsx'
import { withQuery } from './pagination.tsx'
import { isLiveSecret } from './secret-table.tsx'
import { Time } from './time.tsx'
import { isLive } from './token-table.tsx'

export function ClientTable(props: {
  readonly clients: readonly Client[]
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  readonly trusts: readonly Trust[]
  readonly now: number
  /** The path of the page. */
  readonly path: string
  /** The path of the provisioning log. */
  readonly logPath: string
}) {
  const { clients, facts, tokens, secrets, trusts, now, path, logPath } = props
  return (
    <table class="stack tokens">
      <thead>
        <tr>
          <th scope="col">Client</th>
          <th scope="col">Scope</th>
          <th scope="col">State</th>
          <th scope="col">Valid tokens</th>
          <th scope="col">Valid secrets</th>
          <th scope="col">Federation</th>
          <th scope="col">Created</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {clients.map(({ id, name, scope, createdAt, lastUsedAt }) => (
          <tr>
            <th scope="row">
              <a href={withQuery(logPath, { client: id })}>{name}</a>
            </th>
            <td data-label="Scope" class="nowrap">
              {scope === 'read' ? 'Read only' : 'Provision'}
            </td>
            <td data-label="State">
              <ClientState facts={facts.get(id)} now={now} />
            </td>
            <td data-label="Valid tokens" class="number">
              {tokens.filter((token) => token.clientId === id && isLive(token, now)).length}
            </td>
            <td data-label="Valid secrets" class="number">
              {secrets.filter((secret) => secret.clientId === id && isLiveSecret(secret, now)).length}
            </td>
            <td data-label="Federation">
              <a href={`${path}/clients/${id}/federation`}>
                {trusts.some(({ clientId }) => clientId === id) ? 'On' : 'Set up'}
                <span class="visually-hidden">: federation of {name}</span>
              </a>
            </td>
            <td data-label="Created" class="number">
              <Time at={createdAt} />
            </td>
            <td data-label="Last used" class="number">
              {lastUsedAt === null ? 'Never' : <Time at={lastUsedAt} />}
            </td>
            <td class="row-actions">
              <a
                class="button quiet small danger-text"
                href={`${path}/clients/${id}/delete`}
                aria-label={`Delete the client ${name}`}
              >
                Delete
              </a>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Whether a client that may only read is there is not observed. */
function ClientState({ facts, now }: { facts: ClientFacts | undefined; now: number }) {
  return facts === undefined ? (
    <span class="muted">–</span>
  ) : (
    <HealthBadge state={healthOf(facts, now).state} />
  )
}
