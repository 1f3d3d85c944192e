/**
 * What the `member_type` of a membership can be: the name of the type of the member. A user and a group have tables of their
 * own, which memberships are joined with; the triggers of `memberships` know both.
 */
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../scim/schema/resource-type.ts'

export const USER_MEMBER = USER_RESOURCE_TYPE.name
/** Of a member that has members itself: a group in a group. */
export const NESTED_MEMBER = GROUP_RESOURCE_TYPE.name

/** SQL that is true of a membership of a group in a group, in the words of the index `memberships_nested`. */
export const IS_NESTED = `member_type = '${NESTED_MEMBER}'`
