/**
 * Shows forms and links only to administrators who may use them. The server refuses the others anyway (people/permit.ts).
 */
import type { Child, JSX, PropsWithChildren } from 'hono/jsx'
import type { Administrator } from '../../administrators/administrator.ts'
import { isPermitted, type Permission } from '../contract/permissions.ts'

/** Whether the administrator of the page has a permission. */
type IsPermitted = (permission: Permission) => boolean

/** Of the page that is being rendered. Outside of `renderPermitted`, nothing is permitted. */
let isPermittedOnPage: IsPermitted = () => false

/**
 * Renders a page for an administrator. The rendering is synchronous, so pages do not meet. (The contexts of hono/jsx would add
 * its client side to the module of the Worker.)
 */
export function renderPermitted(isPermitted: IsPermitted, page: { toString(): string }): string {
  const before = isPermittedOnPage
  isPermittedOnPage = isPermitted
  try {
    return page.toString()
  } finally {
    isPermittedOnPage = before
  }
}

/** @param tenantId the tenant of the page, if it belongs to one */
export function permissionsOfPage(
  administrator: Administrator | undefined,
  tenantId: string | undefined,
): IsPermitted {
  const grants = administrator?.grants ?? []
  return (permission) => isPermitted(grants, permission, tenantId)
}

/** Content for those with a permission; for others there is nothing, or `otherwise`. */
export function Permitted({
  to = 'change',
  otherwise,
  children,
}: PropsWithChildren<{ readonly to?: Permission; readonly otherwise?: Child }>) {
  const shown = isPermittedOnPage(to) ? children : otherwise
  return <>{shown}</>
}

/** A form that changes something. @param needs by default, the permission to change the tenant */
export function ChangeForm({
  needs = 'change',
  children,
  ...attributes
}: PropsWithChildren<
  { readonly needs?: Permission; readonly action: string } & Omit<JSX.IntrinsicElements['form'], 'method'>
>) {
  return (
    <Permitted to={needs}>
      <form method="post" {...attributes}>
        {children}
      </form>
    </Permitted>
  )
}
