/**
 * Cards with the setup steps of each identity provider.
 */
import type { Child } from 'hono/jsx'
import { CopyField } from './copy-field.tsx'

export const PROVIDERS = [
  { id: 'entra', name: 'Microsoft Entra ID', tokenName: 'Microsoft Entra ID' },
  { id: 'okta', name: 'Okta', tokenName: 'Okta' },
  { id: 'other', name: 'Other SCIM client', tokenName: 'SCIM client' },
] as const

export type ProviderId = (typeof PROVIDERS)[number]['id']

/** Okta has no client credentials for SCIM: https://developer.okta.com/docs/concepts/scim/faqs */
export function takesClientSecrets(provider: ProviderId): boolean {
  return provider !== 'okta'
}

/** The values that the steps refer to. */
export interface ProviderCardProps {
  readonly tenantUrl: string
  readonly apiKeysPath: string
  readonly groupLimit: number
}

const STEPS: Readonly<Record<ProviderId, (props: ProviderCardProps) => Child>> = {
  entra: EntraSteps,
  okta: OktaSteps,
  other: OtherSteps,
}

/** The cards. All are closed except `open`. */
export function ProviderCards({ open, ...props }: ProviderCardProps & { open: ProviderId | undefined }) {
  return (
    <div class="cards">
      {PROVIDERS.map(({ id, name }) => {
        const Steps = STEPS[id]
        return (
          <details class="card" id={`provider-${id}`} open={open === id}>
            <summary>{name}</summary>
            <div class="card-body">
              <Steps {...props} />
            </div>
          </details>
        )
      })}
    </div>
  )
}

function KeysLink({ apiKeysPath, provider }: { apiKeysPath: string; provider: ProviderId }) {
  return <a href={`${apiKeysPath}?for=${provider}#generate`}>API Keys page</a>
}

function EntraSteps({ tenantUrl, apiKeysPath, groupLimit }: ProviderCardProps) {
  return (
    <>
      <ol class="steps">
        <li>
          Open the <KeysLink apiKeysPath={apiKeysPath} provider="entra" />. If your application offers{' '}
          <b>Workload identity federation</b>, connect by federation. If it has a field <b>Token Endpoint</b>,
          generate a client secret, otherwise a token. Either is shown once.
        </li>
        <li>
          In the Microsoft Entra admin center, open <b>Enterprise apps</b>, your application, then{' '}
          <b>Provisioning</b>, and press <b>New configuration</b>.
        </li>
        <li>
          Paste Tenant URL, Token Endpoint, Client Identifier and Client Secret, or Tenant URL and Secret
          Token. Press <b>Test connection</b>, then <b>Create</b>.
        </li>
        <li>
          Assign users and groups, and press <b>Start provisioning</b>.
        </li>
      </ol>
      <CopyField id="entra-url" label="Tenant URL" value={tenantUrl} />
      <ul class="notes">
        <li>
          Users match by <code>userName</code>, groups by <code>displayName</code>.
        </li>
        <li>
          This tenant accepts up to {groupLimit} groups. Further groups are refused; the provisioning log
          names them. Entra does not send the members of nested groups.
        </li>
        <li>
          For devices that report the on-premises objectGUID, map it to{' '}
          <code>urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId</code>.
        </li>
      </ul>
    </>
  )
}

function OktaSteps({ tenantUrl, apiKeysPath }: ProviderCardProps) {
  return (
    <>
      <ol class="steps">
        <li>
          Open the <KeysLink apiKeysPath={apiKeysPath} provider="okta" /> and generate a token. It is shown
          once.
        </li>
        <li>
          In the Okta admin console, enable SCIM provisioning for the application, then open{' '}
          <b>Integration</b> on its <b>Provisioning</b> tab.
        </li>
        <li>
          Set <b>SCIM connector base URL</b> to the value below, <b>Unique identifier field for users</b> to{' '}
          <code>userName</code>, and <b>Authentication Mode</b> to HTTP Header with the token. The word{' '}
          <code>Bearer</code> before it is optional.
        </li>
        <li>
          Choose <b>Push New Users</b>, <b>Push Profile Updates</b> and <b>Push Groups</b>, test, and save.
        </li>
      </ol>
      <CopyField id="okta-url" label="SCIM connector base URL" value={tenantUrl} />
    </>
  )
}

function OtherSteps({ tenantUrl, apiKeysPath }: ProviderCardProps) {
  return (
    <>
      <ol class="steps">
        <li>
          Open the <KeysLink apiKeysPath={apiKeysPath} provider="other" /> and generate a client secret or a
          token. It is shown once.
        </li>
        <li>
          Give the client the base URL below, and the client secret (OAuth 2.0 client credentials) or the
          token (<code>Authorization: Bearer</code>).
        </li>
        <li>
          The endpoints <code>/ServiceProviderConfig</code>, <code>/ResourceTypes</code> and{' '}
          <code>/Schemas</code> below that URL describe the supported features.
        </li>
      </ol>
      <CopyField id="other-url" label="SCIM base URL" value={tenantUrl} />
    </>
  )
}
