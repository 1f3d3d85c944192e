/**
 * The attributes of a resource, grouped by schema.
 */
import { type Complex, isComplex } from '../../scim/comparison.ts'
import { Fact } from './fact.tsx'
import { Urn } from './urn.tsx'
import { ValueText } from './value.tsx'

/** All attributes of `resource`, except `schemas`. @param urn of the schema of those that belong to no extension */
export function Attributes({ resource, urn: core }: { resource: Complex; urn?: string }) {
  const entries = Object.entries(resource).filter(([name]) => name !== 'schemas')
  const own = entries.filter(([name]) => !name.startsWith('urn:'))
  const extensions = entries.filter(([name]) => name.startsWith('urn:'))
  return (
    <>
      {core && (
        <h3 class="urn">
          <Urn urn={core} />
        </h3>
      )}
      <AttributeList attributes={own} />
      {extensions.map(([urn, value]) => (
        <>
          <h3 class="urn">
            <Urn urn={urn} />
          </h3>
          <AttributeList attributes={isComplex(value) ? Object.entries(value) : [['value', value]]} />
        </>
      ))}
    </>
  )
}

function AttributeList({ attributes }: { attributes: readonly (readonly [string, unknown])[] }) {
  return (
    <dl class="attributes">
      {attributes.flatMap(flattened).map(([name, value]) => (
        <Fact name={name}>
          <ValueText value={value} />
        </Fact>
      ))}
    </dl>
  )
}

/** A single complex attribute becomes one row for each sub-attribute: "name.givenName". */
function flattened([name, value]: readonly [string, unknown]): readonly (readonly [string, unknown])[] {
  if (!isComplex(value)) return [[name, value]]
  return Object.entries(value).map(([sub, subValue]) => [`${name}.${sub}`, subValue] as const)
}
