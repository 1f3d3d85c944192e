/**
 * The pages of one token or client secret: a new one, and the questions before it is rotated or revoked.
 */
import type { Child } from 'hono/jsx'
import type { Client } from '../../storage/access/clients.ts'
import { Notice, PageHead } from '../components/blocks.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { CredentialName } from '../components/credential-name.tsx'
import { Expires, scopeText, TimeOrNever } from '../components/credential-table.tsx'
import { Fact } from '../components/fact.tsx'
import { credentialPath, tenantPaths } from '../components/paths.ts'
import { Time } from '../components/time.tsx'
import { type Credential, isLive, type Remaining, replacedBy, successorOf } from '../credentials.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout } from '../layout.tsx'

const KINDS = { token: 'token', secret: 'client secret' } as const

interface NewCredentialProps extends Confirmed {
  readonly tenantUrl: string
  /** The token endpoint. */
  readonly tokenUrl: string
  readonly credential: Credential
  /** The token or secret itself. */
  readonly text: string
  /** What it replaces, if it is a rotation. */
  readonly old?: Credential | undefined
}

/** The only page that shows a token or secret. */
export function NewCredentialPage(props: NewCredentialProps) {
  const { administrator, tenant, credential, old } = props
  const { kind } = credential
  const title = `Your new ${KINDS[kind]}`
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current="apiKeys">
      <PageHead title={title} lead={<CredentialName credential={credential} />} />
      <Notice tone="warn" title={`Copy the ${kind} now. It will not be shown again.`}>
        <p>
          Only a hash and the last characters are stored. If you lose it, generate another one and revoke this
          one.
        </p>
      </Notice>
      <section class="panel" aria-label="The values for the client">
        <Values {...props} />
        <p>
          Paste {kind === 'token' ? 'both' : 'them'} into your identity provider — in Microsoft Entra under{' '}
          <b>Provisioning</b> — and press <b>Test connection</b>.
          {credential.expiresAt !== null && (
            <>
              {' '}
              The {kind} expires on <Time at={credential.expiresAt} />.
            </>
          )}
        </p>
        {old && (
          <p>
            It replaces <CredentialName credential={old} />, which stays valid until you revoke it. Revoke it
            once the list shows that the new one is in use.
          </p>
        )}
        <p class="actions">
          <a class="button primary" href={tenantPaths(tenant.id).apiKeys}>
            I have copied it
          </a>
        </p>
      </section>
    </Layout>
  )
}

function Values({ tenantUrl, tokenUrl, credential, text }: NewCredentialProps) {
  return (
    <>
      <CopyField id="tenant-url" label="Tenant URL" value={tenantUrl} />
      {credential.kind === 'token' ? (
        <CopyField id="secret-token" label="Secret Token" value={text} />
      ) : (
        <>
          <CopyField id="token-endpoint" label="Token Endpoint" value={tokenUrl} />
          <CopyField id="client-identifier" label="Client Identifier" value={credential.clientId} />
          <CopyField id="client-secret" label="Client Secret" value={text} />
        </>
      )}
    </>
  )
}

interface QuestionProps extends Confirmed {
  readonly credential: Credential
  /** All of the tenant. */
  readonly all: readonly Credential[]
  /** Undefined if it was deleted. */
  readonly client: Client | undefined
  readonly now: number
}

/** Asks for confirmation before a replacement is generated. */
export function RotatePage(props: QuestionProps & { readonly newId: string }) {
  const { credential, tenant, newId, ...confirmed } = props
  const { kind } = credential
  return (
    <Confirmation
      {...{ ...confirmed, tenant }}
      title={`Rotate a ${KINDS[kind]}`}
      question={
        <>
          Rotate the {kind} <CredentialName credential={credential} />?
        </>
      }
      details={<Facts {...props} />}
      fields={<input type="hidden" name="id" value={newId} />}
      action={actionOf(tenant.id, credential, 'rotate')}
      button={`Generate the new ${kind}`}
      tone="primary"
      cancel="Cancel"
    >
      A new {kind} with the same name, client and lifetime is generated and shown once. This one stays valid
      until you revoke it, so the client misses no request.
    </Confirmation>
  )
}

