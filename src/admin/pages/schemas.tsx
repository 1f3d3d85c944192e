/**
 * The extension schemas of a tenant, and a form to add or change them.
 */

import { MAX_EXTENSION_ATTRIBUTES, MAX_INDEXED_ATTRIBUTES } from '../../scim/limits.ts'
import type { Attribute } from '../../scim/schema/definition.ts'
import { extensionJson } from '../../scim/schema/extension.ts'
import type {
  ExtensionState,
  TenantExtension,
  TenantExtensions,
} from '../../scim/schema/tenant-extensions.ts'
import { Badge, EmptyState, PageHead, Section, type Tone } from '../components/blocks.tsx'
import { Field, type FormError, Select } from '../components/form.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm, Permitted } from '../components/permitted.tsx'
import { Urn } from '../components/urn.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** The values of the form. */
export interface SchemaForm {
  readonly document: string
  readonly resourceType: string
}

export interface SchemasProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly all: TenantExtensions
  readonly form: SchemaForm
  readonly error?: FormError | undefined
  /** Messages about the last action. */
  readonly done: readonly string[]
}

export function SchemasPage(props: SchemasProps) {
  const { administrator, tenant, all, done } = props
  const attributes = all.extensions.flatMap(({ schema }) => schema.attributes).length
  return (
    <Layout title="Schemas" administrator={administrator} tenant={tenant} current="schemas">
      <PageHead
        title="Schemas"
        lead={`Custom attributes: ${attributes} of ${MAX_EXTENSION_ATTRIBUTES}. Indexed: ${all.indexes.length} of ${MAX_INDEXED_ATTRIBUTES}.`}
      />
      {done.map((sentence) => (
        <p class="notice ok" role="status">
          {sentence}
        </p>
      ))}
      {all.extensions.length === 0 && (
        <Section id="schemas" title="Extension schemas">
          <EmptyState title="No extension schemas.">
            <p>
              The schemas of RFC 7643 and <code>nativeObjectId</code> are built in. Add a schema below for
              further attributes of your identity provider.
            </p>
          </EmptyState>
        </Section>
      )}
      {all.extensions.map((extension, i) => (
        <ExtensionSection tenantId={tenant.id} extension={extension} all={all} number={i} />
      ))}
      <SchemaForm {...props} />
    </Layout>
  )
}

const STATES: Readonly<Record<ExtensionState, readonly [Tone, string]>> = {
  active: ['ok', 'Active'],
  removed: ['off', 'Removed, values kept'],
  purging: ['warn', 'Values are being deleted'],
}

