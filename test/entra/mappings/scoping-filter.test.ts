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
    [{ attribute: 'flags', operator: '&', value: 2 }, true],
    [{ attribute: 'flags', operator: '&', value: 1 }, false],
    [{ attribute: 'flags', operator: '!&', value: 1 }, true],
  ])('evaluates %j to %s', (clause, passes) => {
    expect(passesScopingFilters([{ name: 'f', clauses: [clause] }], attribute)).toBe(passes)
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
