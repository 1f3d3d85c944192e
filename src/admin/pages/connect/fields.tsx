/**
 * The fields of a provider's page, with the values to enter there.
 */
import type { CredentialKind } from '../../../storage/access/replacements.ts'
import { CopyField } from '../../components/copy-field.tsx'
import type { ConnectGuide, GuideField, ServerValue } from './guide.ts'
import { MarkedText } from './marked-text.tsx'

/** The values that are known. A secret is known only on the page that was made with it. */
export type KnownValues = Readonly<Partial<Record<ServerValue, string>>>

const UNKNOWN: Readonly<Record<ServerValue, string>> = {
  tenantUrl: '',
  tokenUrl: '',
  clientId: 'The identifier of the client. It is shown with the client secret.',
  token: 'The token. It is shown once, when you generate it above.',
  secret: 'The client secret. It is shown once, when you generate it above.',
}

export function GuideFields(props: {
  readonly guide: ConnectGuide
  readonly values: KnownValues
  /** The kind of the credential that was generated; undefined before. */
  readonly kind: CredentialKind | undefined
}) {
  const { guide, values, kind } = props
  const hasBoth = guide.credentials.length > 1
  const fields = guide.fields.filter(
    ({ with: only }) => kind === undefined || only === undefined || only === kind,
  )
  return (
    <div class="guide-fields">
      {fields.map((field, i) => (
        <Field id={`value-${i}`} field={field} values={values} marksKind={hasBoth && kind === undefined} />
      ))}
    </div>
  )
}

const ONLY_WITH = { token: 'With a token.', secret: 'With a client secret.' } as const

function Field(props: {
  readonly id: string
  readonly field: GuideField
  readonly values: KnownValues
  /** Whether to say that a field is only there with one kind of credential. */
  readonly marksKind: boolean
}) {
  const { id, field, values, marksKind } = props
  const copied = copiedValue(field, values)
  const only = marksKind && field.with !== undefined ? ONLY_WITH[field.with] : undefined
  return (
    <div>
      {copied === undefined ? (
        <p class="field">
          <b class="label">{field.label}</b>
          <span class="muted">{chosenText(field)}</span>
        </p>
      ) : (
        <CopyField id={id} label={field.label} value={copied} />
      )}
      {(only !== undefined || field.hint !== undefined) && (
        <p class="hint">
          {only} {field.hint !== undefined && <MarkedText text={field.hint} />}
        </p>
      )}
    </div>
  )
}

function copiedValue({ value }: GuideField, values: KnownValues): string | undefined {
  if (typeof value === 'string') return values[value]
  return 'copy' in value ? value.copy : undefined
}

function chosenText({ value }: GuideField): string {
  if (typeof value === 'string') return UNKNOWN[value]
  return 'choose' in value ? value.choose : value.copy
}
