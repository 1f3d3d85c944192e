/**
 * Limits: every setting, retention and limit of the server, with its value in force and where it is set. The values come
 * from the settings that were read and from the constants of the code, not from a list of their own.
 */
import type { SettingInForce } from '../../runtime.ts'
import { Badge, PageHead, Section } from '../components/blocks.tsx'
import { Fact } from '../components/fact.tsx'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { type Column, RowTable } from '../components/row-table.tsx'
import type { Administrator } from '../env.ts'
import { Layout } from '../layout.tsx'
import { type ShownValue, shownLimits } from '../limits/values.ts'
import { VERSION } from '../version.ts'

export interface LimitsProps {
  readonly administrator: Administrator
  readonly settings: readonly SettingInForce[]
  /** Limits that each tenant sets, with the values of a new tenant. */
  readonly ofTenants: readonly ShownValue[]
  /** The names of the databases. */
  readonly databases: readonly string[]
  /** The most queries of a request; undefined: no limit. */
  readonly maxQueries: number | undefined
  /** The id of a tenant to link to. */
  readonly tenant: string | undefined
}

export function LimitsPage(props: LimitsProps) {
  const { administrator, settings, ofTenants, databases, maxQueries, tenant } = props
  return (
    <Layout title="Limits and settings" administrator={administrator} current="limits">
      <PageHead
        title="Limits and settings"
        lead={`What is in force on this server, version ${VERSION}. Secrets are shown as set or not set.`}
      />
      <Section id="settings" title="Settings">
        <SettingTable settings={settings} />
        <p class="hint">
          On Cloudflare, the numbers of requests that clients may send are set in <code>[[ratelimits]]</code>{' '}
          of wrangler.toml, and the server cannot read them.
        </p>
      </Section>
      <Section id="platform" title="Given by the platform">
        <dl class="facts">
          <Fact name="Databases">{databases.join(', ')}</Fact>
          <Fact name="Queries of a request, at most">
            {maxQueries === undefined ? 'No limit' : number(maxQueries)}
          </Fact>
        </dl>
      </Section>
      <Section id="tenants" title="Set for each tenant">
        <ValueTable values={ofTenants} where="Settings page of the tenant" />
        <p class="hint">
          The values of a new tenant. Each tenant shows its own under <i>Settings</i>
          {tenant && (
            <>
              , such as <a href={tenantPaths(tenant).settings}>those of {tenant}</a>
            </>
          )}
          .
        </p>
      </Section>
      <Section id="limits" title="Fixed in the code">
        <ValueTable values={shownLimits()} where="src/scim/limits.ts" />
      </Section>
    </Layout>
  )
}

const SETTING_COLUMNS: readonly Column<SettingInForce>[] = [
  { label: 'Value', cell: (setting) => <SettingValue {...setting} /> },
  { label: 'Set in', cell: ({ setIn }) => setIn ?? <span class="muted">Default</span> },
]

function SettingTable({ settings }: Pick<LimitsProps, 'settings'>) {
  const head = { label: 'Setting', cell: ({ name }: SettingInForce) => <span class="mono">{name}</span> }
  return <RowTable rows={settings} head={head} columns={SETTING_COLUMNS} />
}

function SettingValue({ name, value }: SettingInForce) {
  if (value === undefined) return <Badge tone="ok">Set</Badge>
  if (value === '') return <Badge tone="off">Not set</Badge>
  const unit = unitOf(name)
  return (
    <>
      <span class="mono">{value}</span>
      {unit && ` ${unit}`}
    </>
  )
}

/** The units of settings, by the ends of their names. Other settings have none. */
const SETTING_UNITS = [
  [/_DAYS$/, 'days'],
  [/_MS$/, 'milliseconds'],
  [/^(?:TOKEN|TENANT)_LIMIT$/, 'requests in 10 seconds'],
  [/^SIGN_IN_LIMIT$/, 'sign-ins in 60 seconds'],
  [/^FAILED_AUTHENTICATION_LIMIT$/, 'refused credentials in 60 seconds'],
] as const

function unitOf(name: string): string | undefined {
  return SETTING_UNITS.find(([pattern]) => pattern.test(name))?.[1]
}

function ValueTable({ values, where }: { values: readonly ShownValue[]; where: string }) {
  const head = { label: 'Limit', cell: ({ words }: ShownValue) => words }
  const columns: readonly Column<ShownValue>[] = [
    { label: 'Value', cell: ({ value }) => value },
    {
      label: 'Set in',
      cell: ({ name }) => (
        <>
          {where} <span class="mono muted">{name}</span>
        </>
      ),
    },
  ]
  return <RowTable rows={values} head={head} columns={columns} />
}
