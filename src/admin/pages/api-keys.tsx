/**
 * API Keys: forms to generate tokens and client secrets, the credentials and clients of a tenant, and failed access.
 */
import type { ClientFacts } from '../../scim/client-health.ts'
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import type { Trust } from '../../storage/access/trusts.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { ClientTable } from '../components/client-table.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { ExpiryNotice } from '../components/expiry-notice.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { PROVIDERS, type ProviderId, takesClientSecrets } from '../components/provider-cards.tsx'
import { isLiveSecret, SecretTable } from '../components/secret-table.tsx'
import { isLive, TokenTable } from '../components/token-table.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type LayoutProps, type PageTenant } from '../layout.tsx'

/** The values of the form of one provider. */
export interface TokenForm {
  readonly provider: ProviderId
  /** The id of a client; empty for a new client. */
  readonly client: string
  readonly name: string
  readonly scope: string
  readonly expires: string
}

export interface ApiKeysProps {
  readonly administrator: Administrator
  readonly now: number
  readonly tenant: PageTenant
  readonly tenantUrl: string
  /** The token endpoint. */
  readonly tokenUrl: string
  readonly clients: readonly Client[]
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  /** The federations of the clients. */
  readonly trusts: readonly Trust[]
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
  const live = tokens.filter((token) => isLive(token, now))
  const ended = tokens.filter((token) => !isLive(token, now))
  const { apiKeys, log } = tenantPaths(tenant.id)
  const liveSecrets = secrets.filter((secret) => isLiveSecret(secret, now))
  const endedSecrets = secrets.filter((secret) => !isLiveSecret(secret, now))
  const hasNone = tokens.length === 0 && secrets.length === 0 && props.trusts.length === 0
  const common = { clients, now, path: apiKeys, newId: props.newIds.other }
  const table = { ...common, all: tokens }
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
      <Section id="tokens" title="Tokens">
        <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
        {live.length === 0 ? (
          <EmptyState title="No valid tokens.">
            <p>Generate a token or a client secret above, then paste it into your identity provider.</p>
          </EmptyState>
        ) : (
          <TokenTable tokens={live} {...table} />
        )}
        {ended.length > 0 && (
          <details id="ended">
            <summary>Revoked and expired ({ended.length})</summary>
            <TokenTable tokens={ended} {...table} />
          </details>
        )}
      </Section>
      {secrets.length > 0 && (
        <Section id="secrets" title="Client secrets">
          <CopyField id="token-endpoint" label="Token Endpoint" value={props.tokenUrl} />
          {liveSecrets.length > 0 && <SecretTable secrets={liveSecrets} {...common} />}
          {endedSecrets.length > 0 && (
            <details id="ended-secrets">
              <summary>Revoked and expired ({endedSecrets.length})</summary>
              <SecretTable secrets={endedSecrets} {...common} />
            </details>
          )}
        </Section>
      )}
      {clients.length > 0 && (
        <Section id="clients" title="Clients">
          <ClientTable
            clients={clients}
            facts={props.facts}
            tokens={tokens}
            secrets={secrets}
            trusts={props.trusts}
            now={now}
            path={apiKeys}
            logPath={log}
          />
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

function GenerateForm(props: ApiKeysProps & { provider: ProviderId; defaultName: string }) {
  const { provider, defaultName, tenant, clients, newIds } = props
  const takesSecrets = takesClientSecrets(provider)
  const isTyped = props.form?.provider === provider
  const error = isTyped ? props.error : undefined
  const form =
    isTyped && props.form ? props.form : { client: '', name: defaultName, scope: 'provision', expires: '' }
  return (
    <form method="post" action={tenantPaths(tenant.id).apiKeys}>
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
    </form>
  )
}

const EXPIRY_HINT = {
  token: 'The token expires at the end of this day (UTC). If empty, it does not expire.',
  both: 'The credential expires at the end of this day (UTC). If empty, a client secret expires in a year, and a token does not expire.',
} as const

/** The only page that shows a token. */
export function NewTokenPage(props: {
  readonly administrator: Administrator
  readonly tenant: NonNullable<LayoutProps['tenant']>
  readonly tenantUrl: string
  readonly name: string
  readonly token: string
  /** True if the token replaces another one. */
  readonly isRotation: boolean
}) {
  const { administrator, tenant, tenantUrl, name, token, isRotation } = props
  const paths = tenantPaths(tenant.id)
  return (
    <Layout title="Your new token" administrator={administrator} tenant={tenant} current="apiKeys">
      <PageHead title="Your new token" lead={name} />
      <Notice tone="warn" title="Copy the token now. It will not be shown again.">
        <p>Only a hash of the token is stored. If you lose it, generate another one and revoke this one.</p>
      </Notice>
      <section class="panel" aria-label="Tenant URL and token">
        <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
        <CopyField id="secret-token" label="Secret Token" value={token} />
        <p>
          Paste both into your identity provider — in Microsoft Entra under <b>Provisioning</b> — and press{' '}
          <b>Test connection</b>.
          {isRotation &&
            ' The old token stays valid until you revoke it. Revoke it once the new token is in use.'}
        </p>
        <p class="actions">
          <a class="button primary" href={paths.apiKeys}>
            I have copied it
          </a>
        </p>
      </section>
    </Layout>
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

/** Asks for confirmation before a token is revoked. */
export function RevokeTokenPage(props: Confirmed & { readonly token: ListedToken }) {
  const { token, ...confirmed } = props
  return (
    <Confirmation
      {...confirmed}
      title="Revoke a token"
      question={`Revoke “${token.name}”?`}
      action={`${token.id}/revoke`}
      button="Revoke"
    >
      Requests with this token are refused from now on. {token.lastUsedAt !== null && 'It has been used.'}{' '}
      This cannot be undone: the client then needs a new token.
    </Confirmation>
  )
}
