/**
 * The examples of "Reference for writing expressions for attribute mappings in Microsoft Entra Application Provisioning"
 * (functions-for-customizing-application-data, dated 2026-04-10) and the sentences that state a result, one row each.
 * Where a sentence has no example, the row makes one.
 */
import type { Value } from '../../../src/entra/mappings/expression.ts'

export interface PageRow {
  /** The heading on the page, as its anchor. */
  readonly anchor: string
  readonly expression: string
  readonly source?: Readonly<Record<string, Value>>
  /** The value, a pattern for a random one, or the error. */
  readonly result: Value | RegExp | { readonly error: RegExp }
}

const HIRE_DATE = { StatusHireDate: '2012-03-16-07:00' }
const JOHN = { givenName: 'John', surname: 'Doe' }
const SMITH = { PreferredFirstName: 'John', PreferredLastName: 'Smith' }
const MOBILE = '\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>\\\\d{10})'
const UPN = { userPrincipalName: 'jsmith@contoso.com' }

export const PAGE_ROWS: readonly PageRow[] = [
  row('syntax-overview', '"Company name: \\"Contoso\\""', 'Company name: "Contoso"'),
  row('append', 'Append([userPrincipalName], ".test")', 'John.Doe@contoso.com.test', {
    userPrincipalName: 'John.Doe@contoso.com',
  }),
  row('bitand', 'BitAnd(&HF, &HF7)', 7),
  row('bitand', 'BitAnd(6, 1)', 0),
  row('cbool', 'CBool([attribute1] = [attribute2])', true, { attribute1: 'x', attribute2: 'x' }),
  row('cbool', 'CBool([attribute1] = [attribute2])', false, { attribute1: 'x', attribute2: 'X' }),
  row('cbool', 'CBool(2)', true),
  row('cbool', 'CBool("0")', false),
  row('cbool', 'CBool([missing])', false),
  row('cdate', 'CDate([StatusHireDate])', '3/16/2020 7:00:00 AM', { StatusHireDate: '2020-03-16-07:00' }),
  row('cdate', 'CDate("2021-06-30+08:00")', '6/29/2021 4:00:00 PM'),
  row('cdate', 'CDate("2009-06-15T01:45:30-07:00")', '6/15/2009 8:45:30 AM'),
  row('coalesce', 'Coalesce([mail],[userPrincipalName])', 'John.Doe@contoso.com', {
    userPrincipalName: 'John.Doe@contoso.com',
  }),
  row('coalesce', 'Coalesce([missing], "")', ''),
  row('coalesce', 'Coalesce([missing], [missing])', null),
  row('converttobase64', 'ConvertToBase64("Hello world!")', 'SABlAGwAbABvACAAdwBvAHIAbABkACEA'),
  row('converttoutf8hex', 'ConvertToUTF8Hex("Hello world!")', '48656C6C6F20776F726C6421'),
  row('count', 'Count([proxyAddresses])', 2, { proxyAddresses: ['a', 'b'] }),
  row('cstr', 'CStr([dn])', 'cn=Joe,dc=contoso,dc=com', { dn: 'cn=Joe,dc=contoso,dc=com' }),
  row('cstr', 'CStr([enabled])', 'True', { enabled: true }),
  row('dateadd', 'DateAdd("d", 7, CDate([StatusHireDate]))', '3/23/2012 7:00:00 AM', HIRE_DATE),
  row('dateadd', 'DateAdd("d", -10, CDate([StatusHireDate]))', '3/6/2012 7:00:00 AM', HIRE_DATE),
  row('dateadd', 'DateAdd("ww", 2, CDate([StatusHireDate]))', '3/30/2012 7:00:00 AM', HIRE_DATE),
  row('dateadd', 'DateAdd("m", 10, CDate([StatusHireDate]))', '1/16/2013 7:00:00 AM', HIRE_DATE),
  row('dateadd', 'DateAdd("yyyy", 2, CDate([StatusHireDate]))', '3/16/2014 7:00:00 AM', HIRE_DATE),
  row('datediff', dateDiff('d', '2021-08-18+08:00', '2021-08-31+08:00'), 13),
  row('datediff', dateDiff('d', '8/25/2021 5:41:18 PM', '2012-03-16-07:00'), -3449),
  row('datediff', dateDiff('ww', '8/25/2021 5:41:18 PM', '2012-03-16-07:00'), -493),
  row('datediff', dateDiff('m', '8/25/2021 5:41:18 PM', '2012-03-16-07:00'), -113),
  row('datediff', dateDiff('yyyy', '8/25/2021 5:41:18 PM', '2012-03-16-07:00'), -9),
  row('datediff', dateDiff('d', '2021-08-31+08:00', '2021-08-31+08:00'), 0),
  row('datediff', dateDiff('h', '2021-08-24', '2021-08-25'), 24),
  row('datediff', dateDiff('n', '2021-08-24', '2021-08-25'), 1440),
  row('datediff', dateDiff('s', '2021-08-24', '2021-08-25'), 86400),
  ...(
    [
      ['1', '2026-05-08', 'True'],
      ['1', '2026-05-12', 'False'],
      ['0', null, 'False'],
      ['2', null, null],
    ] as const
  ).map(([Active, StatusHireDate, result]) =>
    row(
      'datediff',
      'Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([StatusHireDate])) > 5, "False", "True"), "0", "False")',
      result,
      { Active, StatusHireDate },
    ),
  ),
  row('datefromnum', 'DateFromNum([lastLogonTimestamp])', '1/1/2012 11:00:00 PM', {
    lastLogonTimestamp: '129699324000000000',
  }),
  row('datefromnum', 'DateFromNum(129699324000000000)', '1/1/2012 11:00:00 PM'),
  row('defaultdomain', 'Join("@", [mailNickname], DefaultDomain())', 'zoe@quillfern.example', {
    mailNickname: 'zoe',
  }),
  row(
    'formatdatetime',
    'FormatDateTime([extensionAttribute1], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")',
    '2015-01-23',
    { extensionAttribute1: '20150123105347.1Z' },
  ),
  row('guid', 'Guid()', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
  row('ignoreflowifnullorempty', 'IgnoreFlowIfNullOrEmpty([department])', { error: /^$/ }),
  row('ignoreflowifnullorempty', 'IgnoreFlowIfNullOrEmpty([department])', 'Field', { department: 'Field' }),
  ...(
    [
      ['3443', 'Dr.'],
      ['3445', 'Prof. Dr.'],
      ['9', { error: /^$/ }],
    ] as const
  ).map(([prefix, result]) =>
    row(
      'ignoreflowifnullorempty',
      'IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr.", "3444", "Prof.", "3445", "Prof. Dr."))',
      result,
      { prefix },
    ),
  ),
  row('iif', 'IIF([country]="USA",[country],[department])', 'USA', { country: 'USA', department: 'Field' }),
  row('iif', 'IIF([country]="USA",[country],[department])', 'Field', { country: 'FR', department: 'Field' }),
  row('iif', 'IIF([country]="USA",IIF([state]="CA","True","False"),"False")', 'True', {
    country: 'USA',
    state: 'CA',
  }),
  row('iif', 'IIF([country]="USA",IIF([state]="CA","True","False"),"False")', 'False', { country: 'FR' }),
  row('iif', 'IIF([country]="USA","True",IIF([state]="CA","True","False"))', 'True', { state: 'CA' }),
  row('iif', 'IIF([country]="USA" AND [state]="CA", "a", "b")', { error: /"AND" is not supported/ }),
  row('iif', 'IIF(IgnoreFlowIfNullOrEmpty([country]),[country],"Other")', {
    error: /IIF: IgnoreFlowIfNullOrEmpty cannot be a condition/,
  }),
  row('iif', 'IgnoreFlowIfNullOrEmpty(IIF([country]="USA",[region],""))', 'West', {
    country: 'USA',
    region: 'West',
  }),
  row('iif', 'Switch([country],[country],"","Other")', 'Other'),
  row('iif', 'Switch([country],[country],"","Other")', 'FR', { country: 'FR' }),
  ...(
    [
      ['<>', 'no'],
      ['>', 'no'],
      ['>=', 'yes'],
      ['<', 'no'],
      ['<=', 'yes'],
    ] as const
  ).map(([operator, result]) => row('iif', `IIF(Len("abc") ${operator} 3, "yes", "no")`, result)),
  row('instr', 'InStr("The quick brown fox","quick")', 5),
  row('instr', 'InStr("repEated","e",3,vbBinaryCompare)', 7),
  row('instr', 'InStr("repEated","e",3,vbTextCompare)', 4),
  row('instr', 'InStr("abc","x")', 0),
  row('isnull', 'IsNull([displayName])', true),
  row('isnull', 'IsNull([displayName])', false, { displayName: '' }),
  row('isnullorempty', 'IsNullOrEmpty([displayName])', true),
  row('isnullorempty', 'IsNullOrEmpty([displayName])', true, { displayName: '' }),
  row('isnullorempty', 'IsNullOrEmpty([displayName])', false, { displayName: 'Zoë' }),
  row('ispresent', 'IsPresent([directManager])', true, { directManager: 'x' }),
  row('ispresent', 'IsPresent([directManager])', false, { directManager: '' }),
  row('isstring', 'IsString([displayName])', true, { displayName: 'Zoë' }),
  row('item', 'Item([proxyAddresses], 1)', 'a', { proxyAddresses: ['a', 'b'] }),
  row('item', 'Item([proxyAddresses], 0)', { error: /Item: index counts from 1/ }, { proxyAddresses: ['a'] }),
  row('join', 'Join(",", [proxyAddresses], "c")', 'a,b,c', { proxyAddresses: ['a', 'b'] }),
  row('left', 'Left("John Doe", 3)', 'Joh'),
  row('left', 'Left("John Doe", 0)', ''),
  row('left', 'Left("John Doe", -1)', 'John Doe'),
  row('left', 'Left([missing], 3)', ''),
  row('left', 'Left("John Doe", 20)', 'John Doe'),
  row('len', 'Len("John Doe")', 8),
  row('len', 'Len(42568)', 5),
  row('len', 'Len(42568.75)', 8),
  row('len', 'Len([missing])', 0),
  ...(
    [
      ['Smith', 'SmithJohn'],
      ['Parker', 'ParkerJ'],
    ] as const
  ).map(([LastName, result]) =>
    row(
      'len',
      'IIF(Len([LastName]) <= 5, Left(Join ("",[LastName],[FirstName]),10), Join("", Mid([LastName],1,9), Mid([FirstName],1,1)))',
      result,
      { FirstName: 'John', LastName },
    ),
  ),
  row('mid', 'Mid("abcdef", 2, 3)', 'bcd'),
  row('mid', 'Mid("abcdef", 5, 30)', 'ef'),
  row('normalizediacritics', 'NormalizeDiacritics([givenName])', 'Zoe', { givenName: 'Zoë' }),
  row('not', 'Not("True")', false),
  row('not', 'Not("False")', true),
  row('not', 'Not("abc")', true),
  row('not', 'Not([missing])', true),
  row('now', 'Now()', '5/4/2026 1:05:09 PM'),
  row(
    'numfromdate',
    'NumFromDate(Join("", FormatDateTime([ContractEndDate], ,"yyyy-MM-ddzzz", "yyyy-MM-dd"), " 23:59:59-08:00"))',
    '132539615990000000',
    { ContractEndDate: '2020-12-31-08:00' },
  ),
  row(
    'numfromdate',
    'NumFromDate(Join("",FormatDateTime([endDate], ,"M/d/yyyy hh:mm:ss tt","yyyy-MM-dd")," 23:59:59-08:00"))',
    '132539615990000000',
    { endDate: '12/31/2020 12:00:00 AM' },
  ),
  row('pcase', 'PCase([firstName])', 'Pablo Gonsalves (Second)', { firstName: 'PABLO GONSALVES (SECOND)' }),
  row('pcase', 'PCase([lastName]," \'-")', "Pinto-De'Silva", { lastName: "PINTO-DE'SILVA" }),
  row('pcase', 'PCase(Join(" ",[firstName],[lastName]))', 'Gregory James', {
    firstName: 'GREGORY',
    lastName: 'JAMES',
  }),
  row('randomstring', 'RandomString(6,3,0,0,3)', /^(?=(.*\d){3})(?=(.*[a-z]){3}).{6}$/),
  row(
    'randomstring',
    'RandomString(10,2,2,2,1,"?,")',
    /^(?=(.*\d){2})(?=(.*[A-Z]){2})(?=.*[a-z])(?=(.*[^\dA-Za-z]){2})[^?,]{10}$/,
  ),
  row('randomstring', 'RandomString(3,2,2,0,0)', { error: /length 3 is less than the minima together, 4/ }),
  row('randomstring', 'RandomString(257,0,0,0,0)', { error: /length 257 is more than 256/ }),
  row('redact', 'Redact([userPrincipalName])', 'jsmith@contoso.com', UPN),
  row('redact', 'Redact("StringToBeRedacted")', 'StringToBeRedacted'),
  row('redact', 'Redact(RandomString(6,3,0,0,3))', /^[\da-z]{6}$/),
  row('removeduplicates', 'RemoveDuplicates([proxyAddresses])', ['a', 'b'], {
    proxyAddresses: ['a', 'b', 'a'],
  }),
  row(
    'replace',
    'Replace([BusinessTitle],"Product Developer", , , "Software Engineer", , )',
    'Software Engineer',
    {
      BusinessTitle: 'Product Developer',
    },
  ),
  row('replace', 'Replace([UserID],"<username>", , , , , "<username>@contoso.com")', 'jsmith@contoso.com', {
    UserID: 'jsmith',
  }),
  row('replace', `Replace([telephoneNumber], , "${MOBILE}", , "\${phoneNumber}", , )`, '9998887777', {
    telephoneNumber: '+91 9998887777',
  }),
  row('replace', 'Replace([mobile], , "[()\\\\s-]+", , "", , )', '+19998887777', {
    // The page prints 19998887777, but its pattern does not match the plus sign.
    mobile: '+1 (999) 888-7777',
  }),
  row(
    'replace',
    'Replace([AddressLineData], ,"(?<streetNumber>^\\\\d*)","streetNumber", "888", , )',
    '888 Tremont Street',
    { AddressLineData: '545 Tremont Street' },
  ),
  row('replace', 'Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )', 'jsmith', UPN),
  row('replace', `Replace([telephoneNumber], , "${MOBILE}", "phoneNumber" , , [mobile], )`, '8887779999', {
    telephoneNumber: '',
    mobile: '+91 8887779999',
  }),
  row('replace', `Replace([telephoneNumber], , "${MOBILE}", "phoneNumber" , , [mobile], )`, '+44 20', {
    telephoneNumber: '+44 20',
    mobile: '+91 8887779999',
  }),
  row('replace', 'Replace([mailNickname], , "[a-zA-Z_]*", , "", , )', '72', { mailNickname: 'john_doe72' }),
  row('selectuniquevalue', 'SelectUniqueValue("a", "b")', {
    error: /works only for Active Directory targets/,
  }),
  row('singleapproleassignment', 'SingleAppRoleAssignment([appRoleAssignments])', {
    error: /supports one role, and the user has 2: reader, editor/,
  }),
  row('split', 'Split([extensionAttribute5], ",")', ['PermissionSetOne', 'PermissionSetTwo'], {
    extensionAttribute5: 'PermissionSetOne, PermissionSetTwo',
  }),
  row('stripspaces', 'StripSpaces(" a b ")', 'ab'),
  row('switch', 'Switch(ToLower([statusFlag]), "0", "true", "1", "false", "0")', '1', { statusFlag: 'TRUE' }),
  row('switch', 'Switch([statusFlag], "Default Value", "true", "1", "", "0")', '0'),
  row('switch', 'Switch([statusFlag], "Default Value", "true", "1", "", "0")', '0', { statusFlag: '' }),
  row('switch', 'Switch([statusFlag], "Default Value", "true", "1", "", "0")', '1', { statusFlag: 'true' }),
  row('switch', 'Switch([statusFlag], "Default Value", "true", "1", "", "0")', 'Default Value', {
    statusFlag: 'TRUE',
  }),
  row(
    'switch',
    'IIF([companyName] = "Company A", "A", IIF([companyName] = "Company B", "B", "External"))',
    'External',
    { companyName: 'Company C' },
  ),
  row(
    'switch',
    'IgnoreFlowIfNullOrEmpty(switch([companyName], [companyName], "Company A", "A", "Company B", "B"))',
    'B',
    { companyName: 'Company B' },
  ),
  row(
    'switch',
    'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney","QLD", "Australia/Brisbane", "SA", "Australia/Adelaide")',
    'Australia/Brisbane',
    { state: 'QLD' },
  ),
  row('switch', 'Switch([state], "x", "NSW")', { error: /Switch takes at least 4 arguments, found 3/ }),
  row('switch', 'Switch([state], "x", "NSW", "y", "QLD")', { error: /the key "QLD" has no value/ }),
  row(
    'tolower',
    'ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".",  [PreferredFirstName], [PreferredLastName]))), "contoso.com"))',
    'john.smith@contoso.com',
    SMITH,
  ),
  row('toupper', 'ToUpper("istanbul", "tr-TR")', 'İSTANBUL'),
  row('word', 'Word("The quick brown fox",3," ")', 'brown'),
  row('word', 'Word("This,string!has&many separators",3,",!&#")', 'has'),
  row('word', 'Word("a b", 0, " ")', ''),
  row('word', 'Word("a b", -1, " ")', ''),
  row('word', 'Word([missing], 1, " ")', ''),
  row('word', 'Word("a b", 3, " ")', ''),
  row('strip-known-domain-name', 'Replace([mail], "@contoso.com", , ,"", ,)', 'john.doe', {
    mail: 'john.doe@contoso.com',
  }),
  row(
    'generate-user-alias-by-concatenating-parts-of-first-and-last-name',
    'Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))',
    'JohDoe',
    JOHN,
  ),
  row(
    'add-a-comma-between-last-name-and-first-name',
    'Join(", ", "", [surname], [givenName])',
    'Doe, John',
    JOHN,
  ),
  row(
    'generate-an-id-for-a-user-based-on-their-microsoft-entra-object-id',
    'Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", ))',
    // The output on the page belongs to another object id than the input.
    '100030306161303061612626231312636332322646433332343465653434656534346565',
    { objectId: '00aa00aa-bb11-cc22-dd33-44ee44ee44ee' },
  ),
  row(
    'set-a-primary-smtp-address-in-proxyaddresses',
    'Append("SMTP:", Join("@", Join(".", [givenName], [surname]), "contoso.com"))',
    'SMTP:John.Doe@contoso.com',
    JOHN,
  ),
  row(
    'set-primary-and-alias-addresses-in-proxyaddresses',
    'Split(Join(",", Append("smtp:", Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.onmicrosoft.com")), Append("SMTP:", Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))), ",")',
    ['smtp:John.Doe@contoso.onmicrosoft.com', 'SMTP:John.Doe@contoso.com'],
    JOHN,
  ),
]

/** The page's table of NormalizeDiacritics: the characters of a line, and what they become. */
export const DIACRITICS: readonly (readonly [characters: string, normalized: string])[] = [
  ['ä, à, â, ã, å, á, ą, ă, ā, ā́, ā̀, ā̂, ā̃, ǟ, ā̈, ǡ, a̱, å̄', 'a'],
  ['Ä, À, Â, Ã, Å, Á, Ą, Ă, Ā, Ā́, Ā̀, Ā̂, Ā̃, Ǟ, Ā̈, Ǡ, A̱, Å̄', 'A'],
  ['æ, ǣ', 'ae'],
  ['Æ, Ǣ', 'AE'],
  ['ç, č, ć, c̄, c̱', 'c'],
  ['Ç, Č, Ć, C̄, C̱', 'C'],
  ['ď, d̄, ḏ', 'd'],
  ['Ď, D̄, Ḏ', 'D'],
  ['ë, è, é, ê, ę, ě, ė, ē, ḗ, ḕ, ē̂, ē̃, ê̄, e̱, ë̄, e̊̄', 'e'],
  ['Ë, È, É, Ê, Ę, Ě, Ė, Ē, Ḗ, Ḕ, Ē̂, Ē̃, Ê̄, E̱, Ë̄, E̊̄', 'E'],
  ['ğ, ḡ, g̱', 'g'],
  ['Ğ, Ḡ, G̱', 'G'],
  ['ï, î, ì, í, ı, ī, ī́, ī̀, ī̂, ī̃, i̱', 'i'],
  ['Ï, Î, Ì, Í, İ, Ī, Ī́, Ī̀, Ī̂, Ī̃, I̱', 'I'],
  ['ľ, ł, l̄, ḹ, ḻ', 'l'],
  ['Ł, Ľ, L̄, Ḹ, Ḻ', 'L'],
  ['ñ, ń, ň, n̄, ṉ', 'n'],
  ['Ñ, Ń, Ň, N̄, Ṉ', 'N'],
  ['ö, ò, ő, õ, ô, ó, ō, ṓ, ṑ, ō̂, ō̃, ȫ, ō̈, ǭ, ȭ, ȱ, o̱', 'o'],
  ['Ö, Ò, Ő, Õ, Ô, Ó, Ō, Ṓ, Ṑ, Ō̂, Ō̃, Ȫ, Ō̈, Ǭ, Ȭ, Ȱ, O̱', 'O'],
  ['ø, ø̄, œ̄', 'oe'],
  ['Ø, Ø̄, Œ̄', 'OE'],
  ['ř, r̄, ṟ, ṝ', 'r'],
  ['Ř, R̄, Ṟ, Ṝ', 'R'],
  ['ß', 'ss'],
  ['š, ś, ș, ş, s̄, s̱', 's'],
  ['Š, Ś, Ș, Ş, S̄, S̱', 'S'],
  ['ť, ț, t̄, ṯ', 't'],
  ['Ť, Ț, T̄, Ṯ', 'T'],
  ['ü, ù, û, ú, ů, ű, ū, ū́, ū̀, ū̂, ū̃, u̇̄, ǖ, ṻ, ṳ̄, u̱', 'u'],
  ['Ü, Ù, Û, Ú, Ů, Ű, Ū, Ū́, Ū̀, Ū̂, Ū̃, U̇̄, Ǖ, Ṻ, Ṳ̄, U̱', 'U'],
  ['ÿ, ý, ȳ, ȳ́, ȳ̀, ȳ̃, y̱', 'y'],
  ['Ÿ, Ý, Ȳ, Ȳ́, Ȳ̀, Ȳ̃, Y̱', 'Y'],
  ['ź, ž, ż, z̄, ẕ', 'z'],
  ['Ź, Ž, Ż, Z̄, Ẕ', 'Z'],
]

/** The functions of the page's list. */
export const PAGE_FUNCTIONS =
  'Append AppRoleAssignmentsComplex BitAnd CBool CDate Coalesce ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd DateDiff DateFromNum DefaultDomain FormatDateTime Guid IgnoreFlowIfNullOrEmpty IIF InStr IsNull IsNullOrEmpty IsPresent IsString Item Join Left Len Mid NormalizeDiacritics Not Now NumFromDate PCase RandomString Redact RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment Split StripSpaces Switch ToLower ToUpper Word'.split(
    ' ',
  )

function row(
  anchor: string,
  expression: string,
  result: PageRow['result'],
  source: PageRow['source'] = {},
): PageRow {
  return { anchor, expression, source, result }
}

function dateDiff(interval: string, first: string, second: string): string {
  return `DateDiff("${interval}", CDate("${first}"), CDate("${second}"))`
}
