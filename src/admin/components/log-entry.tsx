/**
 * An entry of the provisioning log: a line that expands to all details.
 */
import { pathSegment } from '../../scim/path-segment.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { administratorId } from '../../storage/access/administrator.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { adviceOf } from '../explain/advice.ts'
import { providerViewOf } from '../explain/provider-view.ts'
import type { AdvicePage } from '../explain/refusal.ts'
import { visibleName } from '../hidden-characters.ts'
import { Badge } from './blocks.tsx'
import { ChangeTable } from './change-table.tsx'
import { Fact } from './fact.tsx'
import { number } from './number.ts'
import { withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { Permitted } from './permitted.tsx'
import { Time } from './time.tsx'

interface EntryProps {
  readonly tenantId: string
  readonly types: readonly ResourceType[]
  readonly entry: ListedEntry
}

/** The name of the resource of an entry. In a refused request, the name may be empty. */
export function nameOf({ action, resourceName, resourceId, clientName }: ListedEntry): string {
  if (action === 'read') return visibleName(resourceId, clientName, 'Unknown client')
  return visibleName(resourceName, resourceId, action === 'authenticate' ? 'Unknown client' : '(no name)')
}

/** A list of expandable entries. */
export function LogEntries(props: {
  readonly tenantId: string
  readonly types: readonly ResourceType[]
  readonly entries: readonly ListedEntry[]
}) {
  const { tenantId, types, entries } = props
  return (
    <ul class="entries">
      {entries.map((entry) => (
        <li>
          <details id={`entry-${entry.id}`}>
            <summary>
              <Outcome entry={entry} />
              <span class="entry-what">
                <span class="entry-name">{nameOf(entry)}</span>
                {entry.detail && (
                  <span class={`entry-reason ${entry.outcome}`}>
                    <bdi>{entry.detail}</bdi>
                  </span>
                )}
                {entry.repeated > 0 && (
                  <span class="entry-reason">and {number(entry.repeated)} more like this one</span>
                )}
              </span>
              <span class="entry-action">
                {entry.resourceType} · {entry.action}
              </span>
              <span class="entry-time">
                <Time at={entry.time} />
              </span>
            </summary>
            <LogEntryDetails tenantId={tenantId} types={types} entry={entry} />
          </details>
        </li>
      ))}
    </ul>
  )
}

export function Outcome({ entry }: { entry: ListedEntry }) {
  if (isWarning(entry)) return <Badge tone="warn">Warning</Badge>
  const isRefused = entry.outcome === 'refused'
  return (
    <Badge tone={isRefused ? 'danger' : 'ok'}>{isRefused ? `Refused ${entry.status}` : 'Accepted'}</Badge>
  )
}

/** True for a warning, which is not a request and so has no answer. */
function isWarning({ action }: ListedEntry): boolean {
  return action === 'warn'
}

/** All details of an entry. */
export function LogEntryDetails({ tenantId, types, entry }: EntryProps) {
  const paths = tenantPaths(tenantId)
  return (
    <div class="entry-details">
      {entry.detail && (
        <p class={entry.outcome === 'refused' ? 'notice danger' : 'notice'}>
          {!isWarning(entry) && (
            <strong>
              {entry.status} {entry.scimType ?? ''}
            </strong>
          )}{' '}
          {entry.detail}
        </p>
      )}
      {entry.outcome === 'refused' && <Advice tenantId={tenantId} types={types} entry={entry} />}
      {entry.repeated > 0 && (
        <p>
          {number(entry.repeated)} more requests were refused for the same reason in the same minute. They are
          counted here and have no entries.
        </p>
      )}
      {!isWarning(entry) && <Changes tenantId={tenantId} entry={entry} />}
      <KeptRequest tenantId={tenantId} entry={entry} />
      {entry.ignored.length > 0 && (
        <p>
          <strong>Ignored:</strong> <code>{entry.ignored.join(', ')}</code>
        </p>
      )}
      <dl class="facts">
        <Fact name="Time">
          <Time at={entry.time} />
        </Fact>
        {entry.clientId !== null && (
          <Fact name="Client">
            <a href={withQuery(paths.log, { client: entry.clientId })}>
              {visibleName(entry.clientName, entry.clientId)}
            </a>
          </Fact>
        )}
        {entry.clientId === administratorId(tenantId) && (
          <Fact name="Administrator">
            <a href={withQuery(paths.audit, { of: entry.requestId, at: String(entry.time) })}>
              Show who it was
            </a>
          </Fact>
        )}
        {/* An administrator writes without a credential of the tenant. */}
        {entry.tokenId !== null && !(entry.tokenId === entry.clientId && entry.tokenName === null) && (
          <Fact name="Credential">
            <a href={withQuery(paths.log, { token: entry.tokenId })}>
              <bdi>{visibleName(entry.tokenName, entry.tokenId)}</bdi>
              {entry.tokenLastCharacters && ` …${entry.tokenLastCharacters}`}
            </a>
          </Fact>
        )}
        {entry.resourceType !== 'Client' && entry.action !== 'read' && (
          <Fact name={entry.resourceType}>
            <ResourceLinks tenantId={tenantId} types={types} entry={entry} />
          </Fact>
        )}
        {!isWarning(entry) && (
          <>
            <Fact name="Answer">
              <span class="number">HTTP {entry.status}</span>
            </Fact>
            <Fact name="Request id">
              <code>{entry.requestId}</code>
            </Fact>
          </>
        )}
        <Fact name="Entry">
          <a href={`${paths.log}/${entry.id}`}>Link to this entry</a>
        </Fact>
        <Permitted>
          <ExplainLink path={paths.explain} types={types} entry={entry} />
        </Permitted>
      </dl>
    </div>
  )
}

const METHODS: Readonly<Record<string, string>> = { create: 'POST', delete: 'DELETE', read: 'GET' }

/** For a refused request: what the same request would do now. Without its body, the form has the path only. */
function ExplainLink({ path, types, entry }: { path: string } & Pick<EntryProps, 'types' | 'entry'>) {
  const { id, outcome, action, request, clientId } = entry
  const type = types.find(({ name }) => name === entry.resourceType)
  if (outcome !== 'refused' || type === undefined) return null
  const method = METHODS[action] ?? 'PATCH'
  const href =
    request === null
      ? withQuery(path, { method, path: pathOf(type, entry), client: clientId ?? undefined })
      : withQuery(path, { entry: id })
  return (
    <Fact name="Why">
      <a href={href}>Explain this request</a>
    </Fact>
  )
}

/** The path of a written resource, relative to the Tenant URL. */
export function pathOf({ endpoint }: Pick<ResourceType, 'endpoint'>, entry: ListedEntry): string {
  return entry.resourceId === null ? endpoint : `${endpoint}/${pathSegment(entry.resourceId)}`
}

/** What the client sent in a refused write. */
function KeptRequest({ tenantId, entry }: Omit<EntryProps, 'types'>) {
  const { id, request } = entry
  if (request === null) return null
  if (request === undefined) {
    return (
      <p>
        <a href={`${tenantPaths(tenantId).log}/${id}`}>Show what the client sent</a>
      </p>
    )
  }
  return (
    <section aria-label="Request">
      <strong>Request</strong>{' '}
      <span class="muted">
        {request.method}, without secrets{request.isShortened && ', shortened'}
      </span>
      <pre tabindex={0}>{JSON.stringify(request.body, null, 2)}</pre>
    </section>
  )
}

/** What a refusal means, what the identity provider does about it, what to do, and where. */
function Advice({ tenantId, types, entry }: EntryProps) {
  const advice = adviceOf(entry)
  if (advice === null) return null
  const view = providerViewOf(entry)
  return (
    <dl class="advice">
      <Fact name="Cause">{advice.cause}</Fact>
      {view !== null && <Fact name="Identity provider">{view}</Fact>}
      <Fact name="What to do">
        {advice.fix} {advice.page && <AdvicePageLink tenantId={tenantId} page={advice.page} />}{' '}
        <CollisionLink tenantId={tenantId} types={types} entry={entry} />
      </Fact>
    </dl>
  )
}

const PAGES: Readonly<Record<AdvicePage, string>> = {
  apiKeys: 'API Keys',
  deleted: 'Deleted',
  overview: 'Overview',
  schemas: 'Schemas',
  settings: 'Settings',
  sources: 'Sources',
}

function AdvicePageLink({ tenantId, page }: { readonly tenantId: string; readonly page: AdvicePage }) {
  return <a href={tenantPaths(tenantId)[page]}>Open {PAGES[page]}</a>
}

/** The message of a TakenError: see scim/error.ts. A value that was shortened leads nowhere. */
const TAKEN = /^(\w+) ("(?:[^"\\]|\\.)*[^…]") is already in use$/

