/**
 * A page that asks for confirmation before access ends or changes, or something is deleted.
 */
import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Administrator } from '../env.ts'
import { Layout, type LayoutProps, type NavigationItem } from '../layout.tsx'
import { tenantPaths } from './paths.ts'
import { ChangeForm } from './permitted.tsx'

export interface Confirmed {
  readonly administrator: Administrator
  readonly tenant: NonNullable<LayoutProps['tenant']>
}

export function Confirmation(
  props: PropsWithChildren<
    Confirmed & {
      readonly title: string
      readonly question: Child
      /** Between the question and its explanation, such as a warning. */
      readonly details?: Child
      /** Fields of the form, hidden or not. */
      readonly fields?: Child
      /** The path of the form, below the page to return to. */
      readonly action: string
      readonly button: string
      /** By default, the action ends something. */
      readonly tone?: 'danger' | 'primary'
      /** What the link back says. */
      readonly cancel?: string
      /** The path of the page to return to; by default that of API keys. */
      readonly back?: string
      readonly current?: NavigationItem
    }
  >,
) {
  const { administrator, tenant, title, question, details, fields, action, button, children } = props
  const { back = tenantPaths(tenant.id).apiKeys, current = 'apiKeys' } = props
  const { tone = 'danger', cancel = 'Keep it' } = props
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current={current}>
      <div class="panel narrow">
        <h1>{question}</h1>
        {details}
        <p>{children}</p>
        <ChangeForm action={`${back}/${action}`}>
          {fields}
          <div class="actions">
            <button type="submit" class={tone}>
              {button}
            </button>
            <a class="button quiet" href={back}>
              {cancel}
            </a>
          </div>
        </ChangeForm>
      </div>
    </Layout>
  )
}
