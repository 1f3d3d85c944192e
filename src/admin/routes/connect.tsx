/**
 * Connect: the guides of the identity providers, their credentials, and what has been seen of a connection.
 */
import { Hono } from 'hono'
import { HEALTH_WINDOW_MS } from '../../scim/client-health.ts'
import { DAY_MS, MINUTE_MS } from '../../scim/duration.ts'
import { shorten } from '../../scim/error.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { MAX_WATCHED, type OfferedClient, offeredClientsQuery } from '../../storage/access/clients.ts'
import {
  type CredentialKind,
  clientOfCredential,
  credentialQuery,
} from '../../storage/access/replacements.ts'
import { NOTHING, readTogether } from '../../storage/database/query.ts'
import { type Connections, connectionsQuery } from '../../storage/log/client-facts.ts'
import { FIRST_ENTRIES, firstEntriesQuery, NEWEST_ENTRIES } from '../../storage/log/recent-entries.ts'
import { writtenResourcesQuery } from '../../storage/sources/written-resources.ts'
import type { CredentialInput } from '../components/credential-form.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import type { PageTenant } from '../layout.tsx'
import { type GeneratedSecret, type GeneratedToken, newSecret, newToken } from '../new-credential.ts'
import { ConnectPage } from '../pages/connect/connect-page.tsx'
import type { ConnectGuide } from '../pages/connect/guide.ts'
import { GuidePage, type GuidePageProps } from '../pages/connect/guide-page.tsx'
import { guideOf } from '../pages/connect/guides.ts'
import { type SeenConnection, watchSteps } from '../pages/connect/watch.ts'
import { noteTarget } from '../people/audit-note.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { doneMessage, formErrorOf, loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  known: 'This form was sent before. Its credential is not shown again.',
}

export const connect = new Hono<AdminEnv>()

connect.get('/:tenant/connect', async (c) => {
  const { tenant, clients } = await loadWithTenant(c, (id) => ({
    clients: offeredClientsQuery(id, 'provision'),
  }))
  return c.html(
    <ConnectPage administrator={c.get('administrator')} tenant={tenant} isConnected={clients.length > 0} />,
  )
})

connect.get('/:tenant/connect/:guide', (c) => guidePage(c, {}))

connect.post('/:tenant/connect/:guide', async (c) => {
  const guide = requireGuide(c)
  const form = await readForm(c)
  const input = {
    client: form.client ?? '',
    name: form.name ?? '',
    scope: guide.mayOnlyRead ? (form.scope ?? '') : 'provision',
    expires: form.expires ?? '',
  }
  try {
    const id = requireUuid(form.id)
    const kind = guide.credentials.find((one) => one === form.credential) ?? guide.credentials[0]
    const made = kind === 'secret' ? await newSecret(c, id, input) : await newToken(c, id, input)
    if (made === undefined) return c.redirect(withQuery(pathOf(c), { credential: id, done: 'known' }), 303)
    noteTarget(c, made.id)
    return await guidePage(c, { made: { kind, credential: made } })
  } catch (error) {
    return await guidePage(c, { input, error: formErrorOf(error) })
  }
})

/** What a sent form adds to a guide. */
interface Sent {
  readonly made?: { readonly kind: CredentialKind; readonly credential: GeneratedToken | GeneratedSecret }
  readonly input?: CredentialInput
  readonly error?: ReturnType<typeof formErrorOf>
}

async function guidePage(c: AdminContext, { made, input, error }: Sent): Promise<Response> {
  const guide = requireGuide(c)
  const now = c.env.now()
  const { credential: shown, client: wanted = '' } = c.req.query()
  const { tenant, clients, connections, found } = await loadWithTenant(c, (id) => {
    const andId = made?.credential.clientId ?? (shown === undefined ? wanted : clientOfCredential(id, shown))
    return {
      clients: offeredClientsQuery(id, 'provision', andId, MAX_WATCHED),
      connections: connectionsQuery(id, now, { andId }),
      found: shown === undefined ? NOTHING : credentialQuery(id, shown),
    }
  })
  const named = made ?? found
  const chosen = { clientId: named?.credential.clientId ?? c.req.query('client') }
  const client = watchedClient(clients, guide, chosen)
  const credential = named && { credential: named.credential.id }
  const props: GuidePageProps = {
    ...{ administrator: c.get('administrator'), tenant, guide, now, client },
    ...(await seenOf(c, { tenant, guide, client, connections })),
    path: withQuery(pathOf(c), credential ?? { client: client && chosen.clientId }),
    clients: clients.filter(({ scope }) => scope === 'provision'),
    values: valuesOf(c, made, named?.credential.clientId),
    kind: named?.kind,
    newId: c.env.newId(),
    input: input ?? { client: '', name: guide.credentialName, scope: 'provision', expires: '' },
    error,
    done: doneMessage(c, DONE),
  }
  return c.html(<GuidePage {...props} />, made ? 201 : (error?.status ?? 200))
}

