import { z } from 'zod';

import { wrappedBy } from '../definition/schema/schema-tree.ts';

/** `sensitive`: not in clear. `secret`: not even as a digest. */
export type Privacy = 'sensitive' | 'secret';

/** What the annotations of a schema say of a value and of what is in it. */
export interface PrivacyPlan {
  /** Of the value itself, and so of all in it. */
  readonly privacy: Privacy | undefined;
  /** Whether there is an annotation here or anywhere below. */
  readonly isAnnotated: boolean;
  /** The members of an object by name, of each alternative of a union. */
  readonly fields: ReadonlyMap<string, PrivacyPlan>;
  /** Of the keys of a record. */
  readonly keys: PrivacyPlan | undefined;
  /** Of the values of a record, or of what an object has besides its fields. */
  readonly others: PrivacyPlan | undefined;
  /** Of one item of an array or a tuple. */
  readonly itemAt: (index: number) => PrivacyPlan | undefined;
}

/** Reads a schema once. The annotation of a value counts wherever it stands: on any wrapper or alternative. */
export function planPrivacy(schema: z.ZodType): PrivacyPlan {
  const planner = new Planner();
  const plan = planner.planOf([schema]);
  planner.spread();
  return plan;
}

interface Draft extends PrivacyPlan {
  privacy: Privacy | undefined;
  isAnnotated: boolean;
  readonly fields: Map<string, Draft>;
  keys: Draft | undefined;
  others: Draft | undefined;
  items: readonly (Draft | undefined)[];
  rest: Draft | undefined;
}

/** Schemas may contain themselves: a plan is kept under its schemas before it is filled in. */
class Planner {
  readonly #ids = new Map<z.ZodType, number>();
  readonly #drafts = new Map<string, Draft>();

  /** Of a value that may be described by any of these. */
  planOf(schemas: readonly z.ZodType[]): Draft {
    // Not by their layers: what a lazy schema wraps may be made anew each time.
    const key = schemas.map((schema) => this.#idOf(schema)).join();
    const known = this.#drafts.get(key);
    if (known !== undefined) {
      return known;
    }
    const draft = emptyDraft();
    this.#drafts.set(key, draft);
    const layers = layersOf(schemas);
    for (const layer of layers) {
      draft.privacy = stricter(draft.privacy, annotationOf(layer));
    }
    draft.isAnnotated = draft.privacy !== undefined;
    this.#fill(draft, layers);
    return draft;
  }

  // zod types inner schemas by its core; every one that a definition holds is a classic schema.
  #fill(draft: Draft, layers: readonly z.ZodType[]): void {
    const objects = layers.filter((layer) => layer instanceof z.ZodObject);
    const records = layers.filter((layer) => layer instanceof z.ZodRecord);
    const arrays = layers.filter((layer) => layer instanceof z.ZodArray);
    const tuples = layers.filter((layer) => layer instanceof z.ZodTuple);

    const fields = new Map<string, z.ZodType[]>();
    for (const object of objects) {
      for (const [name, field] of Object.entries<z.ZodType>(object.shape)) {
        fields.set(name, [...(fields.get(name) ?? []), field]);
      }
    }
    for (const [name, alternatives] of fields) {
      draft.fields.set(name, this.planOf(alternatives));
    }
    draft.keys = this.#optional(records.map((record) => record.keyType as z.ZodType));
    draft.others = this.#optional([
      ...records.map((record) => record.valueType as z.ZodType),
      ...objects.flatMap((object) =>
        object.def.catchall === undefined ? [] : [object.def.catchall as z.ZodType],
      ),
    ]);
    const elements = arrays.map((array) => array.element as z.ZodType);
    const rests = tuples.flatMap((tuple) => (tuple.def.rest ? [tuple.def.rest as z.ZodType] : []));
    draft.rest = this.#optional([...elements, ...rests]);
    const length = Math.max(0, ...tuples.map((tuple) => tuple.def.items.length));
    draft.items = Array.from({ length }, (_, index) =>
      this.#optional([
        ...elements,
        ...tuples.flatMap((tuple) => {
          const item = tuple.def.items[index] ?? tuple.def.rest;
          return item ? [item as z.ZodType] : [];
        }),
      ]),
    );
  }

  #optional(schemas: readonly z.ZodType[]): Draft | undefined {
    return schemas.length === 0 ? undefined : this.planOf(schemas);
  }

  /** Lets every plan know of the annotations below it, also where a schema contains itself. */
  spread(): void {
    let hasChanged = true;
    while (hasChanged) {
      hasChanged = false;
      for (const draft of this.#drafts.values()) {
        const { fields, keys, others, items, rest } = draft;
        const below = [...fields.values(), keys, others, ...items, rest];
        if (!draft.isAnnotated && below.some((inner) => inner?.isAnnotated === true)) {
          draft.isAnnotated = true;
          hasChanged = true;
        }
      }
    }
  }

  #idOf(schema: z.ZodType): number {
    const id = this.#ids.get(schema) ?? this.#ids.size;
    this.#ids.set(schema, id);
    return id;
  }
}

function emptyDraft(): Draft {
  const draft: Draft = {
    privacy: undefined,
    isAnnotated: false,
    fields: new Map(),
    keys: undefined,
    others: undefined,
    items: [],
    rest: undefined,
    itemAt: (index) => (index < draft.items.length ? draft.items[index] : draft.rest),
  };
  return draft;
}

/** The schemas and all that they wrap: `optional`, `default`, `pipe` and so on, and every alternative of a union. */
function layersOf(schemas: readonly z.ZodType[]): readonly z.ZodType[] {
  const layers = new Set<z.ZodType>(schemas);
  // A set goes on to what is added to it meanwhile.
  for (const layer of layers) {
    for (const inner of wrappedBy(layer)) {
      layers.add(inner);
    }
  }
  return [...layers];
}

function annotationOf(schema: z.ZodType): Privacy | undefined {
  const meta = z.globalRegistry.get(schema);
  if (meta?.['secret'] === true) {
    return 'secret';
  }
  return meta?.['sensitive'] === true ? 'sensitive' : undefined;
}

/** The one that allows less. */
export function stricter(one: Privacy | undefined, other: Privacy | undefined): Privacy | undefined {
  return one === 'secret' || other === 'secret' ? 'secret' : (one ?? other);
}
