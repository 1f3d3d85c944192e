/**
 * Administrators: who signs in with which role, and the named tokens of administrators.
 */

import { grantsText } from '../../administrators/role.ts'
import type { RoleRule } from '../../administrators/role-rules.ts'
import type { Settings } from '../../runtime.ts'
import type { AdminToken } from '../../storage/administrators/admin-tokens.ts'
import { Badge, EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { Expiry } from '../components/expiry-notice.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { ADMINISTRATORS_PATH } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout } from '../layout.tsx'
import { providerName } from '../oidc/provider.ts'

/** The form of a new token, as typed. */
export interface AdminTokenForm {
  readonly name: string
  readonly role: string
  /** Ids separated by commas. */
  readonly tenants: string
  readonly expires: string
}

export interface AdministratorsProps {
  readonly administrator: Administrator
  readonly now: number
  readonly settings: Settings
  readonly tokens: readonly AdminToken[]
  /** The id of the token that the form generates, so that it generates one only. */
  readonly newId: string
  readonly form: AdminTokenForm
  readonly error?: FormError | undefined
  readonly done?: string | undefined
}

export function AdministratorsPage(props: AdministratorsProps) {
  const { administrator, now, settings, tokens, done } = props
  return (
    <Layout title="Administrators" administrator={administrator} current="administrators">
      <PageHead title="Administrators" lead="Who may sign in to the dashboard and use the admin API." />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <Section id="sign-in" title="Sign-in">
        <WaysToSignIn settings={settings} />
      </Section>
      <Section id="tokens" title="Named tokens">
        {tokens.length === 0 ? (
          <EmptyState title="No named tokens.">
            <p>Generate one below for each person or script that has none of the other ways to sign in.</p>
          </EmptyState>
        ) : (
          <TokenTable tokens={tokens} now={now} />
        )}
      </Section>
      <Section id="generate" title="Generate a token">
        <TokenForm {...props} />
      </Section>
    </Layout>
  )
}

/** The rules, and where they are set: the dashboard does not change settings. */
function WaysToSignIn({ settings }: Pick<AdministratorsProps, 'settings'>) {
  const { adminToken, accessTeamDomain, oidc, adminRoles } = settings
  return (
    <>
      <ul>
        <li>
          <b>ADMIN_TOKEN</b>{' '}
          {adminToken ? 'is set. Whoever has it is an owner of all tenants.' : 'is not set.'}
        </li>
        {oidc !== undefined && (
          <li>
            <b>OpenID Connect</b>: {providerName(oidc)} signs administrators in.{' '}
            {adminRoles === undefined && 'Nobody of them has a role, because ADMIN_ROLES is not set.'}
          </li>
        )}
        {accessTeamDomain !== undefined && (
          <li>
            <b>Cloudflare Access</b> signs administrators in.{' '}
            {adminRoles === undefined &&
              'Everybody whom Access admits is an owner of all tenants, because ADMIN_ROLES is not set.'}
          </li>
        )}
      </ul>
      {adminRoles !== undefined && (
        <>
          <p class="muted">The rules of ADMIN_ROLES:</p>
          <RuleTable rules={adminRoles} />
        </>
      )}
    </>
  )
}

function RuleTable({ rules }: { rules: readonly RoleRule[] }) {
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Role</th>
          <th scope="col">Who has it</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr>
            <th scope="row">{grantsText([rule])}</th>
            <td data-label="Who has it">{rule.subjects.map(subjectText).join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function subjectText(subject: RoleRule['subjects'][number]): string {
  if (subject.kind === 'everyone') return 'everyone who signs in'
  return subject.kind === 'email' ? subject.email : `group “${subject.group}”`
}

function TokenTable({ tokens, now }: Pick<AdministratorsProps, 'tokens' | 'now'>) {
  return (
    <table class="stack tokens">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Role</th>
          <th scope="col">State</th>
          <th scope="col">Created</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <TokenRow token={token} now={now} />
        ))}
      </tbody>
    </table>
  )
}

function TokenRow({ token, now }: { token: AdminToken; now: number }) {
  const { id, name, createdBy, createdAt, expiresAt, lastUsedAt } = token
  const isLive = stateOf(token, now)[1] === 'Valid'
  return (
    <tr>
      <th scope="row">
        {name}
        <code class="hint block">{shownCharacters(token)}</code>
      </th>
      <td data-label="Role">{roleText(token)}</td>
      <td data-label="State">
        <StateBadge token={token} now={now} />
      </td>
      <td data-label="Created">
        <div>
          <Time at={createdAt} />
          <span class="hint block">by {createdBy}</span>
        </div>
      </td>
      <td data-label="Expires" class="number">
        {expiresAt === null ? 'Never' : <Expiry at={expiresAt} now={now} />}
      </td>
      <td data-label="Last used" class="number">
        {lastUsedAt === null ? 'Never' : <Time at={lastUsedAt} />}
      </td>
      <td class="row-actions">
        {isLive && (
          <a
            class="button quiet small danger-text"
            href={`${ADMINISTRATORS_PATH}/tokens/${id}/revoke`}
            aria-label={`Revoke ${name} ${shownCharacters(token)}`}
          >
            Revoke
          </a>
        )}
      </td>
    </tr>
  )
}

