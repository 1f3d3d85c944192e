/** Asks for confirmation before a user is disabled at once. */
import { MAX_REASON_CHARACTERS } from '../../scim/limits.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { tenantPaths } from '../components/paths.ts'

export function DisablePage(
  props: Confirmed & {
    readonly type: ResourceType
    readonly id: string
    readonly name: string
    readonly reason: string
    readonly error: FormError | undefined
  },
) {
  const { type, id, name, reason, error, ...confirmed } = props
  return (
    <Confirmation
      {...confirmed}
      title="Disable a user"
      question={
        <>
          Disable “<bdi>{name}</bdi>” now?
        </>
      }
      details={<FormNotice error={error} fields={['reason']} />}
      fields={
        <Field
          id="reason"
          name="reason"
          label="Reason (optional)"
          hint="For the next administrator. It is in the provisioning log."
          error={error}
          control={(attributes) => (
            <input {...attributes} value={reason} maxlength={MAX_REASON_CHARACTERS} autocomplete="off" />
          )}
        />
      }
      action="disable"
      button="Disable now"
      cancel="Cancel"
      back={`${tenantPaths(confirmed.tenant.id).listOf(type)}/${pathSegment(id)}`}
      current="directory"
    >
      The user becomes inactive at once, for everyone who reads this directory, and keeps its groups. The
      identity provider does not learn of it, and may enable the user again: disable the user there too.
    </Confirmation>
  )
}
