/** Words of OpenAPI that say what is allowed; all else describes. */
const KEPT_WORDS = [
  'type',
  'enum',
  'required',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'oneOf',
  'anyOf',
];

/**
 * A strict JSON Schema of the named kinds out of Kubernetes' OpenAPI document: what is not named is refused, and texts
 * that describe are left out.
 *
 * @param {object} swagger OpenAPI 2
 * @param {readonly string[]} kinds such as `apps/v1/Deployment` or `v1/Service`
 * @param {string} version
 * @returns {object} `kinds` points to the definition of each
 */
export function kubernetesSchema(swagger, kinds, version) {
  const nameOf = new Map();
  for (const [name, definition] of Object.entries(swagger.definitions)) {
    for (const { group, version: apiVersion, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      nameOf.set([group, apiVersion, kind].filter((part) => part !== '').join('/'), name);
    }
  }
  const definitions = {};
  const take = (name) => {
    if (definitions[name] !== undefined) return;
    definitions[name] = {};
    definitions[name] = strict(swagger.definitions[name], take);
  };
  const roots = kinds.map((kind) => {
    const name = nameOf.get(kind);
    if (name === undefined) throw new Error(`Kubernetes ${version} has no ${kind}`);
    take(name);
    return [kind, { $ref: `#/definitions/${name}` }];
  });
  const sorted = Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { title: `Kubernetes ${version}`, kinds: Object.fromEntries(roots), definitions: sorted };
}

/** As above for kinds that are defined by CustomResourceDefinitions; their metadata are left to Kubernetes' schema. */
export function customKindSchema(definitions, version) {
  const kinds = definitions.flatMap(({ spec: { group, names, versions } }) =>
    versions.map(({ name, schema: { openAPIV3Schema } }) => {
      const { metadata: _metadata, ...schema } = strict(openAPIV3Schema, () => undefined).properties;
      return [
        `${group}/${name}/${names.kind}`,
        {
          type: 'object',
          additionalProperties: false,
          required: openAPIV3Schema.required,
          properties: { ...schema, metadata: { type: 'object' } },
        },
      ];
    }),
  );
  return { title: `Prometheus operator ${version}`, kinds: Object.fromEntries(kinds) };
}

function strict(schema, take) {
  if (schema.$ref !== undefined) {
    take(schema.$ref.split('/').at(-1));
    return { $ref: schema.$ref };
  }
  // Both are written as text or as a number.
  const isNumberOrText =
    schema.format === 'int-or-string' ||
    schema['x-kubernetes-int-or-string'] === true ||
    schema.description?.startsWith('Quantity is a fixed-point representation') === true;
  if (isNumberOrText) return { type: ['string', 'number'] };
  const kept = Object.fromEntries(KEPT_WORDS.flatMap((word) => (word in schema ? [[word, schema[word]]] : [])));
  // Go knows expressions that JavaScript does not.
  if (kept.pattern !== undefined && !isExpression(kept.pattern)) delete kept.pattern;
  if (schema.items !== undefined) kept.items = strict(schema.items, take);
  if (typeof schema.additionalProperties === 'object') {
    kept.additionalProperties = strict(schema.additionalProperties, take);
  }
  if (schema.properties !== undefined) {
    const properties = Object.entries(schema.properties).map(([name, property]) => [name, strict(property, take)]);
    kept.properties = Object.fromEntries(properties);
    kept.additionalProperties = schema['x-kubernetes-preserve-unknown-fields'] === true;
  }
  return kept;
}

function isExpression(pattern) {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}
