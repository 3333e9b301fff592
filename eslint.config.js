/** What ESLint checks beyond TypeScript: mistakes, dead code and complexity. */
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["bots/web/page/vendor/", "**/*.min.js", ".venv/", "node_modules/", "build/", "site/"] },
  js.configs.recommended,
  {
    files: ["bots/web/page/*.js"],
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 12],
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-lines": ["error", { max: 420 }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 5],
      "no-console": ["error", { allow: ["error", "warn"] }],
      "no-implicit-coercion": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  { files: ["bots/web/page/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/browser/audit.js"], languageOptions: { globals: globals.browser }, rules: { "no-unused-expressions": "off" } },
];
