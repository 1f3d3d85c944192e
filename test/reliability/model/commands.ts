/**
 * The actions of clients in the model test. Commands are plain data, so that a failing sequence can be shrunk and
 * printed. A command identifies a resource by slot, which contains the id of the last creation.
 */
import fc from 'fast-check'

/** Names in different notations, and the key that identifies equal names. */
export const NAMES = [
  { text: 'bo', key: 'bo' },
  { text: 'BO', key: 'bo' },
  { text: 'Straße', key: 'strasse' },
  { text: 'STRASSE', key: 'strasse' },
  // Composed and decomposed.
  { text: 'Zo\u00e9', key: 'zo\u00e9' },
  { text: 'ZOE\u0301', key: 'zo\u00e9' },
  // Final sigma, capital sigma.
  { text: '\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2', key: 'sisyphos' },
  { text: '\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3', key: 'sisyphos' },
  { text: 'cy', key: 'cy' },
  { text: 'di', key: 'di' },
] as const

export interface Ref {
  /** "nobody" is an id that never existed. */
  readonly type: 'User' | 'Group' | 'nobody'
  readonly slot: number
}

/** The If-Match header: none, the last known version of the slot, an impossible one, or `*`. */
export type Match = 'none' | 'current' | 'wrong' | 'any'

export interface UserBody {
  /** Index into NAMES. */
  readonly name: number
  readonly title?: string | undefined
  readonly active?: boolean | undefined
}

export type UserOp =
  | { readonly set: 'title'; readonly value: string }
  | { readonly set: 'active'; readonly value: boolean | 'True' | 'False' }
  | { readonly set: 'userName'; readonly value: number }
  | { readonly set: 'remove title' | 'remove active' | 'unknown path' | 'remove userName' }

export type GroupOp<R> =
  | { readonly set: 'add' | 'remove' | 'replace'; readonly members: readonly R[] }
  | { readonly set: 'remove one'; readonly member: R }
  | { readonly set: 'displayName'; readonly value: number }
  | { readonly set: 'clear' | 'unknown path' }

/** `R` is the type of a resource reference, `M` that of If-Match: as generated, or as sent. */
export type Action<R = Ref, M = Match> =
  | { readonly do: 'create user'; readonly at: R; readonly body: UserBody }
  | { readonly do: 'put user'; readonly at: R; readonly body: UserBody; readonly match: M }
  | { readonly do: 'patch user'; readonly at: R; readonly ops: readonly UserOp[]; readonly match: M }
  | { readonly do: 'delete user' | 'delete group'; readonly at: R; readonly match: M }
  | { readonly do: 'get user' | 'get group'; readonly at: R }
  | { readonly do: 'find user' | 'find group'; readonly name: number }
  | { readonly do: 'count users' | 'count groups' }
  | { readonly do: 'create group'; readonly at: R; readonly name: number; readonly members: readonly R[] }
  | {
      readonly do: 'put group'
      readonly at: R
      readonly name: number
      readonly members: readonly R[]
      readonly match: M
    }
  | {
      readonly do: 'patch group'
      readonly at: R
      readonly ops: readonly GroupOp<R>[]
      readonly match: M
      /** Whether the client requests the group in the response. */
      readonly reads: boolean
    }

export interface Command {
  readonly client: number
  readonly action: Action
}

/** Steps are sequential; the commands of one step are concurrent. */
export interface Sequence {
  readonly groupLimit: number
  /** The number of initially filled slots: see `initialActions`. Groups are subject to the limit. */
  readonly users: number
  readonly groups: number
  readonly steps: readonly (readonly Command[])[]
}

export const CLIENTS = 8
const USER_SLOTS = 4
const GROUP_SLOTS = 3

/** The initial directory of a sequence: a user in each slot, and groups that contain the previous one. */
export function initialActions({ groupLimit, users, groups }: Omit<Sequence, 'steps'>): readonly Action[] {
  const at = (type: 'User' | 'Group', slot: number): Ref => ({ type, slot })
  return [
    ...Array.from({ length: users }, (_, slot) => ({
      do: 'create user' as const,
      at: at('User', slot),
      body: { name: FIRST_NAMES[slot] ?? 0 },
    })),
    ...Array.from({ length: Math.min(groups, groupLimit) }, (_, slot) => ({
      do: 'create group' as const,
      at: at('Group', slot),
      name: FIRST_NAMES[slot] ?? 0,
      members: [...(slot < users ? [at('User', slot)] : []), ...(slot > 0 ? [at('Group', slot - 1)] : [])],
    })),
  ]
}