function ExtensionSection({
  tenantId,
  extension: { schema, state },
  all,
  number,
}: {
  tenantId: string
  extension: TenantExtension
  all: TenantExtensions
  number: number
}) {
  const [tone, label] = STATES[state]
  const { schemas } = tenantPaths(tenantId)
  const of = `?urn=${encodeURIComponent(schema.id)}`
  return (
    <Section id={`schema-${number}`} title={schema.name} aside={<Badge tone={tone}>{label}</Badge>}>
      <p>
        <code>
          <Urn urn={schema.id} />
        </code>{' '}
        for {schema.resourceType}. {schema.description}
      </p>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Attribute</th>
            <th scope="col">Type</th>
            <th scope="col">Characteristics</th>
            <th scope="col">Description</th>
          </tr>
        </thead>
        <tbody>
          {schema.attributes.map((attribute) => (
            <tr>
              <th scope="row">
                {attribute.name} <IndexBadge attribute={attribute} urn={schema.id} all={all} />
              </th>
              <td data-label="Type">{typeText(attribute)}</td>
              <td data-label="Characteristics" class="muted">
                {characteristics(attribute) || '—'}
              </td>
              <td data-label="Description">{attribute.description || '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Permitted>
        <div class="actions">
          {state === 'active' && (
            <a class="button quiet" href={`${schemas}${of}#put`}>
              Change
            </a>
          )}
          {state === 'removed' && (
            <ChangeForm action={`${schemas}/restore`}>
              <input type="hidden" name="urn" value={schema.id} />
              <button type="submit" class="quiet">
                Add again
              </button>
            </ChangeForm>
          )}
          {state !== 'purging' && (
            <a class="button quiet" href={`${schemas}/remove${of}`}>
              {state === 'active' ? 'Remove' : 'Delete values'}
            </a>
          )}
        </div>
      </Permitted>
    </Section>
  )
}

function IndexBadge({ attribute, urn, all }: { attribute: Attribute; urn: string; all: TenantExtensions }) {
  const index = all.indexes.find(({ path }) => path[0] === urn && path[1] === attribute.name)
  if (index === undefined) return null
  return index.isReady ? <Badge tone="ok">Indexed</Badge> : <Badge tone="warn">Index is being built</Badge>
}

function typeText({ type, multiValued, subAttributes = [] }: Attribute): string {
  const inner = subAttributes.length === 0 ? '' : ` (${subAttributes.map(({ name }) => name).join(', ')})`
  return `${multiValued ? 'list of ' : ''}${type}${inner}`
}

/** The characteristics that differ from the default. */
function characteristics({ caseExact, mutability, returned, type }: Attribute): string {
  const isText = type === 'string' || type === 'reference'
  return [
    ...(caseExact && isText ? ['case matters'] : []),
    ...(mutability === 'immutable' ? ['set once'] : []),
    ...(returned === 'default' ? [] : [`returned: ${returned}`]),
  ].join(', ')
}

const EXAMPLE = `{
  "id": "urn:ietf:params:scim:schemas:extension:acme:2.0:User",
  "attributes": [
    { "name": "badge", "type": "string", "indexed": true },
    { "name": "hireDate", "type": "dateTime" }
  ]
}`

function SchemaForm({ tenant, form, error }: SchemasProps) {
  const types = tenant.resourceTypes
  return (
    <Section needs="change" id="put" title="Add or change schemas">
      <p>
        Paste a schema (RFC 7643 §7), the <code>/Schemas</code> response of another service provider, or the
        attribute list of your application in Entra as JSON. Built-in schemas and attributes are left out.
      </p>
      <ChangeForm action={tenantPaths(tenant.id).schemas}>
        <Field
          id="schema-document"
          name="document"
          label="Schema as JSON"
          hint="Each attribute needs a name. Optional: type, multiValued, caseExact, returned, description, indexed."
          error={error && { ...error, field: 'document' }}
          control={(attributes) => (
            <textarea {...attributes} rows={14} required spellcheck={false} placeholder={EXAMPLE}>
              {form.document}
            </textarea>
          )}
        />
        <Field
          id="schema-type"
          name="resourceType"
          label="Resource type"
          hint="Needed only if neither the schema nor the end of its URN names the type."
          control={(attributes) => (
            <Select
              attributes={attributes}
              value={form.resourceType}
              options={[['', 'As stated in the schema'], ...types.map(({ name }) => [name, name] as const)]}
            />
          )}
        />
        <button type="submit" class="primary">
          Save
        </button>
      </ChangeForm>
    </Section>
  )
}

/** A schema as JSON, for the form. */
export function documentOf(extension: TenantExtension): string {
  return JSON.stringify(extensionJson(extension.schema), null, 2)
}

/** Asks for confirmation before a schema is removed or its values are deleted. */
export function RemoveSchemaPage(props: {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly extension: TenantExtension
}) {
  const { administrator, tenant, extension } = props
  const { id, name } = extension.schema
  const { schemas } = tenantPaths(tenant.id)
  const isActive = extension.state === 'active'
  return (
    <Layout title="Remove a schema" administrator={administrator} tenant={tenant} current="schemas">
      <div class="panel narrow">
        <h1>{isActive ? `Remove “${name}”?` : `Delete the values of “${name}”?`}</h1>
        <p>
          <code class="urn">{id}</code>
        </p>
        {isActive && (
          <p>
            Clients can no longer read or write its attributes. If you keep the values, they reappear when you
            add the schema again.
          </p>
        )}
        <p>
          Deleting the values cannot be undone. Values in the provisioning log stay until their entries are
          pruned.
        </p>
        <ChangeForm class="actions" action={`${schemas}/remove`}>
          <input type="hidden" name="urn" value={id} />
          {isActive && (
            <button type="submit" name="purge" value="false" class="quiet">
              Remove, and keep the values
            </button>
          )}
          <button type="submit" name="purge" value="true" class="danger">
            {isActive ? 'Remove, and delete the values' : 'Delete the values'}
          </button>
          <a class="button quiet" href={schemas}>
            Keep it
          </a>
        </ChangeForm>
      </div>
    </Layout>
  )
}
