/**
 * Disables one user at once: the button, and the note to whoever looks at the user next.
 */
import type { EmergencyDisable } from '../../storage/guard/emergency.ts'
import { Notice } from './blocks.tsx'
import { ChangeForm, Permitted } from './permitted.tsx'
import { Time } from './time.tsx'

interface EmergencyProps {
  /** The path of the user's page. */
  readonly path: string
  readonly isActive: boolean
  /** Undefined unless an administrator has disabled the user, and no client has enabled it since. */
  readonly emergency: EmergencyDisable | undefined
}

/** The action that is possible: to disable an active user, or to enable one whom an administrator has disabled. */
export function EmergencyAction({ path, isActive, emergency }: EmergencyProps) {
  if (isActive) {
    return (
      <Permitted>
        <a class="button quiet danger-text" href={`${path}/disable`}>
          Disable now
        </a>
      </Permitted>
    )
  }
  return emergency === undefined ? null : (
    <ChangeForm action={`${path}/enable`}>
      <button type="submit" class="quiet">
        Enable again
      </button>
    </ChangeForm>
  )
}

/** Nothing if the identity provider has disabled the user itself, or has enabled it since. */
export function EmergencyNote({ isActive, emergency }: Omit<EmergencyProps, 'path'>) {
  if (isActive || emergency === undefined) return null
  return (
    <Notice tone="warn" title="Disabled by an administrator">
      <p>
        <Time at={emergency.time} />: <bdi>{emergency.detail}</bdi>
      </p>
      <p>
        The identity provider had this user as active then. Unless it has disabled the user since, it may
        enable the user again: when the user changes there, or when its provisioning is restarted.
      </p>
    </Notice>
  )
}
