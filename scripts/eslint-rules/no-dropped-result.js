/**
 * Reports a statement that throws away a neverthrow Result, awaited or not: its error would go unseen.
 * `void` before it says that this is meant. A Result whose error is `never` has none to lose.
 *
 * @typedef {{ program: import("typescript").Program, getTypeAtLocation(node: unknown): import("typescript").Type }} Services
 */

const resultClasses = new Set(["Ok", "Err", "ResultAsync"]);

/** @param {import("typescript").Type} type */
function isResult(type) {
  const symbol = type.getSymbol();
  const files = symbol?.declarations?.map((declaration) => declaration.getSourceFile().fileName) ?? [];
  return resultClasses.has(symbol?.name ?? "") && files.some((file) => file.includes("/node_modules/neverthrow/"));
}

/**
 * @param {import("typescript").TypeChecker} checker
 * @param {import("typescript").Type} type
 * @returns {boolean}
 */
function losesError(checker, type) {
  if (type.isUnionOrIntersection()) {
    return type.types.some((part) => losesError(checker, part));
  }
  const isList = checker.isArrayType(type) || checker.isTupleType(type);
  if (!isList && !isResult(type)) {
    return false;
  }
  const parts = checker.getTypeArguments(/** @type {import("typescript").TypeReference} */ (type));
  return isList ? parts.some((part) => losesError(checker, part)) : parts[1] !== checker.getNeverType();
}

/** @type {import("eslint").Rule.RuleModule} */
export default {
  meta: {
    type: "problem",
    schema: [],
    messages: { dropped: "This Result is dropped, and an error in it goes unseen." },
  },
  create(context) {
    const services = /** @type {Services} */ (context.sourceCode.parserServices);
    const checker = services.program.getTypeChecker();
    return {
      ExpressionStatement(node) {
        const { expression } = node;
        // An assignment has the value's type, but keeps it; void has the type undefined.
        const keeps = expression.type === "AssignmentExpression";
        if (!keeps && losesError(checker, services.getTypeAtLocation(expression))) {
          context.report({ node, messageId: "dropped" });
        }
      },
    };
  },
};
