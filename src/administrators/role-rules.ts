/**
 * The setting ADMIN_ROLES: which e-mail addresses and groups have which role. An example:
 *
 *     owner: anna@example.com; admin of acme, beta: group "Help desk"; viewer: everyone
 *
 * A rule has a role, the tenants that it is limited to, and who has it. A text with a comma, a colon or a semicolon is put in
 * quotation marks.
 */
import { type Grant, ROLES, type Role } from './role.ts'

/** Who has the role of a rule. */
export type Subject =
  /** Its ASCII letters are in lower case. */
  | { readonly kind: 'email'; readonly email: string }
  /** Compared exactly, as the identity provider sends it: a name or an id. */
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'everyone' }

export interface RoleRule extends Grant {
  readonly subjects: readonly Subject[]
}

/** What an identity provider says about an administrator. */
export interface Identity {
  /** Undefined if the provider has not verified it. */
  readonly email: string | undefined
  readonly groups: readonly string[]
}

/** The setting is invalid. The message says what was found and what is allowed. */
export class RoleRulesError extends Error {}

const EXAMPLE = '"owner: anna@example.com; admin of acme: group Helpdesk"'
const TENANT = /^[a-z][a-z0-9-]{0,39}$/
/** Enough for a hand-written setting. */
const MAX_RULES = 100

/** @returns undefined for an empty text @throws {RoleRulesError} */
export function parseRoleRules(text: string): readonly RoleRule[] | undefined {
  if (text.trim() === '') return undefined
  if ((text.match(/"/g) ?? []).length % 2 !== 0) throw new RoleRulesError('a quotation mark is not closed')
  const rules = split(text, ';').filter((rule) => rule !== '')
  if (rules.length > MAX_RULES) {
    throw new RoleRulesError(`at most ${MAX_RULES} rules are allowed, found ${rules.length}`)
  }
  return rules.map(parseRule)
}

function parseRule(text: string): RoleRule {
  const [head = '', tail, ...more] = split(text, ':')
  if (tail === undefined || more.length > 0) {
    throw new RoleRulesError(`a rule must have one colon, as in ${EXAMPLE}, found "${text}"`)
  }
  const [, name = '', list] = /^(\S*)(?:\s+of\s+(.*))?$/s.exec(head) ?? [undefined, head]
  const subjects = split(tail, ',').map(parseSubject)
  return { role: parseRole(name), tenants: list === undefined ? 'all' : parseTenants(list), subjects }
}

function parseRole(name: string): Role {
  const role = ROLES.find((one) => one === name)
  if (role !== undefined) return role
  throw new RoleRulesError(`a rule must begin with "viewer", "admin" or "owner", found "${name}"`)
}

function parseTenants(text: string): readonly string[] {
  const tenants = split(text, ',')
  const wrong = tenants.find((id) => !TENANT.test(id))
  if (wrong === undefined) return tenants
  throw new RoleRulesError(`"of" must be followed by ids of tenants such as "acme", found "${wrong}"`)
}

function parseSubject(text: string): Subject {
  const group = /^group\s+(?:"([^"]+)"|([^"]+))$/.exec(text)
  if (group !== null) return { kind: 'group', group: group[1] ?? group[2] ?? '' }
  if (text === 'everyone') return { kind: 'everyone' }
  if (/^[^\s@"*]+@[^\s@"*]+$/.test(text)) return { kind: 'email', email: folded(text) }
  throw new RoleRulesError(
    `a role is given to an e-mail address, to "group NAME" or to "everyone", found "${text}"`,
  )
}

/** Splits at a character outside of quotation marks, and removes the space around the parts. */
function split(text: string, separator: ';' | ':' | ','): readonly string[] {
  const parts = ['']
  let isQuoted = false
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted
    if (character === separator && !isQuoted) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}

/** Regardless of case, in ASCII only: `toLowerCase` takes the Kelvin sign for a "k", which is another person's address. */
function folded(email: string): string {
  return email.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase())
}

/** The roles that the rules give. */
export function grantsOf(rules: readonly RoleRule[], { email, groups }: Identity): readonly Grant[] {
  const address = email === undefined ? undefined : folded(email)
  const isMeant = (subject: Subject) =>
    subject.kind === 'everyone' ||
    (subject.kind === 'email' ? subject.email === address : groups.includes(subject.group))
  return rules
    .filter(({ subjects }) => subjects.some(isMeant))
    .map(({ role, tenants }) => ({ role, tenants }))
}

/** Whether a rule gives a role to a group. */
export function nameGroups(rules: readonly RoleRule[]): boolean {
  return rules.some(({ subjects }) => subjects.some(({ kind }) => kind === 'group'))
}

/** The groups that a rule names, of those of an administrator: a session need not remember the others. */
export function namedGroups(rules: readonly RoleRule[], groups: readonly string[]): readonly string[] {
  const named = new Set(
    rules.flatMap(({ subjects }) => subjects.flatMap((s) => (s.kind === 'group' ? s.group : []))),
  )
  return groups.filter((group) => named.has(group))
}
