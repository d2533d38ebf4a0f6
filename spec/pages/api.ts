import { resolve } from "node:path";
import ts from "typescript";
import { entries } from "./entries.js";

// The public names of the entry points, as the compiler sees them, with what their comments say.

const settings: unknown = ts.readConfigFile(resolve("tsconfig.json"), (path) => ts.sys.readFile(path)).config;
const { options } = ts.parseJsonConfigFileContent(settings, ts.sys, process.cwd());
const sources = entries.map(({ source }) => source);
const program = ts.createProgram(sources, options);
const checker = program.getTypeChecker();

export interface Member {
  readonly name: string;
  readonly type: string;
  /** The comment as one line of Markdown. */
  readonly text: string;
  readonly defaultValue: string | undefined;
  /** The names of its parameters, where it is a function. */
  readonly parameters: readonly string[] | undefined;
}

/** What an entry point exports, by the path of its source. */
export function exportsOf(source: string): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(source)!)!;
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
}

/** What an entry point exports under that name. */
export function exported(name: string, entry = "index"): ts.Symbol {
  const found = exportsOf(resolve("lib", `${entry}.ts`)).find((symbol) => symbol.name === name);
  if (found === undefined) throw new Error(`${entry} exports no ${name}`);
  return found;
}

/** The properties of an interface or an object type, in the order of the source; those of an object in it as `outer.inner`. */
export function membersOf(name: string, entry?: string): Member[] {
  return propertiesOf(checker.getDeclaredTypeOfSymbol(exported(name, entry)), "");
}

function propertiesOf(type: ts.Type, prefix: string): Member[] {
  return type
    .getProperties()
    .filter((property) => isOurs(property) && !property.name.startsWith("__@"))
    .flatMap((property) => {
      const member = memberOf(property, prefix);
      const { type: node } = property.valueDeclaration as ts.PropertySignature;
      const isNested = member.text === "" && node !== undefined && ts.isTypeLiteralNode(node);
      return isNested ? propertiesOf(checker.getTypeOfSymbol(property), `${member.name}.`) : [member];
    });
}

/** What an Error or another package has is not described here. */
export function isOurs({ declarations = [] }: ts.Symbol): boolean {
  return declarations.every((declaration) => !declaration.getSourceFile().fileName.includes("node_modules"));
}

function memberOf(property: ts.Symbol, prefix: string): Member {
  const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
  const isMethod = (property.flags & ts.SymbolFlags.Method) !== 0;
  const node = property.valueDeclaration as ts.PropertySignature | undefined;
  return {
    name: `${prefix}${property.name}${isOptional ? "?" : ""}${isMethod ? "()" : ""}`,
    type: (node?.type?.getText() ?? "").replace(" | undefined", "").replace(/\s+/g, " "),
    text: textOf(property),
    defaultValue: tagOf(property, "defaultValue"),
    parameters:
      node?.type !== undefined && ts.isFunctionTypeNode(node.type) ? namesOf(node.type.parameters) : undefined,
  };
}

/** The comment of a name, its paragraphs and lines in one line. */
function textOf(symbol: ts.Symbol): string {
  return inOneLine(commentOf(symbol));
}

/** The first sentence of a name's comment. */
export function summaryOf(symbol: ts.Symbol): string {
  return firstSentence(inOneLine(commentOf(symbol).split("\n\n")[0]!));
}

export function firstSentence(text: string): string {
  return /^.+?\.(?= [A-Z`]|$)/.exec(text)?.[0] ?? text;
}

/** The items of the list in a name's comment. */
export function listOf(symbol: ts.Symbol): string[] {
  const [, ...items] = commentOf(symbol)
    .split("\n\n")
    .map((paragraph) => `\n${paragraph}`)
    .filter((paragraph) => paragraph.startsWith("\n- "))
    .join("")
    .split("\n- ");
  return items.map(inOneLine);
}

/** What a function returns, as the source says it. */
export function returnTypeOf(symbol: ts.Symbol): string {
  const { type } = symbol.declarations![0] as ts.FunctionDeclaration;
  return (type?.getText() ?? "").replace(/\s+/g, " ");
}

/** A function as it is called: its name and its parameters' names. */
export function callOf(symbol: ts.Symbol): string {
  const { parameters } = symbol.declarations![0] as ts.FunctionDeclaration;
  return `${symbol.name}(${namesOf(parameters).join(", ")})`;
}

function namesOf(parameters: readonly ts.ParameterDeclaration[]): string[] {
  return parameters.map(({ name, questionToken }) => name.getText() + (questionToken === undefined ? "" : "?"));
}

/** The codes of an error type. */
export function codesOf(name: string): string[] {
  const type = checker.getDeclaredTypeOfSymbol(exported(name));
  const code = checker.getTypeOfSymbol(checker.getPropertyOfType(type, "code")!);
  return (code.isUnion() ? code.types : [code]).map((literal) => (literal as ts.StringLiteralType).value);
}

/** The comment of each return code. */
export function codeTexts(): Map<string, string> {
  const properties = checker.getTypeOfSymbol(exported("ReturnCode")).getProperties();
  return new Map(properties.map((property) => [property.name, textOf(property)]));
}

export function commentOf(symbol: ts.Symbol): string {
  return withCodeLinks(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
}

function tagOf(symbol: ts.Symbol, name: string): string | undefined {
  const tag = symbol.getJsDocTags(checker).find((one) => one.name === name);
  return tag && inOneLine(withCodeLinks(ts.displayPartsToString(tag.text)));
}

function withCodeLinks(text: string): string {
  return text.replace(/\{@link ([\w.]+) ?\}/g, "`$1`");
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