/** The client of the credential or in the address; otherwise the newest one that has the guide's name. */
function watchedClient(
  clients: readonly OfferedClient[],
  { credentialName }: ConnectGuide,
  { clientId }: { readonly clientId: string | undefined },
): OfferedClient | undefined {
  if (clientId !== undefined) return clients.find(({ id }) => id === clientId)
  return clients.findLast(({ name, scope }) => scope === 'provision' && name.startsWith(credentialName))
}

function valuesOf(c: AdminContext, made: Sent['made'], clientId: string | undefined) {
  return {
    tenantUrl: tenantUrl(c),
    tokenUrl: tokenUrl(c),
    ...(clientId !== undefined && { clientId }),
    ...(made && { [made.kind]: made.credential.text }),
  }
}

interface Watched {
  readonly tenant: PageTenant
  readonly guide: ConnectGuide
  readonly client: OfferedClient | undefined
  readonly connections: Connections
}

/** What has been seen of the client. Only in a busy tenant, and for a client of another day, does it need another read. */
async function seenOf(c: AdminContext, watched: Watched): Promise<Pick<GuidePageProps, 'steps' | 'refused'>> {
  const { tenant, guide, client, connections } = watched
  const now = c.env.now()
  const { entries, isComplete, written } = await entriesOf(c, watched)
  const facts = client && connections.facts.get(client.id)
  const since = (client?.createdAt ?? 0) - MINUTE_MS
  const typesWith = (isGroup: boolean) =>
    new Set(tenant.resourceTypes.filter((type) => hasMembers(type) === isGroup).map(({ name }) => name))
  const steps = watchSteps(
    {
      lastProvisioningAt: facts?.lastProvisioningAt ?? null,
      contacts: facts?.contacts ?? [],
      ...{ entries, isComplete, written, now },
      strangers: connections.refused.filter(
        ({ action, clientId, time }) => action === 'authenticate' && clientId === null && time >= since,
      ),
      ...{ userTypes: typesWith(false), groupTypes: typesWith(true) },
    },
    guide.groups !== undefined,
  )
  return { steps, refused: connections.refused }
}

async function entriesOf(
  c: AdminContext,
  { tenant, client, connections }: Watched,
): Promise<Pick<SeenConnection, 'entries' | 'isComplete' | 'written'>> {
  if (client === undefined) return { entries: [], isComplete: true, written: [] }
  const now = c.env.now()
  const { newest, refused } = connections
  const isRead = newest.length < NEWEST_ENTRIES && client.createdAt > now - HEALTH_WINDOW_MS
  const { first, written } = isRead
    ? { first: [], written: [] }
    : await readTogether(c.get('db'), {
        first: firstEntriesQuery(tenant.id, client.createdAt),
        written: writtenResourcesQuery(tenant.id, client.id, tenant.resourceTypes),
      })
  const all = new Map([...newest, ...refused, ...first].map((entry) => [entry.id, entry]))
  const entries = [...all.values()]
    .filter(({ clientId }) => clientId === client.id)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const isKept = client.createdAt > now - Number(c.env.settings.logRetentionDays) * DAY_MS
  return { entries, isComplete: isRead || (isKept && first.length < FIRST_ENTRIES), written }
}

function pathOf(c: AdminContext): string {
  return tenantPaths(c.req.param('tenant') ?? '').connectTo(requireGuide(c).id)
}

/** @throws {PageNotFound} */
function requireGuide(c: AdminContext): ConnectGuide {
  const id = c.req.param('guide') ?? ''
  const guide = guideOf(id)
  if (guide !== undefined) return guide
  const { connect: list } = tenantPaths(c.req.param('tenant') ?? '')
  throw new PageNotFound(`There is no guide “${shorten(id)}”.`, [['Connect', list]])
}
