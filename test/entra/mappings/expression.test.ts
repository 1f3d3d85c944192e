/**
 * Expressions: the examples and rules of the reference page (functions-page.ts), further edge cases of each function, the
 * rules of `exact`, and error positions of the parser.
 */
import { describe, expect, it } from 'vitest'
import { checkExpression, evaluateExpression, IgnoreFlow } from '../../../src/entra/mappings/evaluate.ts'
import type { Value } from '../../../src/entra/mappings/expression.ts'
import type { ExpressionResult } from '../../../src/entra/mappings/function-definition.ts'
import { EXPRESSION_FUNCTIONS, nameOf } from '../../../src/entra/mappings/functions.ts'
import { countingIds, ManualClock } from '../support/job-harness.ts'
import { GUIDE_ROWS } from './functions-guides.ts'
import { DIACRITICS, PAGE_FUNCTIONS, PAGE_ROWS } from './functions-page.ts'

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

const ROLES = ['reader', 'editor'].map((value) => ({ id: value, value, displayName: value }))

function evaluate(
  text: string,
  attributes = ATTRIBUTES,
  { exact = false, now = '2026-05-04T13:05:09Z' } = {},
): ExpressionResult {
  return evaluateExpression(checkExpression(text, exact), text, {
    attribute: (name) => attributes[name] ?? null,
    clock: new ManualClock(now),
    newId: countingIds(),
    defaultDomain: 'quillfern.example',
    appRoles: ROLES,
    exact,
  })
}

describe('the reference page', () => {
  it.each(PAGE_ROWS)('#$anchor: $expression of $source', ({ expression, source, result }) => {
    if (result instanceof RegExp) {
      expect(evaluate(expression, source)).toMatch(result)
    } else if (typeof result === 'object' && result !== null && 'error' in result) {
      expect(() => evaluate(expression, source)).toThrow(result.error)
    } else {
      expect(evaluate(expression, source)).toEqual(result)
    }
  })

  it.each(DIACRITICS)('#normalizediacritics: %s', (characters, normalized) => {
    for (const character of characters.split(', '))
      expect([character, evaluate(`NormalizeDiacritics("${character}")`)]).toEqual([character, normalized])
  })

  it('lists the functions of the emulator, each with a row', () => {
    const names = [...EXPRESSION_FUNCTIONS.values()].map(nameOf).toSorted()
    // These are on the page about customizing attributes and in the Workday guide; Right and Trim are of other products.
    const others = [
      'AssertiveAppRoleAssignmentsComplex',
      'IgnoreAttributeFlow',
      'IgnoreObjectFlow',
      'Right',
      'Trim',
    ]
    expect(names).toEqual([...PAGE_FUNCTIONS, ...others].toSorted())
    const anchors = new Set(PAGE_ROWS.map(({ anchor }) => anchor))
    const missing = PAGE_FUNCTIONS.filter((name) => !anchors.has(name.toLowerCase()))
    expect(missing).toEqual(['AppRoleAssignmentsComplex'])
  })
})

