/**
 * Examples of Microsoft's guides to expressions for Workday and SuccessFactors (workday-expression-mapping-functions-guide
 * and successfactors-expression-mapping-functions-guide, dated 2025-08-12), which show syntax that the reference page does
 * not. Left out are examples for Active Directory only, and outputs that do not follow from their expressions: letters
 * in lower case without ToLower, numbers of dates.
 */
import type { Value } from '../../../src/entra/mappings/expression.ts'

export interface GuideRow {
  /** The heading in the guide, as its anchor. */
  readonly anchor: string
  readonly expression: string
  readonly source: Readonly<Record<string, Value>>
  readonly now?: string
  /** `ignored` if the attribute is left out of the request. */
  readonly result: Value
}

/** The "current date" of the guides. */
const NOW = '2025-07-30T09:00:00Z'

const PHONE = '"\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>.*)"'
const EXTENSION = '"\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>.* )[x](?<extension>.*)"'
const ACCOUNT_NAME =
  'Replace(Mid(Replace(NormalizeDiacritics(StripSpaces(Join("", Mid([FirstName],1,1), [LastName]))), , "([\\\\/\\\\\\\\\\\\[\\\\]\\\\:\\\\;\\\\|\\\\=\\\\,\\\\+\\\\*\\\\?\\\\<\\\\>])", , "", , ), 1, 20), , "(\\\\.)*$", , "", , )'
const REHIRE =
  'Switch([Active], , "1", IIF([StatusRehire]=1, IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, "False", "True"), "False"), "0", "True")'
const HIDE =
  'IIF(DateDiff("d", CDate(IIF(IsPresent([startDate]), [startDate], DateAdd("d", "10", Now()))), Now()) >= -1, IIF(DateDiff("d", Now(), CDate(IIF(IsPresent([endDate]), [endDate], DateAdd("d", "1", Now())))) >= 0, "FALSE", "TRUE"), "TRUE")'
const PREFERRED =
  'Join(", ", Join("", Mid([lastName], 1, 1), ToLower(Mid([lastName], 2, 64), )), Join("", Mid(Coalesce([preferredName], [firstName]), 1, 1), ToLower(Mid(Coalesce([preferredName], [firstName]), 2, 64), )))'
const PRIMARY_PHONE =
  'Switch(Join("+",Switch([business],[business],"","other"),Switch([cell],[cell],"","other")), "no primary phone", "true+false", "business phone is primary", "other+true", "cell phone is primary")'

