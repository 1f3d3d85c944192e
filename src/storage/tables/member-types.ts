/**
 * The values of `member_type` of a membership: names of resource types. Users and groups have a table each, which
 * memberships are joined with; the triggers of `memberships` name both.
 */
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../scim/schema/resource-type.ts'

export const USER_MEMBER = USER_RESOURCE_TYPE.name
/** A member that has members itself: a group in a group. */
export const NESTED_MEMBER = GROUP_RESOURCE_TYPE.name

/** SQL that is true of a membership of a group in a group, worded as in the index `memberships_nested`. */
export const IS_NESTED = `member_type = '${NESTED_MEMBER}'`
