/**
 * The clients of a tenant with their health, the number of their valid tokens and secrets, and their federation.
 */
import { type ClientFacts, healthOf } from '../../scim/client-health.ts'
import type { Client } from '../../storage/access/clients.ts'
import { type Access, isLive } from '../credentials.ts'
import { visibleName } from '../hidden-characters.ts'
import { HealthBadge } from './connections.tsx'
import { scopeText, TimeOrNever } from './credential-table.tsx'
import { counted } from './number.ts'
import { withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { Permitted } from './permitted.tsx'
import { type Column, RowTable } from './row-table.tsx'
import { Time } from './time.tsx'

interface ClientTableProps extends Access {
  readonly tenantId: string
  readonly clients: readonly Client[]
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  readonly now: number
}

export function ClientTable(props: ClientTableProps) {
  const { tenantId, clients, facts, tokens, secrets, now } = props
  const paths = tenantPaths(tenantId)
  const liveOf = (all: readonly (Parameters<typeof isLive>[0] & { clientId: string })[], { id }: Client) =>
    all.filter((one) => one.clientId === id && isLive(one, now)).length
  const columns: readonly Column<Client>[] = [
    { label: 'Scope', class: 'nowrap', cell: ({ scope }) => scopeText(scope) },
    { label: 'State', cell: ({ id }) => <ClientState facts={facts.get(id)} now={now} /> },
    {
      label: 'Valid',
      cell: (client) => {
        const valid = [
          { count: liveOf(tokens, client), what: 'token' },
          { count: liveOf(secrets, client), what: 'secret' },
        ].filter(({ count }) => count > 0)
        return valid.map(({ count, what }) => counted(count, what)).join(', ') || 'None'
      },
    },
    { label: 'Federation', cell: (client) => <Federation {...props} client={client} /> },
    { label: 'Created', class: 'number', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { label: 'Last used', class: 'number', cell: ({ lastUsedAt }) => <TimeOrNever at={lastUsedAt} /> },
  ]
  const head = {
    label: 'Client',
    cell: ({ id, name }: Client) => (
      <a href={withQuery(paths.log, { client: id })}>
        <bdi>{visibleName(name, id)}</bdi>
      </a>
    ),
  }
  const remove = ({ id, name }: Client) => (
    <Permitted>
      <a
        class="button quiet small danger-text"
        href={`${paths.apiKeys}/clients/${id}/delete`}
        aria-label={`Delete the client ${name}`}
      >
        Delete
      </a>
    </Permitted>
  )
  return <RowTable rows={clients} head={head} columns={columns} actions={remove} isWide />
}

/** Whether a client that may only read is there is not observed. */
function ClientState({ facts, now }: { facts: ClientFacts | undefined; now: number }) {
  return facts === undefined ? (
    <span class="muted">—</span>
  ) : (
    <HealthBadge state={healthOf(facts, now).state} />
  )
}

function Federation({ tenantId, trusts, client }: ClientTableProps & { readonly client: Client }) {
  const isOn = trusts.some(({ clientId }) => clientId === client.id)
  return (
    <Permitted otherwise={isOn ? 'On' : 'Off'}>
      <a href={`${tenantPaths(tenantId).apiKeys}/clients/${client.id}/federation`}>
        {isOn ? 'On' : 'Set up'}
        <span class="visually-hidden">: federation of {client.name}</span>
      </a>
    </Permitted>
  )
}
