/**
 * API Keys: forms to generate tokens and client secrets, the credentials and clients of a tenant, and failed access.
 */
import type { Child } from 'hono/jsx'
import type { ClientFacts } from '../../scim/client-health.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { ClientTable } from '../components/client-table.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { CredentialTable } from '../components/credential-table.tsx'
import { ExpiryNotice } from '../components/expiry-notice.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm, Permitted } from '../components/permitted.tsx'
import { PROVIDERS, type ProviderId, takesClientSecrets } from '../components/provider-cards.tsx'
import { type Access, type Credential, credentialsOf, isLive } from '../credentials.ts'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** The values of the form of one provider. */
export interface TokenForm {
  readonly provider: ProviderId
  /** The id of a client; empty for a new client. */
  readonly client: string
  readonly name: string
  readonly scope: string
  readonly expires: string
}

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
  /** The card that is open. */
  readonly open: ProviderId | undefined
  /** An id for the credential of each form, so that a form that is sent twice creates one. */
  readonly newIds: Readonly<Record<ProviderId, string>>
  /** The sent form, if it was refused. */
  readonly form?: TokenForm | undefined
  readonly error?: FormError | undefined
  /** A message about the last action. */
  readonly done?: string | undefined
}

const SCOPES = [
  ['provision', 'Provision: read and write'],
  ['read', 'Read only'],
] as const

export function ApiKeysPage(props: ApiKeysProps) {
  const { administrator, tenant, tenantUrl, clients, tokens, secrets, failedAccess, now, open, done } = props
  const { apiKeys, log } = tenantPaths(tenant.id)
  const hasNone = tokens.length === 0 && secrets.length === 0 && props.trusts.length === 0
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
        <h2 class="minor" id="generate">
          Connect
        </h2>
        <div class="cards">
          {PROVIDERS.map((provider) => (
            <details
              class="card"
              id={`provider-${provider.id}`}
              open={open === provider.id || (open === undefined && hasNone && provider.id === 'entra')}
            >
              <summary>{provider.name}</summary>
              <div class="card-body">
                <GenerateForm {...props} provider={provider.id} defaultName={provider.tokenName} />
                {provider.id === 'entra' && (
                  <p>
                    <a href={`${apiKeys}/federation`}>Connect by federation</a>, without a secret: for
                    applications that offer <b>Workload identity federation</b>.
                  </p>
                )}
              </div>
            </details>
          ))}
        </div>
      </Permitted>
      <Section id="tokens" title="Tokens">
        <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
        <Credentials {...props} kind="token" endedId="ended">
          <EmptyState title="No valid tokens.">
            <p>Generate a token or a client secret above, then paste it into your identity provider.</p>
          </EmptyState>
        </Credentials>
      </Section>
      {secrets.length > 0 && (
        <Section id="secrets" title="Client secrets">
          <CopyField id="token-endpoint" label="Token Endpoint" value={props.tokenUrl} />
          <Credentials {...props} kind="secret" endedId="ended-secrets" />
        </Section>
      )}
      {clients.length > 0 && (
        <Section id="clients" title="Clients">
          <ClientTable {...props} tenantId={tenant.id} />
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
    readonly endedId: string
    readonly children?: Child
  },
) {
  const { kind, endedId, tenant, clients, now, children } = props
  const all = credentialsOf(props).filter((credential) => credential.kind === kind)
  const live = all.filter((credential) => isLive(credential, now))
  const ended = all.filter((credential) => !isLive(credential, now))
  const table = { tenantId: tenant.id, all, clients, now }
  return (
    <>
      {live.length === 0 ? children : <CredentialTable {...table} credentials={live} />}
      {ended.length > 0 && (
        <details id={endedId}>
          <summary>Revoked and expired ({ended.length})</summary>
          <CredentialTable {...table} credentials={ended} />
        </details>
      )}
    </>
  )
}

function GenerateForm(props: ApiKeysProps & { provider: ProviderId; defaultName: string }) {
  const { provider, defaultName, tenant, clients, newIds } = props
  const takesSecrets = takesClientSecrets(provider)
  const isTyped = props.form?.provider === provider
  const error = isTyped ? props.error : undefined
  const form =
    isTyped && props.form ? props.form : { client: '', name: defaultName, scope: 'provision', expires: '' }
  return (
    <ChangeForm action={tenantPaths(tenant.id).apiKeys}>
      <FormNotice error={error} fields={['client', 'name', 'scope', 'expires']} />
      <input type="hidden" name="provider" value={provider} />
      <input type="hidden" name="id" value={newIds[provider]} />
      {clients.length > 0 && (
        <Field
          id={`${provider}-client`}
          name="client"
          label="Client"
          hint="A credential of an existing client has the scope of the client."
          error={error}
          control={(attributes) => (
            <Select
              attributes={attributes}
              value={form.client}
              options={[
                ['', 'New client with the name below'],
                ...clients.map(({ id, name }) => [id, name] as const),
              ]}
            />
          )}
        />
      )}
      <Field
        id={`${provider}-name`}
        name="name"
        label="Name"
        hint="Identifies the credential in the provisioning log."
        error={error}
        control={(attributes) => (
          <input {...attributes} value={form.name} maxlength={100} required autocomplete="off" />
        )}
      />
      <Field
        id={`${provider}-scope`}
        name="scope"
        label="Scope"
        error={error}
        control={(attributes) => <Select attributes={attributes} value={form.scope} options={SCOPES} />}
      />
      <Field
        id={`${provider}-expires`}
        name="expires"
        label="Last day (optional)"
        hint={EXPIRY_HINT[takesSecrets ? 'both' : 'token']}
        error={error}
        control={(attributes) => <input {...attributes} type="date" value={form.expires} />}
      />
      {takesSecrets && (
        <p class="field muted">
          A client secret is for applications that ask for a token endpoint (OAuth 2.0 client credentials), a
          token for those that ask for a Secret Token.
        </p>
      )}
      <div class="field actions">
        {takesSecrets && (
          <button type="submit" class="primary" name="credential" value="secret">
            Generate Client Secret
          </button>
        )}
        <button type="submit" class={takesSecrets ? 'quiet' : 'primary'} name="credential" value="token">
          Generate Token
        </button>
      </div>
    </ChangeForm>
  )
}

const EXPIRY_HINT = {
  token: 'The token expires at the end of this day (UTC). If empty, it does not expire.',
  both: 'The credential expires at the end of this day (UTC). If empty, a client secret expires in a year, and a token does not expire.',
} as const

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