/** Names with different keys. */
const FIRST_NAMES = [0, 2, 4, 8]

const name = fc.nat(NAMES.length - 1)
const user: fc.Arbitrary<Ref> = fc.record({
  type: fc.constant('User' as const),
  slot: fc.nat(USER_SLOTS - 1),
})
const group: fc.Arbitrary<Ref> = fc.record({
  type: fc.constant('Group' as const),
  slot: fc.nat(GROUP_SLOTS - 1),
})
const nobody: fc.Arbitrary<Ref> = fc.constant({ type: 'nobody', slot: 0 })
const member = fc.oneof(
  { weight: 8, arbitrary: user },
  { weight: 2, arbitrary: group },
  { weight: 1, arbitrary: nobody },
)
const members = fc.array(member, { maxLength: 3 })
const match: fc.Arbitrary<Match> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('none' as const) },
  { weight: 3, arbitrary: fc.constant('current' as const) },
  { weight: 1, arbitrary: fc.constantFrom('wrong' as const, 'any' as const) },
)
const title = fc.constantFrom('Baker', 'Pilot')
const body: fc.Arbitrary<UserBody> = fc.record(
  { name, title, active: fc.boolean() },
  { requiredKeys: ['name'] },
)

const userOp: fc.Arbitrary<UserOp> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ set: fc.constant('title' as const), value: title }) },
  {
    weight: 4,
    arbitrary: fc.record({
      set: fc.constant('active' as const),
      value: fc.constantFrom(true, false, 'True' as const, 'False' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ set: fc.constant('userName' as const), value: name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      set: fc.constantFrom(
        'remove title' as const,
        'remove active' as const,
        'unknown path' as const,
        'remove userName' as const,
      ),
    }),
  },
)

const groupOp: fc.Arbitrary<GroupOp<Ref>> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ set: fc.constantFrom('add' as const, 'add', 'remove', 'replace'), members }),
  },
  { weight: 3, arbitrary: fc.record({ set: fc.constant('remove one' as const), member }) },
  { weight: 3, arbitrary: fc.record({ set: fc.constant('displayName' as const), value: name }) },
  { weight: 1, arbitrary: fc.record({ set: fc.constantFrom('clear' as const, 'unknown path') }) },
)

/** A record with a fixed `do`. */
function action<Do extends Action['do'], Rest extends object>(
  what: Do,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
): fc.Arbitrary<{ do: Do } & Rest> {
  return fc.record(rest as never).map((fields) => ({ do: what, ...(fields as Rest) }))
}

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: action('create user', { at: user, body }) },
  { weight: 5, arbitrary: action('create group', { at: group, name, members }) },
  { weight: 3, arbitrary: action('put user', { at: user, body, match }) },
  {
    weight: 5,
    arbitrary: action('patch user', {
      at: user,
      ops: fc.array(userOp, { minLength: 1, maxLength: 2 }),
      match,
    }),
  },
  { weight: 3, arbitrary: action('put group', { at: group, name, members, match }) },
  {
    weight: 8,
    arbitrary: action('patch group', {
      at: group,
      ops: fc.array(groupOp, { minLength: 1, maxLength: 2 }),
      match,
      reads: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: action('delete user', { at: user, match }) },
  { weight: 2, arbitrary: action('delete group', { at: group, match }) },
  { weight: 2, arbitrary: action('get user', { at: user }) },
  { weight: 2, arbitrary: action('get group', { at: group }) },
  { weight: 1, arbitrary: action('find user', { name }) },
  { weight: 1, arbitrary: action('find group', { name }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'count users' as const }, { do: 'count groups' as const }) },
)

const command: fc.Arbitrary<Command> = fc.record({ client: fc.nat(CLIENTS - 1), action: anyAction })

/** Random sequences of requests: mostly one at a time, sometimes up to eight concurrently. */
export const sequence: fc.Arbitrary<Sequence> = fc.record({
  groupLimit: fc.integer({ min: 1, max: GROUP_SLOTS }),
  users: fc.nat(USER_SLOTS),
  groups: fc.nat(GROUP_SLOTS),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.array(command, { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(command, { minLength: 2, maxLength: CLIENTS }) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
})
