/**
 * The federation of a client: the values for its identity provider, and the form with those of the identity provider.
 */
import type { Client } from '../../storage/access/clients.ts'
import { PageHead, Section } from '../components/blocks.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import type { FederationForm } from '../federation-form.ts'
import { Layout } from '../layout.tsx'

interface FederationPageProps extends Confirmed {
  /** Undefined: the form creates one. */
  readonly client: Pick<Client, 'id' | 'name'> | undefined
  /** The id of the client that the form creates, so that a form that is sent twice creates one. */
  readonly newClientId?: string
  /** Whether the client has a federation. */
  readonly isFederated: boolean
  /** Whether its keys were entered instead of their URL, which only the admin API can do. */
  readonly hasOwnKeys?: boolean
  readonly tenantUrl: string
  readonly tokenUrl: string
  readonly form: FederationForm
  readonly error?: FormError | undefined
  readonly done?: string | undefined
}

const SCOPES = [
  ['provision', 'Provision: read and write'],
  ['read', 'Read only'],
] as const

export function FederationPage(props: FederationPageProps) {
  const { administrator, tenant, client, isFederated, tenantUrl, tokenUrl, done } = props
  const title = 'Federation'
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current="apiKeys">
      <PageHead
        title={title}
        lead={
          client?.name ??
          'Microsoft Entra ID presents an assertion that it has signed. No secret is stored, and none expires.'
        }
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      {client && isFederated && (
        <Section id="values" title="Values for the identity provider">
          <p class="muted">
            In Microsoft Entra, paste these values on the connectivity page of the application, and press{' '}
            <b>Test connection</b>. None of them is a secret.
          </p>
          <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
          <CopyField id="token-url" label="Token Endpoint" value={tokenUrl} />
          <CopyField id="client-id" label="Client Identifier" value={client.id} />
        </Section>
      )}
      <Section id="trust" title="Values of the identity provider">
        <p class="muted">
          In the Microsoft Entra admin center, open the application, choose{' '}
          <b>Workload identity federation</b> for its provisioning, select a workload identity that no other
          service uses, and copy its values here.
        </p>
        {props.hasOwnKeys && (
          <p>
            The keys of this federation were entered with the admin API. This form replaces them by a URL.
          </p>
        )}
        <TrustForm {...props} />
      </Section>
    </Layout>
  )
}

function TrustForm(props: FederationPageProps) {
  const { tenant, client, isFederated, form, error } = props
  const { apiKeys } = tenantPaths(tenant.id)
  const isDetailed = error?.field === 'issuer' || error?.field === 'jwksUri' || error?.field === 'azp'
  return (
    <ChangeForm action={client ? `${apiKeys}/clients/${client.id}/federation` : `${apiKeys}/federation`}>
      <FormNotice error={error} fields={FIELDS} />
      {client === undefined && <ClientFields {...props} />}
      <TextField
        {...{ form, error }}
        name="tid"
        label="Tenant ID"
        hint="The directory (tenant) ID in the Entra admin center."
      />
      <TextField
        {...{ form, error }}
        name="subject"
        label="Subject (sub)"
        hint="The object ID of the workload identity, as the provisioning page shows it."
        required
      />
      <TextField
        {...{ form, error }}
        name="audiences"
        label="Audience (aud)"
        hint="The application ID, or a text such as api://…/.default. Entra sends it in one of several forms. Each is accepted."
        required
      />
      <details open={isDetailed || form.issuer !== '' || form.jwksUri !== '' || form.azp !== ''}>
        <summary>Issuer and keys</summary>
        <TextField
          {...{ form, error }}
          name="issuer"
          label="Issuer (iss)"
          hint="If empty, that of the tenant: https://login.microsoftonline.com/<tenant ID>/v2.0"
        />
        <TextField
          {...{ form, error }}
          name="jwksUri"
          label="JWKS URL"
          hint="If empty, that of the issuer: …/discovery/v2.0/keys"
        />
        <TextField
          {...{ form, error }}
          name="azp"
          label="Authorized party (azp)"
          hint="If given, only this application may request the assertion."
        />
      </details>
      <p class="actions">
        <button type="submit" class="primary">
          {isFederated ? 'Replace' : 'Connect'}
        </button>
        <a class="button quiet" href={apiKeys}>
          Back to API Keys
        </a>
        {client && isFederated && (
          <a class="button quiet danger-text" href={`${apiKeys}/clients/${client.id}/federation/remove`}>
            Remove
          </a>
        )}
      </p>
    </ChangeForm>
  )
}

const FIELDS = [
  'name',
  'scope',
  'tid',
  'subject',
  'audiences',
  'issuer',
  'jwksUri',
  'azp',
] as const satisfies readonly (keyof FederationForm)[]

function ClientFields({ form, error, newClientId }: FederationPageProps) {
  return (
    <>
      <input type="hidden" name="id" value={newClientId} />
      <TextField
        {...{ form, error }}
        name="name"
        label="Name"
        hint="Identifies the client in the provisioning log."
        required
      />
      <Field
        id="scope"
        name="scope"
        label="Scope"
        error={error}
        control={(attributes) => <Select attributes={attributes} value={form.scope} options={SCOPES} />}
      />
    </>
  )
}

function TextField(props: {
  readonly form: FederationForm
  readonly error: FormError | undefined
  readonly name: Exclude<keyof FederationForm, 'scope'>
  readonly label: string
  readonly hint: string
  readonly required?: boolean
}) {
  const { form, error, name, label, hint, required = false } = props
  return (
    <Field
      {...{ id: name, name, label, hint, error }}
      control={(attributes) => (
        <input
          {...attributes}
          value={form[name]}
          class={name === 'name' ? undefined : 'mono'}
          required={required}
          spellcheck={false}
          autocomplete="off"
        />
      )}
    />
  )
}

/** Asks for confirmation before a federation is removed. */
export function RemoveFederationPage({
  client,
  ...confirmed
}: Confirmed & { readonly client: Pick<Client, 'id' | 'name'> }) {
  return (
    <Confirmation
      {...confirmed}
      title="Remove a federation"
      question={`Remove the federation of “${client.name}”?`}
      action={`clients/${client.id}/federation/remove`}
      button="Remove"
    >
      The client gets no more access tokens for its assertions, and those that it has are refused from now on.
    </Confirmation>
  )
}