export const GUIDE_ROWS: readonly GuideRow[] = [
  row(
    'basic-string-operations',
    'Replace([PrimaryWorkTelephone], , "[()\\\\s-]+", , "", , )',
    '+15551234567',
    {
      PrimaryWorkTelephone: '+1 (555) 123-4567',
    },
  ),
  row(
    'basic-string-operations',
    `Replace([PreferredNameData], , "(?<firstName>[a-zA-Z]+ )(?<lastName>[a-zA-Z]+)", ,"\${lastName}", ,)`,
    'Smith',
    { PreferredNameData: 'John Smith' },
  ),
  row(
    'basic-string-operations',
    `Replace([WorkerID], , "(?<leadingZeros>^0+)(?<actualValue>[a-zA-Z0-9]+)", , "\${actualValue}", ,)`,
    '12345',
    { WorkerID: '00012345' },
  ),
  row(
    'basic-string-operations',
    `Join(" ",Replace([HereditarySuffix], ,"(?<CountryISOCode>.*)_(?<suffix1>.*)_(?<suffix2>.*)[0-9]", ,"\${suffix1} \${suffix2}", , ),[PreferredLastName])`,
    'Van der Hof',
    { HereditarySuffix: 'NLD_Van_der3', PreferredLastName: 'Hof' },
  ),
  row('text-case-conversion', `Replace(PCase("st john's hospital"),"'S", , ,"'s", , )`, "St John's Hospital"),
  row(
    'text-case-conversion',
    'ToLower(NormalizeDiacritics(StripSpaces(Join(".", [PreferredFirstName], [PreferredLastName]))))',
    'jose.garcia-lopez',
    { PreferredFirstName: 'José', PreferredLastName: 'García-López' },
  ),
  row(
    'international-phone-number-parsing',
    `Replace(Replace([telephoneNumber], , ${PHONE}, , "\${phoneNumber}", , ), ,"[()\\\\s-]+", ,"", , )`,
    '7376268331',
    {
      telephoneNumber: '+1 737-626-8331',
    },
  ),
  // One backslash before a character other than \ and " stays.
  row(
    'international-phone-number-parsing',
    `Switch(Replace([telephoneNumber], , "\\+(?<isdCode>49|44|43|1|352|91)(?<phoneNumber>.*)", , "\${isdCode}", , ), , "49", "GER", "91", "IND", "1", "USA")`,
    'GER',
    { telephoneNumber: '+493012345678' },
  ),
  row(
    'phone-number-formatting-for-different-systems',
    `Replace(Replace([telephoneNumber], , ${EXTENSION}, , "\${phoneNumber}", , ), ,"[()\\\\s-]+", ,"", , )`,
    '2062918163',
    { telephoneNumber: '+1 (206) 291-8163 x8125' },
  ),
  row(
    'phone-number-formatting-for-different-systems',
    `Replace([telephoneNumber], , ${EXTENSION}, , "\${extension}", , )`,
    '8125',
    { telephoneNumber: '+1 (206) 291-8163 x8125' },
  ),
  // Here and below, the guide prints the opposite outputs, which do not follow from the expressions.
  row('rehire-processing', REHIRE, 'False', { Active: '1', StatusRehire: '1', StatusHireDate: '2025-08-15' }),
  row('rehire-processing', REHIRE, 'True', { Active: '1', StatusRehire: '1', StatusHireDate: '2025-07-15' }),
  row('rehire-processing', REHIRE, 'True', { Active: '0' }),
  row(
    'pre-hire-account-creation',
    'Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([StatusHireDate])) <= 14, "False", "True"), "0", "True")',
    'True',
    { Active: '1', StatusHireDate: '2025-09-15' },
  ),
  row(
    'handling-hire-rescinds',
    'Switch([Active], "False", "1", IIF(DateDiff("d", Now(), CDate(IIF(IsNullOrEmpty([StatusHireDate]), "9999-01-01", [StatusHireDate]))) < 7, "False", "True"), "0", "True")',
    'True',
    { Active: '1' },
  ),
  row(
    'conditional-date-based-logic',
    'IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, [Department], IgnoreAttributeFlow)',
    'Marketing',
    { StatusHireDate: '2025-08-15', Department: 'Marketing' },
  ),
  row(
    'conditional-date-based-logic',
    'IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, [Department], IgnoreAttributeFlow)',
    'ignored',
    { StatusHireDate: '2025-07-15', Department: 'Marketing' },
  ),
  row('samaccountname-generation', ACCOUNT_NAME, 'MGonzalez-Lopez', {
    FirstName: 'María José',
    LastName: 'Gonzá[lez]-Ló/p+ez..',
  }),
  row(
    'multi-valued-attribute-setting',
    'Split( Join(",","a8cccada-a108-47ae-bf9a-f130499aa4cb","{26491cfc-9e50-4857-861b-0cb8df22b5d7}"), "," )',
    ['a8cccada-a108-47ae-bf9a-f130499aa4cb', '{26491cfc-9e50-4857-861b-0cb8df22b5d7}'],
  ),
  row(
    'writeback-scenarios',
    'IgnoreFlowIfNullOrEmpty(IIF(DateDiff("d", Now(), CDate([employeeHireDate])) > 0, "", [userPrincipalName]))',
    'ignored',
    { employeeHireDate: '2025-08-15', userPrincipalName: 'future@contoso.com' },
  ),
  row(
    'basic-string-operations',
    `Replace(Join("","00000000",[personIdExternal]), ,"(.*?)(?<id>.{0,8})$", ,"\${id}", ,)`,
    '00012345',
    { personIdExternal: '12345' },
  ),
  row('text-case-conversion', 'Join("",Mid([lastName],1,1),ToLower(Mid([lastName],2,64)))', 'Johnson', {
    lastName: 'JOHNSON',
  }),
  row(
    'corporate-domain-validation',
    'IgnoreFlowIfNullOrEmpty(IIF(InStr([emailAddress],"@contoso.com")=0,"",[emailAddress]))',
    'ignored',
    {
      emailAddress: 'john.doe@external.com',
    },
  ),
  row('hide-from-address-lists-logic', HIDE, 'FALSE', { startDate: '2025-01-15', endDate: '2025-12-31' }),
  row('hide-from-address-lists-logic', HIDE, 'TRUE', { startDate: '2025-01-15', endDate: '2025-06-30' }),
  row('hide-from-address-lists-logic', HIDE, 'TRUE'),
  row(
    'basic-account-expiration',
    'Switch([endDate], NumFromDate(Join("", FormatDateTime([endDate], "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd"), " 23:59:59-05:00")), "", "9223372036854775807")',
    '134117171990000000',
    { endDate: '12/31/2025 12:00:00 AM' },
  ),
  row(
    'basic-account-expiration',
    'Switch([endDate], NumFromDate(Join("", FormatDateTime([endDate], "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd"), " 23:59:59-05:00")), "", "9223372036854775807")',
    '9223372036854775807',
  ),
  row('display-name-with-preferred-names', PREFERRED, 'Johnson, Mike', {
    lastName: 'JOHNSON',
    preferredName: 'Mike',
    firstName: 'Michael',
  }),
  row('display-name-with-preferred-names', PREFERRED, 'Smith, Robert', {
    lastName: 'SMITH',
    preferredName: '',
    firstName: 'Robert',
  }),
  row('primary-phone-logic', PRIMARY_PHONE, 'business phone is primary', { business: 'true', cell: 'false' }),
  row('primary-phone-logic', PRIMARY_PHONE, 'cell phone is primary', { business: '', cell: 'true' }),
  row(
    'soft-delete-email-handling',
    'IIF([IsSoftDeleted]="True", Join("_",FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd"),[mail]), [mail])',
    '2025-07-30_john.smith@company.com',
    { IsSoftDeleted: 'True', mail: 'john.smith@company.com' },
  ),
  row(
    'complex-ou-assignment-with-termination-logic',
    'IIF(DateDiff("d", Now(), CDate(Switch([latestTerminationDate], [latestTerminationDate], "", "9999-01-01"))) <= -14, "OU=DELETED", "OU=Default")',
    'OU=DELETED',
    { latestTerminationDate: '2025-07-10' },
  ),
  row(
    'writeback-conditional-logic',
    'IgnoreFlowIfNullOrEmpty(IIF(IsPresent([extensionAttribute9]),IIF(DateDiff("d", Now(), CDate([extensionAttribute9])) <> 1, "", [mail]),"noemail@contoso.com"))',
    'noemail@contoso.com',
    { mail: 'user@company.com' },
  ),
]

function row(
  anchor: string,
  expression: string,
  result: GuideRow['result'],
  source: GuideRow['source'] = {},
): GuideRow {
  return { anchor, expression, source, now: NOW, result }
}