/** Leads to the resource that has the value. */
function CollisionLink({ tenantId, types, entry }: EntryProps) {
  const [, attribute, value] = TAKEN.exec(entry.detail ?? '') ?? []
  const type = types.find(({ name }) => name === entry.resourceType)
  if (attribute === undefined || value === undefined || type === undefined) return null
  const query = { q: JSON.parse(value) as string, ...(attribute === type.nameAttribute && { in: attribute }) }
  return (
    <a href={withQuery(tenantPaths(tenantId).listOf(type), query)}>
      Show the {type.name.toLowerCase()} that has it
    </a>
  )
}

function ResourceLinks({ tenantId, types, entry }: EntryProps) {
  const paths = tenantPaths(tenantId)
  if (entry.resourceId === null) return <>Not created</>
  const isGone = entry.action === 'delete' && entry.outcome === 'accepted'
  // There is no page of a resource that was not found, or that this request has deleted.
  const hasPage = entry.status !== 404 && !isGone
  const type = hasPage && types.find(({ name }) => name === entry.resourceType)
  return (
    <>
      {type && (
        <>
          <a href={`${paths.listOf(type)}/${pathSegment(entry.resourceId)}`}>
            Open the {type.name.toLowerCase()}
          </a>
          {' · '}
        </>
      )}
      <a href={withQuery(paths.log, { resource: entry.resourceId })}>All entries</a>
    </>
  )
}

function Changes({ tenantId, entry }: Omit<EntryProps, 'types'>) {
  if (entry.changes === undefined) {
    const href = `${tenantPaths(tenantId).log}/${entry.id}`
    return (
      <p>
        The list of changes is long. <a href={href}>Show it on its own page</a>.
      </p>
    )
  }
  if (entry.changes.length === 0) {
    const isRefused = entry.outcome === 'refused'
    return <p class="muted">{isRefused ? 'Nothing was changed.' : noChangesText(entry)}</p>
  }
  return <ChangeTable changes={entry.changes} />
}

function noChangesText({ action }: ListedEntry): string {
  return action === 'delete' ? 'Deleted, with its memberships.' : 'The values were the same already.'
}
