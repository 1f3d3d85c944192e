/**
 * Form fields with label, hint and error.
 */
import type { Child } from 'hono/jsx'

/** An error in a form. `field` is the name of the invalid field, if the error concerns one. */
export interface FormError {
  readonly field: string | undefined
  readonly message: string
}

/** The attributes that connect a control with its hint and its error. */
interface ControlAttributes {
  readonly id: string
  readonly name: string
  readonly 'aria-describedby'?: string
  readonly 'aria-invalid'?: 'true'
}

interface FieldProps {
  readonly id: string
  /** The name of the control, as in `FormError.field`. */
  readonly name: string
  readonly label: string
  readonly hint?: string | undefined
  readonly error?: FormError | undefined
  /** The control itself. */
  readonly control: (attributes: ControlAttributes) => Child
}

/** A field of a form. */
export function Field({ id, name, label, hint, error, control }: FieldProps) {
  const message = error?.field === name ? error.message : undefined
  const described = [hint && `${id}-hint`, message && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control({
        id,
        name,
        ...(described === '' ? {} : { 'aria-describedby': described }),
        ...(message === undefined ? {} : { 'aria-invalid': 'true' as const }),
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {message && (
        <p class="error" id={`${id}-error`}>
          {message}
        </p>
      )}
    </div>
  )
}

/** A drop-down list. */
export function Select({
  attributes,
  value,
  options,
}: {
  attributes: ControlAttributes
  value: string | undefined
  options: readonly (readonly [value: string, label: string])[]
}) {
  return (
    <select {...attributes}>
      {options.map(([option, label]) => (
        <option value={option} selected={option === (value ?? '')}>
          {label}
        </option>
      ))}
    </select>
  )
}

/** Shows an error that does not concern one of `fields`. */
export function FormNotice({ error, fields }: { error: FormError | undefined; fields: readonly string[] }) {
  if (error === undefined || (error.field !== undefined && fields.includes(error.field))) return null
  return (
    <p class="notice danger" role="alert">
      {error.message}
    </p>
  )
}
