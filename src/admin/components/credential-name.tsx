/**
 * How a token or a client secret is named: by the name that an administrator gave it, and by its characters, because a
 * rotation keeps the name.
 */
import { type Credential, charactersOf } from '../credentials.ts'
import { visibleName } from '../hidden-characters.ts'

/** “Entra” scim_…x1yZ */
export function CredentialName({ credential }: { readonly credential: Credential }) {
  return (
    <>
      “<bdi>{shownName(credential)}</bdi>” <Characters credential={credential} />
    </>
  )
}

/** Nothing for a token whose last characters are not stored. */
export function Characters({ credential }: { readonly credential: Credential }) {
  const characters = charactersOf(credential)
  return characters === undefined ? null : <code class="nowrap">{characters}</code>
}

export function shownName({ name }: Pick<Credential, 'name'>): string {
  return visibleName(name, 'Without a name')
}

/** For the label of a button: "the token Entra scim_…x1yZ". */
export function labelOf(credential: Credential): string {
  return `the ${credential.kind} ${credential.name} ${charactersOf(credential) ?? ''}`.trimEnd()
}
