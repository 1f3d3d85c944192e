/**
 * The pages of client secrets: a new one, and the confirmation of a revocation.
 */
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import { Notice, PageHead } from '../components/blocks.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Time } from '../components/time.tsx'
import { Layout } from '../layout.tsx'

/** The only page that shows a secret. */
export function NewSecretPage(
  props: Confirmed & {
    readonly tenantUrl: string
    readonly tokenUrl: string
    readonly secret: SecretInfo
    /** The secret itself. */
    readonly text: string
    /** True if the secret replaces another one. */
    readonly isRotation: boolean
  },
) {
  const { administrator, tenant, tenantUrl, tokenUrl, secret, text, isRotation } = props
  return (
    <Layout title="Your new client secret" administrator={administrator} tenant={tenant} current="apiKeys">
      <PageHead title="Your new client secret" lead={secret.name} />
      <Notice tone="warn" title="Copy the secret now. It will not be shown again.">
        <p>Only a hash of the secret is stored. If you lose it, generate another one and revoke this one.</p>
      </Notice>
      <section class="panel" aria-label="The values for the client">
        <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
        <CopyField id="token-endpoint" label="Token Endpoint" value={tokenUrl} />
        <CopyField id="client-identifier" label="Client Identifier" value={secret.clientId} />
        <CopyField id="client-secret" label="Client Secret" value={text} />
        <p>
          Paste them into your identity provider — in Microsoft Entra under <b>Provisioning</b> — and press{' '}
          <b>Test connection</b>. The secret expires on <Time at={secret.expiresAt} />.
          {isRotation &&
            ' The old secret stays valid until you revoke it. Revoke it once the new secret is in use.'}
        </p>
        <p class="actions">
          <a class="button primary" href={tenantPaths(tenant.id).apiKeys}>
            I have copied it
          </a>
        </p>
      </section>
    </Layout>
  )
}

/** Asks for confirmation before a secret is revoked. */
export function RevokeSecretPage({ secret, ...confirmed }: Confirmed & { readonly secret: SecretInfo }) {
  return (
    <Confirmation
      {...confirmed}
      title="Revoke a client secret"
      question={`Revoke the secret “${secret.name}”, …${secret.lastCharacters}?`}
      action={`secrets/${secret.id}/revoke`}
      button="Revoke"
    >
      The secret and the access tokens that were issued for it are refused from now on.{' '}
      {secret.lastUsedAt !== null && 'It has been used.'} This cannot be undone: unless the client has another
      secret, it needs a new one.
    </Confirmation>
  )
}