describe('the guides for Workday and SuccessFactors', () => {
  it.each(GUIDE_ROWS)('#$anchor: $expression of $source', ({ expression, source, now, result }) => {
    const value = () => evaluate(expression, source, now === undefined ? {} : { now })
    if (result === 'ignored') expect(value).toThrow(IgnoreFlow)
    else expect(value()).toEqual(result)
  })
})

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
    ['CBool("TRUE")', true],
    ['CBool("-1")', true],
    ['CBool([empty])', false],
    ['BitAnd("65536", 65600)', 65536],
    ['BitAnd(&HFFFFFFFFFF, "1099511627776")', 0],
    ['BitAnd("9223372036854775807", "9223372036854775806")', '9223372036854775806'],
    ['CStr([number])', '7'],
    ['Not("true")', false],
    ['Not([enabled])', false],
    ['IIF([enabled], "on", "off")', 'on'],
    ['IIF(IsPresent([missing]), "yes", "no")', 'no'],
    ['IIF(IsNullOrEmpty([empty]), "yes", "no")', 'yes'],
    // Only the chosen value is evaluated.
    ['IIF([enabled], "on", IgnoreFlowIfNullOrEmpty([missing]))', 'on'],
    ['Switch([city], "d", "x", IgnoreFlowIfNullOrEmpty([missing]), "y", CDate("?"))', 'd'],
    // Comparisons: numbers, else text, case-sensitively; an empty operand is the empty string.
    ['CBool([number] = "7.0")', true],
    ['CBool(10 > 9)', true],
    ['CBool("10" > "9")', false],
    ['CBool("a" < "b")', true],
    ['CBool("a" = "A")', false],
    ['CBool([missing] = "")', true],
    ['CBool([missing] <> "x")', true],
    ['CBool([missing] < "x")', false],
    ['CBool([enabled] = "True")', true],
    ['CBool(CDate("2026-05-04") = "5/4/2026 12:00:00 AM")', true],
    ['IsNull([empty])', false],
    ['IsString([number])', false],
    ['Item([proxies], 1)', 'smtp:a@x.example'],
    ['Item([proxies], 3)', null],
    ['Left([mail], 3)', 'zoe'],
    ['Right([mail], 7)', 'example'],
    ['Right([mail], 0)', ''],
    ['Right("abc", 5)', 'abc'],
    ['InStr("abcabc", "B", 3, "vbTextCompare")', 5],
    ['InStr("abc", "a", 9)', 0],
    ['ConvertToBase64("é😀")', '6QA92ADe'],
    ['ConvertToUTF8Hex("é")', 'C3A9'],
    ['Len("abc")', 3],
    ['Len([missing])', 0],
    ['Mid("abcdef", 2, 3)', 'bcd'],
    ['Mid("abc", 3, 10)', 'c'],
    ['Mid([missing], 1, 2)', null],
    ['NormalizeDiacritics("Ångström Łódź Weiß Sørensen Đukić")', 'Angstrom Lodz Weiss Soerensen Dukic'],
    // Only accents are removed: Thai vowels, Devanagari and Japanese marks are part of a name.
    ['NormalizeDiacritics("ใจดี अनिका がく Þóra")', 'ใจดี अनिका がく Þora'],
    ['PCase("zoë O\'HARA-smith_x 2ND")', "Zoë O'Hara-Smith_X 2nd"],
    ['PCase("mary-ann o\'neil", "-\' ")', "Mary-Ann O'Neil"],
    ['Replace([mail], "@quillfern.example", , , "", , )', 'zoe.ohara'],
    ['Replace("+1 (425) 555", , "[^0-9]", , "", , )', '1425555'],
    ['Replace("ab-cd", , "(?<part>b)-", "part", "X", , )', 'aX-cd'],
    ['Replace("x", "[s]", , , , , "<[s]>")', '<x>'],
    ['Replace("$&x$&", "x", , , "$&", , )', '$&$&$&'],
    ['Replace("a.b", ".", , , , [surname], )', "aO'Harab"],
    ['Replace("a1b2", , "\\\\d", , , [number], )', 'a7b7'],
    ['Replace("1-1", , "(?<b>\\\\d)-(?<a>\\\\d)", "a", "Z", , )', '1-Z'],
    ['Replace("1-1", , "(?\'b\'1)-(?\'a\'1)", "b", "Z", , )', 'Z-1'],
    ['Replace("John@X", , "(?i)\\\\@x\\\\z", , "", , )', 'John'],
    ['Replace([missing], , "(?<a>x)", "a", , [surname], )', null],
    ['Replace([missing], "x", , , "y", , )', null],
    ['Split("a,b,,c", ",")', ['a', 'b', '', 'c']],
    ['ToUpper("Weißkopf")', 'WEIßKOPF'],
    ['ToLower("ΟΔΟΣ")', 'οδοσ'],
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
    ['DateDiff("ww", "5/2/2026 12:00:00 PM", "5/3/2026 12:00:00 AM")', 1],
    ['DateDiff("h", "5/3/2026 12:30:00 AM", "5/3/2026 12:00:00 AM")', 0],
    ['CDate("2026/05/04 18:30")', '5/4/2026 6:30:00 PM'],
    ['CDate("5/4/2026 12:05 AM")', '5/4/2026 12:05:00 AM'],
    ['FormatDateTime(" 4 May 26 ", , "d MMM yy", "dddd, MMMM dd, yyyy")', 'Monday, May 04, 2026'],
    [
      'FormatDateTime("4.5.1985 7:08 p", , "d.M.yyyy h:mm t", "yyyy-MM-ddTHH:mm:ss.fffK")',
      '1985-05-04T19:08:00.000Z',
    ],
    ['FormatDateTime("85-05-04 +02", , "yy-MM-dd zz", "o")', '1985-05-03T22:00:00.0000000Z'],
    ['FormatDateTime("05/04", , "MM/dd", "yyyyMMdd")', '20260504'],
    ['FormatDateTime("18:30", , "HH:mm", "u")', '2026-05-04 18:30:00Z'],
    ['FormatDateTime("18:30", "NoCurrentDateDefault", "HH:mm", "s")', '0001-01-01T18:30:00'],
    [
      'FormatDateTime("2026-05-04", "AssumeUniversal, AllowWhiteSpaces", "yyyy-MM-dd", "\'day\' d\\\\d")',
      'day 4d',
    ],
    ['DefaultDomain()', 'quillfern.example'],
    ['Guid()', '00000000-0000-4000-8000-000000000001'],
    ['"with \\"quotes\\" and \\\\"', 'with "quotes" and \\'],
    ['toLOWER("A")', 'a'],
  ])('evaluates %s', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  it('omits the attribute when the argument of IgnoreFlowIfNullOrEmpty is empty', () => {
    expect(() => evaluate('IgnoreFlowIfNullOrEmpty([missing])')).toThrow(IgnoreFlow)
    expect(evaluate('IgnoreFlowIfNullOrEmpty([mail])')).toBe('zoe.ohara@quillfern.example')
  })

  it('returns all app roles, to add or to replace', () => {
    expect(evaluate('AppRoleAssignmentsComplex([appRoleAssignments])')).toEqual({
      assertive: false,
      roles: ROLES,
    })
    expect(evaluate('AssertiveAppRoleAssignmentsComplex([appRoleAssignments])')).toEqual({
      assertive: true,
      roles: ROLES,
    })
  })
})