/** Asks for confirmation before access ends. */
export function RevokePage(
  props: QuestionProps & {
    readonly remaining: Remaining
    /** True if it remained more to the client when the form was shown. */
    readonly hasChanged: boolean
  },
) {
  const { credential, tenant, all, now, remaining, hasChanged, ...confirmed } = props
  const { kind } = credential
  const kept = replacedBy(credential, all, now)
  return (
    <Confirmation
      {...{ ...confirmed, tenant }}
      title={`Revoke a ${KINDS[kind]}`}
      question={
        <>
          Revoke the {kind} <CredentialName credential={credential} />?
        </>
      }
      details={
        <>
          {hasChanged && (
            <p class="notice danger">Nothing was revoked: another credential ended meanwhile.</p>
          )}
          <Facts {...props} />
          {isLive(credential, now) && <Consequence {...props} />}
          <Kept kept={kept} />
        </>
      }
      fields={<input type="hidden" name="remaining" value={remaining} />}
      action={actionOf(tenant.id, credential, 'revoke')}
      button={revokeButton(remaining, kept.length > 0)}
      cancel="Cancel"
    >
      {kind === 'token'
        ? 'Requests with this token are refused from now on.'
        : 'The secret and the access tokens that were issued for it are refused from now on.'}{' '}
      This cannot be undone.
    </Confirmation>
  )
}

function revokeButton(remaining: Remaining, hasOld: boolean): string {
  if (remaining === 'nothing') return 'Revoke the only credential'
  return hasOld ? 'Revoke it, keep the old one' : 'Revoke'
}

/** What the revocation takes from the client. */
function Consequence({
  tenant,
  credential,
  client,
  all,
  now,
  remaining,
}: QuestionProps & { readonly remaining: Remaining }) {
  const name = <bdi>{visibleName(client?.name, credential.clientId)}</bdi>
  if (remaining === 'nothing' && client !== undefined) {
    return (
      <Warning title="This is the only valid credential of its client.">
        Without it, every request of “{name}” is refused until you generate another one and enter it there. To
        replace it without a gap,{' '}
        <a href={`${credentialPath(tenant.id, credential)}/rotate`}>rotate it instead</a>.
      </Warning>
    )
  }
  if (remaining !== 'unused') return null
  const successor = successorOf(credential, all, now)
  return (
    <Warning title="No other credential of its client has ever been used.">
      {successor ? (
        <>
          <CredentialName credential={successor} /> replaces this one. If it
        </>
      ) : (
        'If another one'
      )}{' '}
      is not entered at “{name}” yet, every request is refused from now on. Wait until the list shows when it
      was last used.
    </Warning>
  )
}

function Warning({ title, children }: { readonly title: string; readonly children?: Child }) {
  return (
    <Notice tone="danger" title={title}>
      <p>{children}</p>
    </Notice>
  )
}

/** The credentials that were to be revoked after a rotation, when the new one is revoked instead. */
function Kept({ kept }: { readonly kept: readonly Credential[] }) {
  if (kept.length === 0) return null
  return (
    <Notice tone="off" title="This cancels the rotation.">
      {kept.map((old) => (
        <p>
          The old one, <CredentialName credential={old} />, stays valid and can be rotated again. It was last
          used: <TimeOrNever at={old.lastUsedAt} />.
        </p>
      ))}
    </Notice>
  )
}

function Facts({ credential, client, now }: QuestionProps) {
  const { lastCharacters, createdAt, lastUsedAt, expiresAt } = credential
  return (
    <dl class="facts">
      <Fact name="Client">
        {client === undefined ? 'Deleted' : <bdi>{visibleName(client.name, client.id)}</bdi>}
      </Fact>
      <Fact name="Scope">{scopeText(client?.scope)}</Fact>
      <Fact name="Created">
        <Time at={createdAt} />
      </Fact>
      <Fact name="Last used">
        <TimeOrNever at={lastUsedAt} />
      </Fact>
      <Fact name="Expires">
        <Expires at={expiresAt} now={now} />
      </Fact>
      {lastCharacters === null && <Fact name="Characters">Not stored: generated by an older version</Fact>}
    </dl>
  )
}

/** Relative to the page of API keys. */
function actionOf(tenantId: string, credential: Credential, action: string): string {
  return `${credentialPath(tenantId, credential).slice(tenantPaths(tenantId).apiKeys.length + 1)}/${action}`
}
