/**
 * Pages with a message: for errors, and for a missing configuration.
 */
import type { Child } from 'hono/jsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface MessageProps {
  readonly title: string
  readonly administrator: Administrator | undefined
  readonly tenant?: PageTenant | undefined
  readonly children: Child
}

export function MessagePage({ title, administrator, tenant, children }: MessageProps) {
  return (
    <Layout title={title} administrator={administrator} tenant={tenant}>
      <div class="panel narrow">
        <h1>{title}</h1>
        {children}
      </div>
    </Layout>
  )
}

/** Shown if no way to sign in is configured. */
export function NotConfiguredPage({ message }: { message: string }) {
  return (
    <MessagePage title="The dashboard is not configured" administrator={undefined}>
      <p>{message}</p>
      <p>Set one of these, then open this page again:</p>
      <ul>
        <li>
          <strong>A token:</strong> <code>npx wrangler secret put ADMIN_TOKEN</code>, with a long random
          value. A self-hosted server creates one in <code>data/settings.env</code>, and{' '}
          <code>npm start</code> in <code>.dev.vars</code>.
        </li>
        <li>
          <strong>Cloudflare Access:</strong> the variables <code>ACCESS_TEAM_DOMAIN</code> (such as{' '}
          <code>acme.cloudflareaccess.com</code>) and <code>ACCESS_AUD</code> (the audience tag of the Access
          application).
        </li>
      </ul>
    </MessagePage>
  )
}