describe('exact', () => {
  it.each([
    ['switch([mail], "d", "a", "b")', /switch is written Switch: names are case-sensitive at position 1/],
    ['Append(Trim("a"), "b")', /Trim is not a function of the reference page at position 8/],
    ['[mail]', /The whole expression must be a function at position 1/],
    ['IIF(IsPresent([empty]), "a", "b")', /\[empty\] is empty, so the condition check fails: use Switch/],
    ['IIF([missing] = "", "a", "b")', /\[missing\] is empty/],
  ])('rejects %s', (text, message) => {
    expect(() => evaluate(text, ATTRIBUTES, { exact: true })).toThrow(message)
    expect(() => evaluate(text)).not.toThrow()
  })

  it('accepts the same expressions otherwise', () => {
    expect(evaluate('IIF([mail] = "x", [missing], "b")', ATTRIBUTES, { exact: true })).toBe('b')
    expect(evaluate('Switch([missing], "d", "", "b")', ATTRIBUTES, { exact: true })).toBe('b')
  })
})

describe('names of attributes', () => {
  it('are case-sensitive, with and without exact', () => {
    for (const exact of [false, true]) {
      expect(evaluate('Append([mail], "!")', ATTRIBUTES, { exact })).not.toBe('!')
      expect(evaluate('Append([Mail], "!")', ATTRIBUTES, { exact })).toBe(evaluate('Append([missing], "!")'))
    }
  })
})

describe('expression errors', () => {
  it.each([
    ['Jion(" ", [a])', /Unknown function "Jion".*at position 1\n {2}Jion.*\n {2}\^/s],
    ['Append("a", Nope("b"))', /Unknown function "Nope".*at position 13/s],
    ['Left("a")', /Left takes 2 arguments, found 1: Left\(string, numChars\)/],
    ['Append("a", "b") = "ab" = "x"', /A comparison has two sides: nest IIF/],
    ['IIF("a" = , "b", "c")', /Expected a value, found ","/],
    ['IIF(Now() > CDate("2026-05-04"), "a", "b")', /">" cannot compare the date .* at position 11/],
    [
      'IIF(CBool(1), "a", IgnoreObjectFlow)',
      /IgnoreObjectFlow: works only with objectFilter .* at position 20/,
    ],
    ['BitAnd(1, "x")', /BitAnd: "x" is not an integer at position 11/],
    ['InStr("a", "b", 1, binary)', /"binary" is neither/],
    ['InStr("a", "b", 1, "binary")', /compareType must be vbTextCompare or vbBinaryCompare/],
    ['CDate("2026-02-30")', /CDate: "2026-02-30" is not a date/],
    ['CDate("next week")', /expected yyyy-MM-dd or M\/d\/yyyy/],
    ['DateAdd("q", 1, "2026-05-04")', /"q" is not an interval: expected yyyy, m, d, ww, h, n or s/],
    ['DateAdd("yyyy", 9999, "2026-05-04")', /leads to a year beyond 1 to 9999/],
    ['FormatDateTime("13:00 PM", , "hh:mm tt", "u")', /"13:00 PM" is not a date of the calendar/],
    ['FormatDateTime("x", "Local", "yyyy", "yy")', /"Local" is not a DateTimeStyles value/],
    ['FormatDateTime("2026", , "yyyy", "U")', /"U" is not a standard date format/],
    ['Replace("a", , "(?<x>a)", "y", "b", , )', /the pattern has no group "y" at position 27/],
    ['Replace([mail], , "\\\\p{IsGreek}", , "b", , )', /only general categories such as/],
    [
      'Replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", , "(a+)+$", , "", , )',
      /takes more than 5,000,000 steps at/,
    ],
    [
      'Join(",", AppRoleAssignmentsComplex([appRoleAssignments]))',
      /must be the whole expression at position 11/,
    ],
    ['AppRoleAssignmentsComplex([mail])', /takes \[appRoleAssignments\]/],
    ['RandomString(5, 1, 0, 0, 0, "0123456789")', /charactersToAvoid excludes all numbers/],
    ['Left("abc", "x")', /Left: numChars must be an integer, found "x" at position 13/],
    ['Mid("abc", 0, 1)', /Mid: start counts from 1, found 0/],
    ['Item([proxies], 0)', /Item: index counts from 1, found 0/],
    ['IIF([missing], "a", "b")', /IIF: the condition is empty/],
    ['CBool("maybe")', /CBool: "maybe" is not a boolean/],
    ['Switch([mail], "d", "k1", "v1", "k2")', /Switch: the key "k2" has no value/],
    [
      'Replace("a", , "(", , "b", , )',
      /Replace: "\(" cannot be used as a regular expression: "\(" is not closed/,
    ],
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
