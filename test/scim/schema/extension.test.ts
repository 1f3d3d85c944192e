/** Extension schemas as administrators write them: accepted schemas, and the field named for rejected ones. */
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import { extensionJson, parseExtension } from '../../../src/scim/schema/extension.ts'
import { incompatibilities } from '../../../src/scim/schema/extension-change.ts'
import { importExtensions } from '../../../src/scim/schema/extension-import.ts'
import { SchemaRefused } from '../../../src/scim/schema/extension-members.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'

const TYPES = [USER_RESOURCE_TYPE, GROUP_RESOURCE_TYPE]
const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

const parse = (schema: unknown) => parseExtension(schema, TYPES)
const withAttribute = (attribute: unknown) => ({ id: ACME, attributes: [attribute] })

function refusal(run: () => unknown): SchemaRefused {
  try {
    run()
  } catch (error) {
    if (error instanceof SchemaRefused) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('parseExtension', () => {
  it('adds the defaults of RFC 7643 §2.2, the resource type of the URN, and a name', () => {
    expect(extensionJson(parse(withAttribute({ name: 'badge' })))).toEqual({
      schemas: [SCHEMA],
      id: ACME,
      name: 'acmeUser',
      description: '',
      resourceType: 'User',
      attributes: [
        {
          name: 'badge',
          type: 'string',
          multiValued: false,
          description: '',
          required: false,
          caseExact: false,
          mutability: 'readWrite',
          returned: 'default',
          uniqueness: 'none',
        },
      ],
    })
  })

  it('is the inverse of extensionJson', () => {
    const schema = {
      schemas: [SCHEMA],
      id: 'urn:example:acme:hr',
      name: 'HR',
      description: 'Human resources',
      resourceType: 'Group',
      attributes: [
        {
          name: 'level',
          type: 'integer',
          multiValued: false,
          description: 'Pay grade',
          required: false,
          caseExact: false,
          mutability: 'immutable',
          returned: 'request',
          uniqueness: 'none',
          indexed: true,
        },
        {
          name: 'sites',
          type: 'complex',
          multiValued: true,
          description: '',
          required: false,
          caseExact: false,
          mutability: 'readWrite',
          returned: 'always',
          uniqueness: 'none',
          subAttributes: [
            {
              name: '$ref',
              type: 'reference',
              multiValued: false,
              description: '',
              required: false,
              caseExact: true,
              mutability: 'readWrite',
              returned: 'default',
              uniqueness: 'none',
              referenceTypes: ['uri'],
            },
            {
              name: 'type',
              type: 'string',
              multiValued: false,
              description: '',
              required: false,
              caseExact: false,
              mutability: 'readWrite',
              returned: 'default',
              uniqueness: 'none',
              canonicalValues: ['office', 'plant'],
            },
          ],
        },
      ],
    }
    const once = extensionJson(parse(schema))
    expect(once).toEqual(schema)
    expect(extensionJson(parse(once))).toEqual(schema)
  })

  it('ignores the case of member names and treats null as missing', () => {
    const { attributes } = parse({
      ID: ACME,
      Attributes: [{ NAME: 'badge', multivalued: true, description: null }],
    })
    expect(attributes[0]).toMatchObject({ name: 'badge', multiValued: true, description: '' })
  })

  const name = (text: unknown) => withAttribute({ name: text })
  const a = (more: Complex) => withAttribute({ name: 'a', ...more })
  const sub = (more: Complex, owner: Complex = {}) =>
    a({ type: 'complex', ...owner, subAttributes: [{ name: 's', ...more }] })

  it.for<[what: string, schema: unknown, field: string, reason: RegExp]>([
    ['a text', 'x', 'body', /must be a JSON object, found a string/],
    ['an array', [], 'body', /found an array/],
    ['an unknown member', { ...name('a'), tenant: 'x' }, 'tenant', /is not a known member; use one of/],
    ['a duplicate member', { ...name('a'), ID: ACME }, 'ID', /twice/],
    ['another kind of document', { ...name('a'), schemas: [LIST] }, 'schemas', /must contain "urn.*:Schema"/],
    ['no URN', { attributes: [] }, 'id', /must be a URN, found nothing/],
    ['a URL', { ...name('a'), id: 'https://acme.example/User' }, 'id', /must be a URN such as/],
    ['a URN in capitals', { ...name('a'), id: 'URN:acme:x:User' }, 'id', /must be a URN such as/],
    ['a URN with a quote', { ...name('a'), id: `urn:acme:"x'` }, 'id', /must be a URN such as/],
    ['a URN with an empty part', { ...name('a'), id: 'urn:acme::User' }, 'id', /must be a URN such as/],
    ['a URN with a space', { ...name('a'), id: 'urn:acme:a b' }, 'id', /must be a URN such as/],
    [
      'a URN with a namespace of one letter',
      { ...name('a'), id: 'urn:a:b:User' },
      'id',
      /2 to 32 characters after "urn:"/,
    ],
    [
      'a long URN',
      { ...name('a'), id: `urn:acme:${'x'.repeat(300)}` },
      'id',
      /has 309 characters, the limit is 256/,
    ],
    [
      'the core schema',
      { ...name('a'), id: USER_RESOURCE_TYPE.schema.id },
      'id',
      /would shadow the built-in/,
    ],
    [
      'the enterprise schema in another case',
      { ...name('a'), id: 'urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user' },
      'id',
      /would shadow the built-in/,
    ],
    [
      'an attribute of the enterprise schema as a schema',
      { ...name('a'), id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' },
      'id',
      /would shadow the built-in/,
    ],
    [
      'the beginning of the enterprise schema',
      { ...name('a'), id: 'urn:ietf:params:scim:schemas:extension:enterprise', resourceType: 'User' },
      'id',
      /would shadow the built-in/,
    ],
    [
      'the namespace of the core',
      { ...name('a'), id: 'urn:ietf:params:scim:schemas:core:2.0:Device', resourceType: 'User' },
      'id',
      /namespace of RFC 7643/,
    ],
    [
      'an unknown resource type',
      { ...name('a'), resourceType: 'Device' },
      'resourceType',
      /must be one of User, Group/,
    ],
    ['no type', { ...name('a'), id: 'urn:acme:hr' }, 'resourceType', /is required .*one of User, Group/],
    ['no attributes', { id: ACME }, 'attributes', /must be an array, found nothing/],
    ['an empty list', { id: ACME, attributes: [] }, 'attributes', /must have 1 to 50 elements, found 0/],
    [
      '51 attributes',
      { id: ACME, attributes: Array.from({ length: 51 }, (_, i) => ({ name: `a${i}` })) },
      'attributes',
      /must have 1 to 50 elements, found 51/,
    ],
    ['an attribute that is a string', withAttribute('a'), 'attributes[0]', /must be a JSON object/],
    ['no name', withAttribute({}), 'attributes[0].name', /must be a string, found nothing/],
    ['an empty name', name(''), 'attributes[0].name', /must begin with a letter/],
    ['a name that begins with a digit', name('1a'), 'attributes[0].name', /must begin with a letter/],
    ['a name with a dot', name('a.b'), 'attributes[0].name', /must begin with a letter/],
    ['a name with a quote', name(`a"b`), 'attributes[0].name', /must begin with a letter/],
    ['a name in other letters', name('é'), 'attributes[0].name', /must begin with a letter/],
    ['"$ref" at the top', name('$ref'), 'attributes[0].name', /must begin with a letter/],
    ['__proto__', name('__proto__'), 'attributes[0].name', /must begin with a letter/],
    ['constructor', name('constructor'), 'attributes[0].name', /reserved/],
    ['a long name', name('a'.repeat(65)), 'attributes[0].name', /has 65 characters, the limit is 64/],
    ['a core attribute', name('userName'), 'attributes[0].name', /would shadow the attribute of User/],
    ['a common attribute in another case', name('EXTERNALID'), 'attributes[0].name', /would shadow/],
    [
      'a duplicate name',
      { id: ACME, attributes: [{ name: 'a' }, { name: 'A' }] },
      'attributes[1].name',
      /must be unique, found "A" twice/,
    ],
    ['an unknown type', a({ type: 'text' }), 'attributes[0].type', /must be one of string, .*, found "text"/],
    ['a type that is a number', a({ type: 7 }), 'attributes[0].type', /found a number/],
    [
      'a boolean characteristic that is a string',
      a({ multiValued: 'true' }),
      'attributes[0].multiValued',
      /must be true or false/,
    ],
    ['required', a({ required: true }), 'attributes[0].required', /must be false.*disabling/],
    ['readOnly', a({ mutability: 'readOnly' }), 'attributes[0].mutability', /does not assign values/],
    ['writeOnly', a({ mutability: 'writeOnly' }), 'attributes[0].mutability', /cannot be read/],
    [
      'an unknown mutability',
      a({ mutability: 'x' }),
      'attributes[0].mutability',
      /one of readWrite, immutable, found "x"/,
    ],
    ['returned never', a({ returned: 'never' }), 'attributes[0].returned', /cannot be read/],
    ['unique values', a({ uniqueness: 'server' }), 'attributes[0].uniqueness', /no unique index/],
    [
      'globally unique values',
      a({ uniqueness: 'global' }),
      'attributes[0].uniqueness',
      /does not know the values/,
    ],
    [
      'immutable lists',
      a({ mutability: 'immutable', multiValued: true }),
      'attributes[0].mutability',
      /single values/,
    ],
    [
      'binary regardless of case',
      a({ type: 'binary', caseExact: false }),
      'attributes[0].caseExact',
      /must be true/,
    ],
    [
      'canonical numbers',
      a({ type: 'integer', canonicalValues: [1] }),
      'attributes[0].canonicalValues',
      /are allowed only for type/,
    ],
    [
      'a canonical number',
      a({ canonicalValues: ['x', 1] }),
      'attributes[0].canonicalValues[1]',
      /must be a string/,
    ],
    [
      'references of a text',
      a({ referenceTypes: ['User'] }),
      'attributes[0].referenceTypes',
      /are allowed only for type/,
    ],
    [
      'a complex attribute without sub-attributes',
      a({ type: 'complex' }),
      'attributes[0].subAttributes',
      /must be an array/,
    ],
    [
      'a string attribute with sub-attributes',
      a({ subAttributes: [{ name: 's' }] }),
      'attributes[0].subAttributes',
      /for type "complex"/,
    ],
    [
      'a complex sub-attribute',
      sub({ type: 'complex' }),
      'attributes[0].subAttributes[0].type',
      /must not be complex/,
    ],
    [
      'a multi-valued sub-attribute of a multi-valued attribute',
      sub({ multiValued: true }, { multiValued: true }),
      'attributes[0].subAttributes[0].multiValued',
      /must be false/,
    ],
    [
      'an index of a sub-attribute',
      sub({ indexed: true }),
      'attributes[0].subAttributes[0].indexed',
      /sub-attribute/,
    ],
    [
      'an index of a multi-valued attribute',
      a({ indexed: true, multiValued: true }),
      'attributes[0].indexed',
      /multi-valued/,
    ],
    [
      'an index of a boolean',
      a({ indexed: true, type: 'boolean' }),
      'attributes[0].indexed',
      /type "boolean"/,
    ],
    ['a lone surrogate', a({ description: '\ud800' }), 'attributes[0].description', /well-formed/],
    [
      'a long description',
      a({ description: 'x'.repeat(1001) }),
      'attributes[0].description',
      /limit is 1000/,
    ],
    [
      'an unknown characteristic',
      a({ multivalue: true }),
      'attributes[0].multivalue',
      /is not a known member/,
    ],
  ])('rejects %s', ([, schema, field, reason]) => {
    const refused = refusal(() => parse(schema))
    expect(refused.field).toBe(field)
    expect(refused.message).toMatch(reason)
    expect(refused.message.length).toBeLessThan(600)
  })
})

/** A JSON value that `String` cannot convert. */
const NO_TEXT = { toString: 1, valueOf: 1 }

describe('a document with an object instead of a string', () => {
  it.for<[field: string, read: () => unknown]>([
    ['resourceType', () => parse({ ...withAttribute({ name: 'a' }), resourceType: NO_TEXT })],
    ['schemas', () => parse({ ...withAttribute({ name: 'a' }), schemas: [NO_TEXT] })],
    ['Resources[0].id', () => importExtensions({ Resources: [{ id: NO_TEXT }] }, TYPES)],
    ['body', () => importExtensions({ attributes: [{ name: NO_TEXT }] }, TYPES)],
    [
      `${ACME}.attributes[0].mutability`,
      () => importExtensions({ attributes: [{ name: `${ACME}:a`, mutability: NO_TEXT }] }, TYPES),
    ],
    [
      `${ACME}.attributes[0].type`,
      () => importExtensions({ attributes: [{ name: `${ACME}:a`, type: 'constructor' }] }, TYPES),
    ],
    [
      'urn:example:hr.resourceType',
      () => importExtensions({ objects: [{ name: NO_TEXT, attributes: ['urn:example:hr:a'] }] }, TYPES),
    ],
  ])('is rejected with the field %s', ([field, read]) => {
    const refused = refusal(read)
    expect(refused.field).toBe(field)
    expect(refused.message).not.toContain('function')
  })
})

describe('incompatibilities', () => {
  const stored = parse({
    id: ACME,
    attributes: [
      { name: 'level', type: 'integer' },
      { name: 'badge' },
      {
        name: 'site',
        type: 'complex',
        subAttributes: [{ name: 'code' }, { name: 'floor', type: 'integer' }],
      },
    ],
  })
  const changedBy = (change: (attributes: Complex[]) => unknown[]) =>
    parse({ ...extensionJson(stored), attributes: change(extensionJson(stored).attributes as Complex[]) })

  it.for<[what: string, change: (attributes: Complex[]) => unknown[]]>([
    ['nothing', (all) => all],
    ['the order', (all) => all.toReversed()],
    ['the number of attributes, by an addition', (all) => [...all, { name: 'team' }]],
    [
      'descriptions and "returned"',
      ([level, ...all]) => [{ ...level, description: 'x', returned: 'request' }, ...all],
    ],
    ['an index', ([level, ...all]) => [{ ...level, indexed: true }, ...all]],
    ['mutability', ([level, ...all]) => [{ ...level, mutability: 'immutable' }, ...all]],
  ])('allows a change of %s', ([, change]) => {
    expect(incompatibilities(stored, changedBy(change))).toEqual([])
  })

  it.for<[what: string, change: (attributes: Complex[]) => unknown[], field: string, path: string[]]>([
    [
      'another type',
      ([level, ...all]) => [{ ...level, type: 'string' }, ...all],
      'attributes[0].type',
      ['level'],
    ],
    [
      'a list',
      ([level, ...all]) => [{ ...level, multiValued: true }, ...all],
      'attributes[0].multiValued',
      ['level'],
    ],
    ['case', ([l, badge, s]) => [l, { ...badge, caseExact: true }, s], 'attributes[1].caseExact', ['badge']],
    ['a spelling', ([l, badge, s]) => [l, { ...badge, name: 'Badge' }, s], 'attributes[1].name', ['badge']],
    ['one less', ([, ...all]) => all, 'attributes', ['level']],
    [
      'the type of a sub-attribute',
      ([l, b, site]) => [
        l,
        b,
        {
          ...site,
          subAttributes: [
            { name: 'code', type: 'integer' },
            { name: 'floor', type: 'integer' },
          ],
        },
      ],
      'attributes[2].subAttributes[0].type',
      ['site', 'code'],
    ],
  ])('returns the field and the path of a change of %s', ([, change, field, path]) => {
    expect(incompatibilities(stored, changedBy(change))).toMatchObject([{ field, path: [ACME, ...path] }])
  })

  it('returns the path of the schema if its resource type changes', () => {
    const moved = parse({ ...extensionJson(stored), resourceType: 'Group' })
    expect(incompatibilities(stored, moved)).toMatchObject([{ field: 'resourceType', path: [ACME] }])
  })
})

describe('importExtensions', () => {
  const read = (body: unknown, type?: string) => {
    const { schemas, notes } = importExtensions(body, TYPES, { resourceType: type })
    return {
      notes,
      schemas: schemas.map(({ id, resourceType, attributes }) => ({
        id,
        resourceType,
        attributes: attributes.map(({ name, type }) => `${name} ${type}`),
      })),
    }
  }
  const schema = { schemas: [SCHEMA], id: ACME, attributes: [{ name: 'badge', idcsSearchable: true }] }

  it('imports the extensions of a ListResponse except built-in ones', () => {
    const Resources = [
      ...TYPES.flatMap((type) => [type.schema, ...type.extensions]),
      { id: SCHEMA, name: 'Schema', attributes: [] },
      schema,
    ]
    expect(read({ schemas: [LIST], totalResults: Resources.length, Resources })).toEqual({
      schemas: [{ id: ACME, resourceType: 'User', attributes: ['badge string'] }],
      notes: ['6 built-in schemas were skipped'],
    })
  })

  it('imports one schema for the given resource type', () => {
    expect(read({ ...schema, id: 'urn:acme:hr' }, 'Group').schemas).toMatchObject([{ resourceType: 'Group' }])
  })

  it('requires a resource type if the document does not name it', () => {
    const refused = refusal(() => read({ Resources: [{ ...schema, id: 'urn:acme:hr' }] }))
    expect(refused.field).toBe('Resources[0].resourceType')
  })

  it('names the rejected schema', () => {
    const refused = refusal(() =>
      read({ Resources: [schema, { ...schema, id: 'urn:acme:User', attributes: [{ name: 'id' }] }] }),
    )
    expect(refused.field).toBe('Resources[1].attributes[0].name')
    expect(refused.message).toMatch(/^"Resources\[1\]\.attributes\[0\]\.name" is "id", which would shadow/)
  })

  it.for<[what: string, body: unknown]>([
    ['only built-in schemas', { Resources: [USER_RESOURCE_TYPE.schema] }],
    ['Resources that are not an array', { Resources: {} }],
    ['a text', 'x'],
    ['an empty list', []],
    ['only core attributes', ['userName', 'name.givenName', 'emails[type eq "work"].value']],
  ])('rejects %s', ([, body]) => {
    expect(['body', 'Resources']).toContain(refusal(() => read(body)).field)
  })

  // From the documentation of Microsoft Graph: "Update synchronizationSchema", the example of a custom attribute.
  it('imports the extension attributes of a synchronization schema of Entra', () => {
    const own = (name: string, type = 'String') => ({
      anchor: false,
      caseExact: false,
      defaultValue: null,
      flowNullValues: false,
      multivalued: false,
      mutability: 'ReadWrite',
      name,
      required: true,
      type,
      apiExpressions: [],
      metadata: [],
      referencedObjects: [],
    })
    const body = {
      directories: [
        {
          name: 'Azure Active Directory',
          objects: [{ name: 'User', attributes: [own('userPrincipalName')] }],
        },
        {
          name: 'customappsso',
          objects: [
            {
              name: 'urn:ietf:params:scim:schemas:core:2.0:User',
              attributes: [
                own('userName'),
                own('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'),
                own(`${ACME}:hireDate`, 'DateTime'),
                own(`${ACME}:level`, 'Integer'),
                own('urn:ietf:params:scim:schemas:extension:2.0:CustomExtension:tag'),
              ],
            },
            { name: 'Group', attributes: [own('urn:acme:2.0:Group:owner')] },
          ],
        },
      ],
    }
    expect(read(body).schemas).toEqual([
      { id: ACME, resourceType: 'User', attributes: ['hireDate dateTime', 'level integer'] },
      {
        id: 'urn:ietf:params:scim:schemas:extension:2.0:CustomExtension',
        resourceType: 'User',
        attributes: ['tag string'],
      },
      { id: 'urn:acme:2.0:Group', resourceType: 'Group', attributes: ['owner string'] },
    ])
  })

  it('imports a list of names, complex attributes by their sub-attributes, and the older form with a note', () => {
    const old = 'urn:ietf:params:scim:schemas:extension:old:2.0:User'
    expect(read([`${ACME}:badge`, `${ACME}:site.code`, `${ACME}:site.floor`, `${old}.tag`])).toEqual({
      schemas: [
        { id: ACME, resourceType: 'User', attributes: ['badge string', 'site complex'] },
        { id: old, resourceType: 'User', attributes: ['tag string'] },
      ],
      notes: [`in Entra's attribute list, replace "${old}.tag" by "${old}:tag"`],
    })
  })

  it('names in its notes what it leaves out of the list of Entra', () => {
    const names = [
      'userName',
      'emails[type eq "work"].value',
      `${USER_RESOURCE_TYPE.schema.id}:title`,
      'badge',
    ]
    expect(read([`${ACME}:badge`, ...names]).notes).toEqual([
      `left out, built-in attributes: ${names
        .slice(0, 3)
        .map((name) => JSON.stringify(name))
        .join(', ')}`,
      'left out, names without the URN of an extension schema: "badge"',
    ])
    const many = Array.from({ length: 1_000 }, (_, i) => `own${i}`)
    expect(read([`${ACME}:badge`, ...many]).notes).toEqual([
      expect.stringMatching(/: "own0", .*"own19" and 980 more$/),
    ])
  })

  it('returns each note once, and imports a long list in linear time', () => {
    const repeated = Array.from({ length: 10_000 }, () => `${ACME}.tag`)
    expect(read(repeated).notes).toHaveLength(1)
    const parts = Array.from({ length: 20_000 }, (_, i) => `${ACME}:site.part${i}`)
    const start = performance.now()
    expect(refusal(() => read(parts)).field).toBe(`${ACME}.attributes[0].subAttributes`)
    expect(performance.now() - start).toBeLessThan(500)
  })
})
