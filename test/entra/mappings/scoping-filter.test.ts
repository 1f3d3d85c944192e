/** The operators of scoping filters, and the combination of clauses and filters. */
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../src/entra/mappings/expression.ts'
import { passesScopingFilters, type ScopingClause } from '../../../src/entra/mappings/scoping-filter.ts'

const SOURCE: Readonly<Record<string, Value>> = {
  department: 'Field',
  level: 5,
  enabled: true,
  flags: 6,
  mail: 'a@quillfern.example',
  workerID: '1234567',
  proxies: ['smtp:a', 'smtp:b'],
  long: `${'a'.repeat(40)}b`,
  empty: '',
}
const attribute = (name: string): Value => SOURCE[name] ?? null

describe('scoping filter operators', () => {
  it.each<[ScopingClause, boolean]>([
    [{ attribute: 'department', operator: 'EQUALS', value: 'Field' }, true],
    [{ attribute: 'department', operator: 'EQUALS', value: 'field' }, false],
    [{ attribute: 'department', operator: 'NOT EQUALS', value: 'Legal' }, true],
    [{ attribute: 'missing', operator: 'NOT EQUALS', value: 'Legal' }, false],
    [{ attribute: 'enabled', operator: 'IS TRUE' }, true],
    [{ attribute: 'enabled', operator: 'IS FALSE' }, false],
    [{ attribute: 'missing', operator: 'IS NULL' }, true],
    [{ attribute: 'empty', operator: 'IS NULL' }, true],
    [{ attribute: 'department', operator: 'IS NULL' }, false],
    [{ attribute: 'department', operator: 'IS NOT NULL' }, true],
    [{ attribute: 'missing', operator: 'IS NOT NULL' }, false],
    [{ attribute: 'department', operator: 'REGEX MATCH', value: 'F.*' }, true],
    [{ attribute: 'department', operator: 'REGEX MATCH', value: 'iel' }, false],
    [{ attribute: 'department', operator: 'NOT REGEX MATCH', value: 'L.*' }, true],
    [{ attribute: 'missing', operator: 'NOT REGEX MATCH', value: 'L.*' }, false],
    [{ attribute: 'level', operator: 'GREATER_THAN', value: 5 }, false],
    [{ attribute: 'level', operator: 'GREATER_THAN_OR_EQUALS', value: '5' }, true],
    [{ attribute: 'mail', operator: 'INCLUDES', value: '@quill' }, true],
    [{ attribute: 'mail', operator: 'INCLUDES', value: '@QUILL' }, false],
    [{ attribute: 'mail', operator: 'ENDS_WITH', value: '.example' }, true],
    [{ attribute: 'level', operator: 'GREATER_THAN', value: 4 }, true],
    [{ attribute: 'department', operator: 'GREATER_THAN_OR_EQUALS', value: 0 }, false],
    // "Clause returns true if the evaluated attribute exists in the input string value."
    [{ attribute: 'department', operator: '&', value: 'Sales, Field, Legal' }, true],
    [{ attribute: 'department', operator: '&', value: 'Sales, Legal' }, false],
    [{ attribute: 'department', operator: '!&', value: 'Sales, Legal' }, true],
    [{ attribute: 'missing', operator: '!&', value: 'Sales' }, false],
    [{ attribute: 'flags', operator: '&', value: 164 }, true],
    // The patterns of the page.
    [{ attribute: 'mail', operator: 'REGEX MATCH', value: '.*\\@quillfern.example' }, true],
    [{ attribute: 'mail', operator: 'NOT REGEX MATCH', value: '.*\\@domain.com' }, true],
    [{ attribute: 'workerID', operator: 'REGEX MATCH', value: '(1[0-9][0-9][0-9][0-9][0-9][0-9])' }, true],
    [{ attribute: 'workerID', operator: 'REGEX MATCH', value: '([1-9][0-9])' }, false],
    [{ attribute: 'department', operator: 'REGEX MATCH', value: '(?i)\\Afield\\z' }, true],
    // "Filtering is not supported for multi-valued attributes."
    [{ attribute: 'proxies', operator: 'INCLUDES', value: 'smtp' }, false],
    [{ attribute: 'proxies', operator: 'NOT EQUALS', value: 'smtp' }, false],
  ])('evaluates %j to %s', (clause, passes) => {
    expect(passesScopingFilters([{ name: 'f', clauses: [clause] }], attribute)).toBe(passes)
  })

  it('does not guess when a pattern takes too long', () => {
    const clause: ScopingClause = { attribute: 'long', operator: 'REGEX MATCH', value: '(a+)+' }
    expect(() => passesScopingFilters([{ name: 'f', clauses: [clause] }], attribute)).toThrow(
      /long REGEX MATCH "\(a\+\)\+" cannot be decided for "a+b": the match takes more than/,
    )
  })

  it('combines clauses with AND and filters with OR', () => {
    const field: ScopingClause = { attribute: 'department', operator: 'EQUALS', value: 'Field' }
    const legal: ScopingClause = { attribute: 'department', operator: 'EQUALS', value: 'Legal' }
    expect(passesScopingFilters([{ name: 'both', clauses: [field, legal] }], attribute)).toBe(false)
    expect(
      passesScopingFilters(
        [
          { name: 'a', clauses: [legal] },
          { name: 'b', clauses: [field] },
        ],
        attribute,
      ),
    ).toBe(true)
    expect(passesScopingFilters([], attribute)).toBe(true)
  })
})
