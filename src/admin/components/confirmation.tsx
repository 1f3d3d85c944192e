/**
 * A page that asks for confirmation before access ends.
 */
import type { PropsWithChildren } from 'hono/jsx'
import type { Administrator } from '../env.ts'
import { Layout, type LayoutProps } from '../layout.tsx'
import { tenantPaths } from './paths.ts'

export interface Confirmed {
  readonly administrator: Administrator
  readonly tenant: NonNullable<LayoutProps['tenant']>
}

/** @param props.action the path of the form, below the page of API keys */
export function Confirmation(
  props: PropsWithChildren<
    Confirmed & {
      readonly title: string
      readonly question: string
      readonly action: string
      readonly button: string
    }
  >,
) {
  const { administrator, tenant, title, question, action, button, children } = props
  const { apiKeys } = tenantPaths(tenant.id)
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current="apiKeys">
      <div class="panel narrow">
        <h1>{question}</h1>
        <p>{children}</p>
        <form class="actions" method="post" action={`${apiKeys}/${action}`}>
          <button type="submit" class="danger">
            {button}
          </button>
          <a class="button quiet" href={apiKeys}>
            Keep it
          </a>
        </form>
      </div>
    </Layout>
  )
}