function StateBadge({ token, now }: { token: AdminToken; now: number }) {
  const [tone, label] = stateOf(token, now)
  return <Badge tone={tone}>{label}</Badge>
}

function stateOf({ revokedAt, expiresAt }: AdminToken, now: number) {
  if (revokedAt !== null) return ['off', 'Revoked'] as const
  return expiresAt !== null && expiresAt <= now ? (['off', 'Expired'] as const) : (['ok', 'Valid'] as const)
}

/** By which a token is recognised: `scimadmin_AbCd…wxyz`. */
function shownCharacters({
  firstCharacters,
  lastCharacters,
}: Pick<AdminToken, 'firstCharacters' | 'lastCharacters'>) {
  return `${firstCharacters}…${lastCharacters}`
}

function roleText({ role, tenants }: Pick<AdminToken, 'role' | 'tenants'>): string {
  return grantsText([{ role, tenants: tenants ?? 'all' }])
}

const ROLE_OPTIONS = [
  ['viewer', 'Viewer: reads, sees no secret'],
  ['admin', 'Admin: changes everything within its tenants'],
  ['owner', 'Owner: everything'],
] as const

const FIELDS = ['name', 'role', 'tenants', 'expires']

function TokenForm({ form, error, newId }: AdministratorsProps) {
  return (
    <ChangeForm needs="own installation" action={ADMINISTRATORS_PATH}>
      <FormNotice error={error} fields={FIELDS} />
      <input type="hidden" name="id" value={newId} />
      <Field
        id="token-name"
        name="name"
        label="Name"
        hint="The person or the script. The audit trail names it."
        error={error}
        control={(attributes) => (
          <input {...attributes} value={form.name} required autocomplete="off" maxlength={100} />
        )}
      />
      <Field
        id="token-role"
        name="role"
        label="Role"
        error={error}
        control={(attributes) => <Select attributes={attributes} value={form.role} options={ROLE_OPTIONS} />}
      />
      <Field
        id="token-tenants"
        name="tenants"
        label="Tenants (optional)"
        hint="Their ids, separated by commas. If empty, the role holds in all tenants."
        error={error}
        control={(attributes) => (
          <input {...attributes} class="mono" value={form.tenants} autocomplete="off" />
        )}
      />
      <Field
        id="token-expires"
        name="expires"
        label="Last day (optional)"
        hint="The token expires at the end of this day (UTC). If empty, it does not expire."
        error={error}
        control={(attributes) => <input {...attributes} type="date" value={form.expires} />}
      />
      <button type="submit" class="primary">
        Generate token
      </button>
    </ChangeForm>
  )
}

/** The only page that shows a token. */
export function NewAdminTokenPage({
  administrator,
  token: { token, name, ...rest },
}: {
  readonly administrator: Administrator
  readonly token: Pick<AdminToken, 'name' | 'role' | 'tenants'> & { readonly token: string }
}) {
  return (
    <Layout title="A new token" administrator={administrator} current="administrators">
      <PageHead title="A new token" lead={`${name}: ${roleText(rest)}`} />
      <Notice tone="warn" title="Copy the token now. It will not be shown again.">
        <p>Only a hash of the token is stored. If it is lost, generate another one and revoke this one.</p>
      </Notice>
      <section class="panel" aria-label="Token">
        <CopyField id="admin-token" label="Token" value={token} />
        <p>
          It signs in to the dashboard, and authenticates at the admin API with{' '}
          <code>Authorization: Bearer …</code>.
        </p>
        <p class="actions">
          <a class="button primary" href={ADMINISTRATORS_PATH}>
            I have copied it
          </a>
        </p>
      </section>
    </Layout>
  )
}

/** Asks for confirmation before a token is revoked. */
export function RevokeAdminTokenPage({
  administrator,
  token,
}: {
  readonly administrator: Administrator
  readonly token: AdminToken
}) {
  return (
    <Layout title="Revoke a token" administrator={administrator} current="administrators">
      <div class="panel narrow">
        <h1>Revoke “{token.name}”?</h1>
        <p>
          The token <code>{shownCharacters(token)}</code> and the sessions that began with it are refused from
          the next request on. This cannot be undone.
        </p>
        <ChangeForm
          needs="own installation"
          class="actions"
          action={`${ADMINISTRATORS_PATH}/tokens/${token.id}/revoke`}
        >
          <button type="submit" class="danger">
            Revoke
          </button>
          <a class="button quiet" href={ADMINISTRATORS_PATH}>
            Keep it
          </a>
        </ChangeForm>
      </div>
    </Layout>
  )
}
