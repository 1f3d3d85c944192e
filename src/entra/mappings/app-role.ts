/** App roles that an assignment grants, and the value of the attribute `roles`. Types only. */

export interface AppRole {
  readonly id: string
  readonly value: string
  readonly displayName: string
}

/** All roles of a user. `assertive` replaces the roles at the target; otherwise they are added, and none is removed. */
export interface RoleAssignments {
  readonly assertive: boolean
  readonly roles: readonly AppRole[]
}
