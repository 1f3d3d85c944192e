/**
 * Fields of every form that generates a credential: for clients, and for administrators.
 */
import { Field, type FormError } from './form.tsx'

interface CredentialFieldProps {
  readonly id: string
  readonly value: string
  readonly error: FormError | undefined
}

export function NameField({ id, value, hint, error }: CredentialFieldProps & { readonly hint: string }) {
  return (
    <Field
      id={id}
      name="name"
      label="Name"
      hint={hint}
      error={error}
      control={(attributes) => (
        <input {...attributes} value={value} maxlength={100} required autocomplete="off" />
      )}
    />
  )
}

const EXPIRY_HINTS = {
  token: 'The token expires at the end of this day (UTC). If empty, it does not expire.',
  both: 'The credential expires at the end of this day (UTC). If empty, a client secret expires in a year, and a token does not expire.',
} as const

export function LastDayField({
  id,
  of,
  value,
  error,
}: CredentialFieldProps & { readonly of: keyof typeof EXPIRY_HINTS }) {
  return (
    <Field
      id={id}
      name="expires"
      label="Last day (optional)"
      hint={EXPIRY_HINTS[of]}
      error={error}
      control={(attributes) => <input {...attributes} type="date" value={value} />}
    />
  )
}
