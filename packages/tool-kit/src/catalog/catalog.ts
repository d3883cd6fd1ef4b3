import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { permissionNames, type Permission } from '../definition/permission.ts';
import type { ArgumentSchema, ValueSchema } from '../definition/schema/object-schema.ts';
import { createArea, type Area } from './area.ts';
import { createCompanions } from './companions.ts';
import {
  listedPrompt,
  listedResource,
  type ListedPrompt,
  type ListedResource,
  type ListedTool,
} from './listed.ts';
import { isSelected, resolveSelection, type CatalogSelection, type Selectable } from './selection.ts';

// To compare what each schema makes with a record would cost the compiler a fifth more.
type AnyTool =
  | ToolDefinition<ArgumentSchema<unknown, unknown>, ValueSchema>
  | ContentToolDefinition<ArgumentSchema<unknown, unknown>>;

/** Everything that a server offers. A list that is empty, and not left out, is offered: it may fill later. */
export interface CatalogDefinitions {
  readonly tools?: readonly AnyTool[] | undefined;
  readonly resources?: readonly ResourceDefinition[] | undefined;
  readonly prompts?: readonly PromptDefinition[] | undefined;
}

/** Names of tools, resources and prompts. */
export interface CatalogNames {
  readonly tools?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly prompts?: readonly string[] | undefined;
}

/** What becomes different while a server runs. What is in `remove` and in `add` is replaced. */
export interface CatalogChange {
  readonly add?: CatalogDefinitions | undefined;
  readonly remove?: CatalogNames | undefined;
  /** Nobody sees or calls them from now on, but they can come back. */
  readonly disable?: CatalogNames | undefined;
  readonly enable?: CatalogNames | undefined;
}

/** The lists that clients are told of. */
export type ListName = 'tools' | 'resources' | 'prompts';

/** A list that changed, and the permissions that open what changed in it. */
export interface ListChange {
  readonly list: ListName;
  readonly permissions: readonly string[];
}

/** The definitions, checked, with all that a call needs of them worked out once: a call only runs it. */
export interface Catalog {
  readonly tools: ReadonlyMap<string, ListedTool>;
  readonly resources: ReadonlyMap<string, ListedResource>;
  readonly prompts: ReadonlyMap<string, ListedPrompt>;
  /** What the server offers, whether or not there is any just now. */
  readonly offers: ReadonlySet<ListName>;
  /** Higher after each change. */
  readonly version: () => number;
  /**
   * Adds, removes, disables and enables, all of it or, when it throws, nothing. Only what is added is compiled. A call
   * that runs goes on with the definition that it began with.
   *
   * @throws {TypeError} as `createCatalog` does; also for a name that there is not, or a list that it does not offer.
   * @throws {RangeError} as `createCatalog` does.
   */
  readonly change: (change: CatalogChange) => void;
  /** Calls the listener after each change, with the lists that look different now. */
  readonly onChange: (listener: (changed: readonly ListChange[]) => void) => void;
}

/**
 * Checks the definitions and works out, once, their list entries, parsers and what of their arguments is recorded.
 *
 * @throws {TypeError} naming the definition, for an invalid or repeated name, a text that is empty or cannot be seen, a
 * repeated URI template, variables and parameters that do not match, a schema of another version of zod, or one that
 * JSON Schema cannot express or clients refuse; also for a toolset that no definition is in.
 * @throws {RangeError} naming the tool, for a deadline, a limit or a budget that is out of its range.
 */
export function createCatalog(definitions: CatalogDefinitions, selection: CatalogSelection = {}): Catalog {
  const selected = resolveSelection(selection, [
    ...(definitions.tools ?? []),
    ...(definitions.resources ?? []),
    ...(definitions.prompts ?? []),
  ]);
  const companions = createCompanions();
  const tools = createArea('tool', companions.listed, rejectTakenNames);
  const resources = createArea('resource', listedResource, rejectRepeatedTemplates);
  const prompts = createArea('prompt', listedPrompt);
  const areas = { tools, resources, prompts };
  const lists = ['tools', 'resources', 'prompts'] as const;
  const offers = new Set<ListName>(lists.filter((list) => definitions[list] !== undefined));
  const listeners: ((changed: readonly ListChange[]) => void)[] = [];
  let version = 0;

  function change({ add, remove, disable, enable }: CatalogChange): readonly ListChange[] {
    const planned = lists.map((list) => {
      const touched = [add?.[list], remove?.[list], disable?.[list], enable?.[list]];
      if (!offers.has(list) && touched.some((names) => names !== undefined)) {
        throw new TypeError(
          `${list} must be offered from the start: give createCatalog at least an empty list`,
        );
      }
      // What a definition of one kind is, its own area knows.
      const area = areas[list] as unknown as Area<Definition, Entry>;
      const plan = area.plan({
        add: companions.beside(
          ((add?.[list] ?? []) as readonly Definition[]).filter((one) => isSelected(one, selected)),
        ),
        remove: remove?.[list],
        disable: disable?.[list],
        enable: enable?.[list],
      });
      return { list, plan };
    });
    const changed = planned.flatMap(({ list, plan }) => {
      const touched = plan.commit();
      const permissions = new Set(
        touched.flatMap(({ definition }) => permissionNames(definition.permission)),
      );
      return touched.length === 0 ? [] : [{ list, permissions: [...permissions] }];
    });
    version += 1;
    return changed;
  }

  change({ add: definitions });
  return {
    tools: tools.entries,
    resources: resources.entries,
    prompts: prompts.entries,
    offers,
    version: () => version,
    change(next) {
      const changed = change(next);
      for (const listener of listeners) {
        listener(changed);
      }
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** As much as all kinds of definitions have. */
interface Definition extends Selectable {
  readonly name: string;
  readonly permission: Permission<never>;
}

interface Entry {
  readonly definition: Definition;
}

/** The resource that a URI names, and the parameters in it. */
export function readOf(catalog: Catalog, uri: string) {
  for (const resource of catalog.resources.values()) {
    const parameters = resource.template.match(uri);
    if (parameters !== undefined) {
      return { resource, parameters };
    }
  }
  return undefined;
}

/** The resource with this template. */
export function resourceOfTemplate(catalog: Catalog, uriTemplate: string): ListedResource | undefined {
  return [...catalog.resources.values()].find(({ definition }) => definition.uriTemplate === uriTemplate);
}

function rejectRepeatedTemplates(resources: Iterable<ListedResource>): void {
  const seen = new Set<string>();
  for (const { definition } of resources) {
    if (seen.has(definition.uriTemplate)) {
      throw new TypeError(
        `resource "${definition.name}": the template ${definition.uriTemplate} occurs twice`,
      );
    }
    seen.add(definition.uriTemplate);
  }
}

/** The tool of that name, or that had it before. */
export function toolNamed(tools: ReadonlyMap<string, ListedTool>, name: string): ListedTool | undefined {
  return (
    tools.get(name) ??
    [...tools.values()].find(({ definition }) => definition.formerNames?.includes(name) === true)
  );
}

/** @throws {TypeError} naming the tool, when a former name is a name of another. */
function rejectTakenNames(tools: Iterable<ListedTool>): void {
  const all = [...tools].map(({ definition }) => definition);
  const taken = new Map(all.map(({ name }) => [name, name]));
  for (const { name, formerNames = [] } of all) {
    for (const former of formerNames) {
      const other = taken.get(former);
      if (other !== undefined) {
        throw new TypeError(`tool "${name}": its former name "${former}" belongs to the tool "${other}"`);
      }
      taken.set(former, name);
    }
  }
}
