/**
 * Expressions: error positions of the parser, and the edge cases of each function that the reference page documents.
 */
import { describe, expect, it } from 'vitest'
import { checkExpression, evaluateExpression, IgnoreFlow } from '../../../src/entra/mappings/evaluate.ts'
import type { Value } from '../../../src/entra/mappings/expression.ts'
import { countingIds, ManualClock } from '../support/job-harness.ts'

const ATTRIBUTES: Readonly<Record<string, Value>> = {
  givenName: 'Zoë',
  surname: "O'Hara",
  empty: '',
  mail: 'zoe.ohara@quillfern.example',
  proxies: ['smtp:a@x.example', 'SMTP:b@x.example'],
  number: 7,
  enabled: true,
  city: 'MÜNCHEN am See',
}

function evaluate(text: string): Value {
  return evaluateExpression(checkExpression(text), text, {
    attribute: (name) => ATTRIBUTES[name] ?? null,
    clock: new ManualClock('2026-05-04T13:05:09Z'),
    newId: countingIds(),
    defaultDomain: 'quillfern.example',
    appRoles: ['reader', 'editor'],
  })
}

describe('expression values', () => {
  it.each<[string, Value]>([
    // The default mapping of `active`.
    ['Switch("False", , "False", "True", "True", "False")', 'True'],
    ['Switch("True", , "False", "True", "True", "False")', 'False'],
    ['Switch("false", , "False", "True", "True", "False")', null],
    ['Switch([missing], "none", "a", "b")', 'none'],
    ['Join(" ", [givenName], [surname])', "Zoë O'Hara"],
    ['Join(" ", [givenName], [missing], [empty])', 'Zoë'],
    ['Join(", ", [proxies])', 'smtp:a@x.example, SMTP:b@x.example'],
    ['Append([givenName], "!")', 'Zoë!'],
    ['Append([missing], "!")', null],
    ['Coalesce([missing], [empty], [mail], "x")', 'zoe.ohara@quillfern.example'],
    ['Coalesce([missing], [empty])', null],
    ['CBool("TRUE")', true],
    ['CBool("0")', false],
    ['CStr([number])', '7'],
    ['Not("True")', false],
    ['IIF([enabled], "on", "off")', 'on'],
    ['IIF(IsPresent([missing]), "yes", "no")', 'no'],
    ['IIF(IsNullOrEmpty([empty]), "yes", "no")', 'yes'],
    ['IsNull([empty])', false],
    ['IsString([number])', false],
    ['Item([proxies], 1)', 'smtp:a@x.example'],
    ['Item([proxies], 3)', null],
    ['Left([mail], 3)', 'zoe'],
    ['Left([mail], 0)', ''],
    ['Right([mail], 7)', 'example'],
    ['Len("abc")', 3],
    ['Len([missing])', 0],
    ['Mid("abcdef", 2, 3)', 'bcd'],
    ['Mid("abc", 3, 10)', 'c'],
    ['Mid([missing], 1, 2)', null],
    ['NormalizeDiacritics("Ångström Łódź Weiß")', 'Angstrom Lodz Weiss'],
    ['PCase("zoë O\'HARA-smith")', "Zoë O'hara-smith"],
    ['PCase("mary-ann o\'neil", "-\' ")', "Mary-Ann O'Neil"],
    ['Replace([mail], "@quillfern.example", , , "", , )', 'zoe.ohara'],
    ['Replace("+1 (425) 555", , "[^0-9]", , "", , )', '1425555'],
    ['Replace("ab-cd", , "(?<part>b)-", "part", "X", , )', 'aX-cd'],
    ['Replace("x", "[s]", , , , , "<[s]>")', '<x>'],
    ['Split("a,b,,c", ",")', ['a', 'b', '', 'c']],
    ['StripSpaces(" a b ")', 'ab'],
    ['ToLower([city])', 'münchen am see'],
    ['ToUpper("istanbul", "tr-TR")', 'İSTANBUL'],
    ['Trim("  a b ")', 'a b'],
    ['Word("The quick brown fox", 3, " ")', 'brown'],
    ['Word("This,string!has&many separators", 3, ",!&#")', 'has'],
    ['Word("one", 5, " ")', ''],
    ['Now()', '5/4/2026 1:05:09 PM'],
    ['FormatDateTime("20260504130509.0Z", , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")', '2026-05-04'],
    ['FormatDateTime([missing], , "yyyy", "yy")', null],
    ['DateAdd("d", 10, "1/31/2026 9:00:00 AM")', '2/10/2026 9:00:00 AM'],
    ['DateAdd("m", 1, "1/31/2026 9:00:00 AM")', '2/28/2026 9:00:00 AM'],
    ['DateDiff("d", "1/1/2026 12:00:00 AM", "1/8/2026 12:00:00 AM")', 7],
    ['DefaultDomain()', 'quillfern.example'],
    ['Guid()', '00000000-0000-4000-8000-000000000001'],
    ['Redact()', '[Redacted]'],
    ['SingleAppRoleAssignment([appRoleAssignments])', 'reader'],
    ['"with \\"quotes\\" and \\\\"', 'with "quotes" and \\'],
    ['toLOWER("A")', 'a'],
  ])('evaluates %s', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  it('omits the attribute when the argument of IgnoreFlowIfNullOrEmpty is empty', () => {
    expect(() => evaluate('IgnoreFlowIfNullOrEmpty([missing])')).toThrow(IgnoreFlow)
    expect(evaluate('IgnoreFlowIfNullOrEmpty([mail])')).toBe('zoe.ohara@quillfern.example')
  })

  it('generates random strings with the required characters', () => {
    expect(evaluate('RandomString(12, 2, 2, 2, 2)')).toMatch(
      /^(?=(.*\d){2})(?=(.*[A-Z]){2})(?=(.*[a-z]){2}).{12}$/,
    )
  })

  it('returns app roles as JSON strings', () => {
    const [first] = evaluate('AppRoleAssignmentsComplex([appRoleAssignments])') as string[]
    expect(JSON.parse(first ?? '')).toEqual({
      id: 'reader',
      value: 'reader',
      displayName: 'reader',
      primary: true,
    })
  })
})

describe('expression errors', () => {
  it.each([
    ['Jion(" ", [a])', /Unknown function "Jion".*at position 1\n {2}Jion.*\n {2}\^/s],
    ['Append("a", Nope("b"))', /Unknown function "Nope".*at position 13/s],
    ['Left("a")', /Left takes 2 arguments, found 1: Left\(string, numChars\)/],
    ['Left("abc", "x")', /Left: numChars must be an integer, found "x" at position 13/],
    ['Mid("abc", 0, 1)', /Mid: start counts from 1, found 0/],
    ['Item([proxies], 0)', /Item: index counts from 1, found 0/],
    ['IIF([missing], "a", "b")', /IIF: the condition is empty/],
    ['CBool("maybe")', /CBool: "maybe" is not a boolean/],
    ['Switch([mail], "d", "k1", "v1", "k2")', /Switch: the key "k2" has no value/],
    ['Replace("a", , "(", , "b", , )', /Replace: "\(" is not a regular expression/],
    ['DateAdd("fortnight", 1, "1/1/2026")', /DateAdd: "fortnight" is not an interval/],
    ['FormatDateTime("x", , "yyyy", "yy")', /FormatDateTime: "x" does not match the format "yyyy"/],
    ['SelectUniqueValue("a", "b")', /works only for Active Directory/],
    ['"not closed', /The string is not closed at position 1/],
    ['[not closed', /"\[" is not closed/],
    ['Trim("a"', /Missing "\)" at position 9/],
    ['Trim("a") x', /Unexpected "x" after the end at position 11/],
    ['surname', /"surname" is neither \[surname\] \(an attribute\)/],
    ['', /Expected a value, found the end/],
    [`${'Trim('.repeat(100)}"a"${')'.repeat(100)}`, /More than 64 levels of nesting/],
    ['x'.repeat(10_001), /10001 characters, limit 10000/],
  ])('marks the error in %s', (text, message) => {
    expect(() => evaluate(text)).toThrow(message)
  })
})
