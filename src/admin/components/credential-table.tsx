/**
 * Tokens or client secrets with their state and their actions. Only their last characters are stored, so nothing else of them
 * can be shown.
 */
import type { Client } from '../../storage/access/clients.ts'
import type { TokenScope } from '../../storage/access/tokens.ts'
import { type Credential, isLive, replacedBy, successorOf } from '../credentials.ts'
import { Badge } from './blocks.tsx'
import { Characters, labelOf, shownName } from './credential-name.tsx'
import { Expiry } from './expiry-notice.tsx'
import { credentialPath } from './paths.ts'
import { ChangeForm, Permitted } from './permitted.tsx'
import { type Column, RowTable } from './row-table.tsx'
import { Time } from './time.tsx'

interface CredentialTableProps {
  readonly tenantId: string
  readonly credentials: readonly Credential[]
  /** All of them, to look up what replaces one. */
  readonly all: readonly Credential[]
  /** The clients, to look up their names and scopes. */
  readonly clients: readonly Client[]
  readonly now: number
}

export function CredentialTable(props: CredentialTableProps) {
  const { credentials, clients, now } = props
  const clientOf = ({ clientId }: Credential) => clients.find(({ id }) => id === clientId)
  const columns: readonly Column<Credential>[] = [
    { label: 'State', cell: (one) => <State {...props} credential={one} /> },
    { label: 'Scope', class: 'nowrap', cell: (one) => scopeText(clientOf(one)?.scope) },
    { label: 'Created', class: 'number', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { label: 'Expires', class: 'number', cell: ({ expiresAt }) => <Expires at={expiresAt} now={now} /> },
    { label: 'Last used', class: 'number', cell: ({ lastUsedAt }) => <TimeOrNever at={lastUsedAt} /> },
  ]
  return (
    <RowTable
      rows={credentials}
      head={{ label: 'Name', cell: (one) => <Head credential={one} client={clientOf(one)} /> }}
      columns={columns}
      actions={(one) => isLive(one, now) && <Actions {...props} credential={one} />}
      isWide
    />
  )
}

/** "Read only"; a dash for a deleted client. */
export function scopeText(scope: TokenScope | undefined): string {
  if (scope === undefined) return '—'
  return scope === 'read' ? 'Read only' : 'Provision'
}

export function TimeOrNever({ at }: { readonly at: number | null }) {
  return at === null ? <>Never</> : <Time at={at} />
}

export function Expires({ at, now }: { readonly at: number | null; readonly now: number }) {
  return at === null ? <>Never</> : <Expiry at={at} now={now} />
}

/** A token that was generated with its client has the same name. */
function Head({
  credential,
  client,
}: {
  readonly credential: Credential
  readonly client: Client | undefined
}) {
  const name = client?.name
  return (
    <>
      <bdi>{shownName(credential)}</bdi>
      <span class="hint block">
        <Characters credential={credential} />
      </span>
      {name !== credential.name && (
        <span class="hint block">Client {name === undefined ? 'deleted' : <bdi>{name}</bdi>}</span>
      )}
    </>
  )
}

type RowProps = CredentialTableProps & { readonly credential: Credential }

function State({ credential, all, now }: RowProps) {
  if (credential.revokedAt !== null) {
    return (
      <>
        <Badge tone="off">Revoked</Badge> <Time at={credential.revokedAt} />
      </>
    )
  }
  if (!isLive(credential, now)) return <Badge tone="off">Expired</Badge>
  const successor = successorOf(credential, all, now)
  const old = replacedBy(credential, all, now)
  return (
    <>
      {successor === undefined ? <Badge tone="ok">Valid</Badge> : <Badge tone="warn">To be revoked</Badge>}
      {successor && (
        <span class="hint block">
          <Successor credential={successor} />
        </span>
      )}
      {old.map((one) => (
        <span class="hint block">
          Replaces {one.lastCharacters === null ? 'the old one' : <Characters credential={one} />}.
        </span>
      ))}
    </>
  )
}

/** What replaces a credential, and whether that is in use. */
function Successor({ credential }: { readonly credential: Credential }) {
  const name = credential.lastCharacters === null ? 'The new one' : <Characters credential={credential} />
  return credential.lastUsedAt === null ? (
    <>{name} replaces it and has not been used yet.</>
  ) : (
    <>{name} replaces it and is in use. Revoke this one.</>
  )
}

function Actions({ tenantId, credential, all, now }: RowProps) {
  const path = credentialPath(tenantId, credential)
  const label = labelOf(credential)
  return (
    <Permitted>
      <div class="actions">
        {successorOf(credential, all, now) === undefined ? (
          <a class="button quiet small" href={`${path}/rotate`} aria-label={`Rotate ${label}`}>
            Rotate
          </a>
        ) : (
          <ChangeForm action={`${path}/keep`}>
            <button type="submit" class="quiet small" aria-label={`Keep ${label}`}>
              Keep
            </button>
          </ChangeForm>
        )}
        <a class="button quiet small danger-text" href={`${path}/revoke`} aria-label={`Revoke ${label}`}>
          Revoke
        </a>
      </div>
    </Permitted>
  )
}
