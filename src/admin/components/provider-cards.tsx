/**
 * Identity providers that can provision into a tenant, as cards that open to what has to be set there.
 */
import type { Child } from 'hono/jsx'
import { CopyField } from './copy-field.tsx'

export const PROVIDERS = [
  { id: 'entra', name: 'Microsoft Entra ID', tokenName: 'Microsoft Entra ID' },
  { id: 'okta', name: 'Okta', tokenName: 'Okta' },
  { id: 'other', name: 'Other SCIM client', tokenName: 'SCIM client' },
] as const

export type ProviderId = (typeof PROVIDERS)[number]['id']

/** What a card needs to say what to paste where. */
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

/** The cards, all closed unless one is asked for. */
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
          Open the <KeysLink apiKeysPath={apiKeysPath} provider="entra" /> and generate a token. It is shown
          once.
        </li>
        <li>
          In the Microsoft Entra admin center, open <b>Enterprise apps</b>, your application, then{' '}
          <b>Provisioning</b>, and set the mode to <b>Automatic</b>.
        </li>
        <li>
          Under <b>Admin Credentials</b>, paste Tenant URL and Secret Token, and press <b>Test Connection</b>.
        </li>
        <li>
          Assign users and groups, set the provisioning status to <b>On</b>, and save.
        </li>
      </ol>
      <CopyField id="entra-url" label="Tenant URL" value={tenantUrl} />
      <ul class="notes">
        <li>
          Users match by <code>userName</code>, groups by <code>displayName</code>.
        </li>
        <li>
          At most {groupLimit} groups; groups beyond are refused and named in the provisioning log. Members of
          nested groups are not sent by Entra.
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
          Fill in: <b>SCIM connector base URL</b> as below, <b>Unique identifier field for users</b>{' '}
          <code>userName</code>, <b>Authentication Mode</b> HTTP Header with the token.
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
          Open the <KeysLink apiKeysPath={apiKeysPath} provider="other" /> and generate a token. It is shown
          once.
        </li>
        <li>
          Give the client the base URL below, and the token as <code>Authorization: Bearer</code>.
        </li>
        <li>
          What is supported can be read at <code>/ServiceProviderConfig</code>, <code>/ResourceTypes</code>{' '}
          and <code>/Schemas</code> below that URL.
        </li>
      </ol>
      <CopyField id="other-url" label="SCIM base URL" value={tenantUrl} />
    </>
  )
}
