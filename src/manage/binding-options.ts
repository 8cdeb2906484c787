/**
 * Binding options: what a binding may say beyond source, path, range, curve and takeover, as the template of mappings
 * names it: a parameter that is optional there is an option of a request, a flag of `hana bind`, and a line of a show.
 */
import { checkValue } from "../config/values.js";
import type { BindingRecord } from "../input/binding-records.js";
import { parseExpression } from "../input/expression-parse.js";
import type { Value } from "../state/declaration.js";
import { entityKind, MAPPINGS_PREFIX } from "../state/templates.js";
import { ApiError, type Fields } from "./api-exchange.js";

/** By the name of the parameter. */
export type BindingOptions = Readonly<Record<string, Value>>;

const OPTIONS = entityKind(MAPPINGS_PREFIX).parameters.filter(({ isOptional }) => isOptional);
/** Those whose text is an expression. */
const FORMULAS: readonly string[] = ["when", "expression"];

/** The options of a request. Throws an ApiError that says what is wrong with one. */
export function readOptions(fields: Fields): BindingOptions {
  const names = OPTIONS.map(({ name }) => name);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ApiError(400, "request", `${unknown} is none of ${names.join(", ")}`);
  const given = OPTIONS.filter(({ name }) => fields[name] !== undefined);
  return Object.fromEntries(
    given.map(({ name, declaration }) => {
      const checked = checkValue(fields[name], declaration);
      if ("problem" in checked) throw new ApiError(400, "request", `${name} ${checked.problem}`);
      const problem = FORMULAS.includes(name) ? formulaProblem(checked.value as string) : "";
      if (problem !== "") throw new ApiError(422, "badBinding", `${name}: ${String(checked.value)} ${problem}`);
      return [name, checked.value];
    }),
  );
}

function formulaProblem(text: string): string {
  const expression = text === "" ? undefined : parseExpression(text);
  return expression !== undefined && "problem" in expression ? expression.problem : "";
}

/** What a binding says that is not the default. */
export function optionsOf({ transform, feedback, look }: BindingRecord): BindingOptions {
  const said = Object.entries({ ...transform, feedback, look }).filter(([name, value]) => {
    const option = OPTIONS.find((one) => one.name === name);
    return option !== undefined && value !== "" && value !== option.declaration.default;
  });
  return Object.fromEntries(said) as BindingOptions;
}
