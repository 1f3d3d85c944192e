/**
 * The form that generates a token or a client secret.
 */
import type { OfferedClient } from '../../storage/access/clients.ts'
import type { CredentialKind } from '../../storage/access/replacements.ts'
import { visibleName } from '../hidden-characters.ts'
import { LastDayField, NameField } from './credential-fields.tsx'
import { Field, type FormError, FormNotice, Select } from './form.tsx'
import { ChangeForm } from './permitted.tsx'

/** The values that an administrator types. */
export interface CredentialInput {
  /** The id of a client; empty for a new client. */
  readonly client: string
  readonly name: string
  readonly scope: string
  readonly expires: string
}

const SCOPES = [
  ['provision', 'Provision: read and write'],
  ['read', 'Read only'],
] as const

const BUTTONS = { secret: 'Generate Client Secret', token: 'Generate Token' } as const

export function CredentialForm(props: {
  /** Where the form is sent to. */
  readonly action: string
  /** The id of the credential, so that a form that is sent twice creates one. */
  readonly newId: string
  /** The clients that the credential may be for. */
  readonly clients: readonly OfferedClient[]
  /** Its buttons; the first one stands out. */
  readonly kinds: readonly CredentialKind[]
  /** Without it, the scope is "provision". */
  readonly hasScope: boolean
  readonly input: CredentialInput
  readonly error: FormError | undefined
}) {
  const { action, newId, clients, kinds, hasScope, input, error } = props
  const fields = [clients.length > 0 ? 'client' : '', 'name', hasScope ? 'scope' : '', 'expires']
  return (
    <ChangeForm action={action}>
      <FormNotice error={error} fields={fields} />
      <input type="hidden" name="id" value={newId} />
      {clients.length > 0 && (
        <Field
          id="new-client"
          name="client"
          label="Client"
          hint="A credential of an existing client has the scope of the client."
          error={error}
          control={(attributes) => (
            <Select
              attributes={attributes}
              value={input.client}
              options={[
                ['', 'New client with the name below'],
                ...clients.map(({ id, name }) => [id, visibleName(name, id)] as const),
              ]}
            />
          )}
        />
      )}
      <NameField
        id="new-name"
        hint="Identifies the credential in the provisioning log."
        value={input.name}
        error={error}
      />
      {hasScope && (
        <Field
          id="new-scope"
          name="scope"
          label="Scope"
          error={error}
          control={(attributes) => <Select attributes={attributes} value={input.scope} options={SCOPES} />}
        />
      )}
      <LastDayField
        id="new-expires"
        of={kinds.includes('secret') ? 'both' : 'token'}
        value={input.expires}
        error={error}
      />
      <div class="field actions">
        {kinds.map((kind, i) => (
          <button type="submit" class={i === 0 ? 'primary' : 'quiet'} name="credential" value={kind}>
            {BUTTONS[kind]}
          </button>
        ))}
      </div>
    </ChangeForm>
  )
}
