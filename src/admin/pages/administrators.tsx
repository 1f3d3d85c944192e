/**
 * Administrators: who signs in with which role, and the named tokens of administrators.
 */
import { grantsText } from '../../administrators/role.ts'
import type { RoleRule } from '../../administrators/role-rules.ts'
import type { Settings } from '../../runtime.ts'
import type { AdminToken } from '../../storage/administrators/admin-tokens.ts'
import { Badge, EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { LastDayField, NameField } from '../components/credential-fields.tsx'
import { Expires, TimeOrNever } from '../components/credential-table.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { ADMINISTRATORS_PATH } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { type Column, RowTable } from '../components/row-table.tsx'
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
            {adminRoles === undefined && 'None of them has a role, because ADMIN_ROLES is not set.'}
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
  const subjects = ({ subjects }: RoleRule) => subjects.map(subjectText).join(', ')
  return (
    <RowTable
      rows={rules}
      head={{ label: 'Role', cell: (rule) => grantsText([rule]) }}
      columns={[{ label: 'Who has it', cell: subjects }]}
    />
  )
}

function subjectText(subject: RoleRule['subjects'][number]): string {
  if (subject.kind === 'everyone') return 'everyone who signs in'
  return subject.kind === 'email' ? subject.email : `group “${subject.group}”`
}

function TokenTable({ tokens, now }: Pick<AdministratorsProps, 'tokens' | 'now'>) {
  const columns: readonly Column<AdminToken>[] = [
    { label: 'Role', cell: roleText },
    { label: 'State', cell: (token) => <StateBadge token={token} now={now} /> },
    { label: 'Created', cell: (token) => <Created token={token} /> },
    { label: 'Expires', class: 'number', cell: ({ expiresAt }) => <Expires at={expiresAt} now={now} /> },
    { label: 'Last used', class: 'number', cell: ({ lastUsedAt }) => <TimeOrNever at={lastUsedAt} /> },
  ]
  return (
    <RowTable
      rows={tokens}
      head={{ label: 'Name', cell: (token) => <Named token={token} /> }}
      columns={columns}
      actions={(token) => stateOf(token, now)[1] === 'Valid' && <RevokeLink token={token} />}
      isWide
    />
  )
}

interface OfToken {
  readonly token: AdminToken
}

function Named({ token }: OfToken) {
  return (
    <>
      <bdi>{token.name}</bdi>
      <code class="hint block">{shownCharacters(token)}</code>
    </>
  )
}

function Created({ token: { createdAt, createdBy } }: OfToken) {
  return (
    <>
      <Time at={createdAt} />
      <span class="hint block">by {createdBy}</span>
    </>
  )
}

function RevokeLink({ token }: OfToken) {
  return (
    <a
      class="button quiet small danger-text"
      href={`${ADMINISTRATORS_PATH}/tokens/${token.id}/revoke`}
      aria-label={`Revoke ${token.name} ${shownCharacters(token)}`}
    >
      Revoke
    </a>
  )
}

function StateBadge({ token, now }: OfToken & { readonly now: number }) {
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
      <NameField
        id="token-name"
        hint="The person or the script. The audit trail names it."
        value={form.name}
        error={error}
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
      <LastDayField id="token-expires" of="token" value={form.expires} error={error} />
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
