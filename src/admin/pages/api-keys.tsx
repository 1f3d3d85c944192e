/**
 * API Keys: a form to generate tokens and client secrets, the credentials and clients of a tenant, and failed access.
 */
import type { Child } from 'hono/jsx'
import type { ClientFacts } from '../../scim/client-health.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { ClientTable } from '../components/client-table.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { CredentialForm, type CredentialInput } from '../components/credential-form.tsx'
import { CredentialTable } from '../components/credential-table.tsx'
import { ExpiryNotice } from '../components/expiry-notice.tsx'
import type { FormError } from '../components/form.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { NumberedPages } from '../components/numbered-pages.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Permitted } from '../components/permitted.tsx'
import { type Access, type Credential, credentialsOf, isLive } from '../credentials.ts'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface ApiKeysProps extends Access {
  readonly administrator: Administrator
  readonly now: number
  readonly tenant: PageTenant
  readonly tenantUrl: string
  /** The token endpoint. */
  readonly tokenUrl: string
  readonly clients: readonly Client[]
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  /** Entries of the provisioning log, newest first. */
  readonly failedAccess: readonly ListedEntry[]
  /** An id for the credential of the form, so that a form that is sent twice creates one. */
  readonly newId: string
  /** The sent form, if it was refused. */
  readonly input?: CredentialInput | undefined
  readonly error?: FormError | undefined
  /** A message about the last action. */
  readonly done?: string | undefined
  /** The pages of the lists, by the ids of their sections. */
  readonly parameters: Readonly<Record<string, string | undefined>>
}

const EMPTY_INPUT: CredentialInput = { client: '', name: 'SCIM client', scope: 'provision', expires: '' }

export function ApiKeysPage(props: ApiKeysProps) {
  const { administrator, tenant, tenantUrl, clients, tokens, secrets, failedAccess, now, done } = props
  const { apiKeys, log } = tenantPaths(tenant.id)
  const pages = { path: apiKeys, parameters: props.parameters }
  return (
    <Layout title="API Keys" administrator={administrator} tenant={tenant} current="apiKeys">
      <PageHead
        title="API Keys"
        lead="Each client authenticates with its own tokens or client secrets, or by federation."
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <ExpiryNotice tokens={tokens} secrets={secrets} now={now} />
      <Permitted>
        <Section
          id="generate"
          title="Generate a credential"
          aside={<a href={tenantPaths(tenant.id).connect}>Guides of the identity providers</a>}
        >
          <p class="muted">
            A client secret is for applications that ask for a token endpoint (OAuth 2.0 client credentials),
            a token for those that ask for a Secret Token. Applications that offer{' '}
            <b>Workload identity federation</b> need neither:{' '}
            <a href={`${apiKeys}/federation`}>connect by federation</a>.
          </p>
          <CredentialForm
            action={apiKeys}
            newId={props.newId}
            clients={clients}
            kinds={['token', 'secret']}
            hasScope
            input={props.input ?? EMPTY_INPUT}
            error={props.error}
          />
        </Section>
      </Permitted>
      <Section id="tokens" title="Tokens">
        <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
        <Credentials {...props} kind="token" id="tokens" endedId="ended">
          <EmptyState title="No valid tokens.">
            <p>Generate a token or a client secret above, then paste it into your identity provider.</p>
          </EmptyState>
        </Credentials>
      </Section>
      {secrets.length > 0 && (
        <Section id="secrets" title="Client secrets">
          <CopyField id="token-endpoint" label="Token Endpoint" value={props.tokenUrl} />
          <Credentials {...props} kind="secret" id="secrets" endedId="ended-secrets" />
        </Section>
      )}
      {clients.length > 0 && (
        <Section id="clients" title="Clients">
          <NumberedPages {...pages} items={clients} name="clients" label="clients">
            {(shown: readonly Client[]) => <ClientTable {...props} clients={shown} tenantId={tenant.id} />}
          </NumberedPages>
        </Section>
      )}
      {failedAccess.length > 0 && (
        <Section id="failed-access" title="Failed access">
          <p class="muted">
            Requests that name this tenant, with a token, client or secret that is not valid.{' '}
            <a href={withQuery(log, { outcome: 'refused', action: 'authenticate' })}>All entries</a>
          </p>
          <LogEntries tenantId={tenant.id} types={[]} entries={failedAccess} />
        </Section>
      )}
    </Layout>
  )
}

/** The valid credentials of a kind, then the others, folded. @param children what to show without valid ones */
function Credentials(
  props: ApiKeysProps & {
    readonly kind: Credential['kind']
    /** Of the section. */
    readonly id: string
    readonly endedId: string
    readonly children?: Child
  },
) {
  const { kind, id, endedId, tenant, clients, now, children, parameters } = props
  const all = credentialsOf(props).filter((credential) => credential.kind === kind)
  const live = all.filter((credential) => isLive(credential, now))
  const ended = all.filter((credential) => !isLive(credential, now))
  const table = { tenantId: tenant.id, all, clients, now }
  const pages = { path: tenantPaths(tenant.id).apiKeys, parameters, name: id, label: id }
  return (
    <>
      {live.length === 0 ? (
        children
      ) : (
        <NumberedPages {...pages} items={live}>
          {(shown: readonly Credential[]) => <CredentialTable {...table} credentials={shown} />}
        </NumberedPages>
      )}
      {ended.length > 0 && (
        <details id={endedId}>
          <summary>Revoked and expired ({ended.length})</summary>
          <CredentialTable {...table} credentials={ended} />
        </details>
      )}
    </>
  )
}

/** Asks for confirmation before a client is deleted. */
export function DeleteClientPage(props: Confirmed & { readonly client: Client }) {
  const { client, ...confirmed } = props
  return (
    <Confirmation
      {...confirmed}
      title="Delete a client"
      question={`Delete the client “${client.name}”?`}
      action={`clients/${client.id}/delete`}
      button="Delete"
    >
      All tokens and secrets of the client are refused from the next request on. The provisioning log still
      names the client. This cannot be undone.
    </Confirmation>
  )
}
