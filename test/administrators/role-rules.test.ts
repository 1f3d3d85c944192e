/** The setting ADMIN_ROLES. */
import { describe, expect, it } from 'vitest'
import { grantsOf, parseRoleRules } from '../../src/administrators/role-rules.ts'

describe('parseRoleRules', () => {
  it('reads roles, tenants, e-mail addresses, groups and everyone', () => {
    const text =
      ' owner: Anna@Example.com ;\nadmin of acme, beta: group "Help, desk: 1; 2", group 7c0e ; viewer:everyone;'
    expect(parseRoleRules(text)).toEqual([
      { role: 'owner', tenants: 'all', subjects: [{ kind: 'email', email: 'anna@example.com' }] },
      {
        role: 'admin',
        tenants: ['acme', 'beta'],
        subjects: [
          { kind: 'group', group: 'Help, desk: 1; 2' },
          { kind: 'group', group: '7c0e' },
        ],
      },
      { role: 'viewer', tenants: 'all', subjects: [{ kind: 'everyone' }] },
    ])
    expect(parseRoleRules('  ')).toBeUndefined()
  })

  it.each([
    ['boss: a@b', 'a rule must begin with "viewer", "admin" or "owner", found "boss"'],
    ['Owner: a@b', 'a rule must begin with "viewer", "admin" or "owner", found "Owner"'],
    [
      'owner a@b',
      'a rule must have one colon, as in "owner: anna@example.com; admin of acme: group Helpdesk", found "owner a@b"',
    ],
    ['owner: a@b: c', 'a rule must have one colon'],
    ['owner: anna', 'a role is given to an e-mail address, to "group NAME" or to "everyone", found "anna"'],
    ['owner:', 'a role is given to an e-mail address, to "group NAME" or to "everyone", found ""'],
    ['owner: a@b,', 'found ""'],
    ['owner: *@example.com', 'found "*@example.com"'],
    ['owner: a@b, group', 'found "group"'],
    ['admin of Acme: a@b', '"of" must be followed by ids of tenants such as "acme", found "Acme"'],
    ['admin of : a@b', 'a rule must begin with "viewer", "admin" or "owner", found "admin of"'],
    ['owner: group "x', 'a quotation mark is not closed'],
    ['owner: a@b;'.repeat(101), 'at most 100 rules are allowed, found 101'],
  ])('refuses %j', (text, message) => {
    expect(() => parseRoleRules(text)).toThrow(message)
  })
})

describe('grantsOf', () => {
  const rules = parseRoleRules('owner: anna@example.com; admin of acme: group Help; viewer: everyone') ?? []

  it('gives the roles of every rule that names the person', () => {
    const grants = grantsOf(rules, { email: 'ANNA@example.com', groups: ['Help'] })
    expect(grants).toEqual([
      { role: 'owner', tenants: 'all' },
      { role: 'admin', tenants: ['acme'] },
      { role: 'viewer', tenants: 'all' },
    ])
  })

  it('compares groups exactly, and gives nothing for a missing address', () => {
    const grants = grantsOf(rules, { email: undefined, groups: ['help', 'anna@example.com'] })
    expect(grants).toEqual([{ role: 'viewer', tenants: 'all' }])
  })
})
