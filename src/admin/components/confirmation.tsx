/**
 * A page that asks for confirmation before access ends, or something is deleted.
 */
import type { PropsWithChildren } from 'hono/jsx'
import type { Administrator } from '../env.ts'
import { Layout, type LayoutProps, type NavigationItem } from '../layout.tsx'
import { tenantPaths } from './paths.ts'

export interface Confirmed {
  readonly administrator: Administrator
  readonly tenant: NonNullable<LayoutProps['tenant']>
}

export function Confirmation(
  props: PropsWithChildren<
    Confirmed & {
      readonly title: string
      readonly question: string
      /** The path of the form, below the page to return to. */
      readonly action: string
      readonly button: string
      /** The path of the page to return to; by default that of API keys. */
      readonly back?: string
      readonly current?: NavigationItem
    }
  >,
) {
  const { administrator, tenant, title, question, action, button, children } = props
  const { back = tenantPaths(tenant.id).apiKeys, current = 'apiKeys' } = props
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current={current}>
      <div class="panel narrow">
        <h1>{question}</h1>
        <p>{children}</p>
        <form class="actions" method="post" action={`${back}/${action}`}>
          <button type="submit" class="danger">
            {button}
          </button>
          <a class="button quiet" href={back}>
            Keep it
          </a>
        </form>
      </div>
    </Layout>
  )
}
