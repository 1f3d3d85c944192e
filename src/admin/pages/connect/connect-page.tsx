/**
 * The list of guides.
 */
import { EmptyState, PageHead, Section } from '../../components/blocks.tsx'
import { tenantPaths } from '../../components/paths.ts'
import type { Administrator } from '../../env.ts'
import { Layout, type PageTenant } from '../../layout.tsx'
import { GUIDES } from './guides.ts'

export function ConnectPage(props: {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** Whether a client may write. */
  readonly isConnected: boolean
}) {
  const { administrator, tenant, isConnected } = props
  const paths = tenantPaths(tenant.id)
  return (
    <Layout title="Connect" administrator={administrator} tenant={tenant} current="connect">
      <PageHead
        title="Connect"
        lead="Choose what sends the users and groups. Each guide shows what to enter, and what has arrived."
      />
      <ul class="guides">
        {GUIDES.map(({ id, name, application }) => (
          <li class="card">
            <a href={paths.connectTo(id)}>{name}</a>
            <span class="muted">{application}</span>
          </li>
        ))}
      </ul>
      <Section id="connected" title="Connected already">
        {!isConnected ? (
          <EmptyState title="No client may provision yet." />
        ) : (
          <p>
            The <a href={paths.overview}>overview</a> has the state of each connection, and{' '}
            <a href={paths.apiKeys}>API Keys</a> its tokens and secrets.
          </p>
        )}
      </Section>
    </Layout>
  )
}
