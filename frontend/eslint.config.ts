import tseslint from "typescript-eslint";
import vue from "eslint-plugin-vue";
import a11y from "eslint-plugin-vuejs-accessibility";

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.d.ts", "public"] },
  ...tseslint.configs.recommended,
  ...vue.configs["flat/recommended"],
  ...a11y.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
  {
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": "off", // the compiler says it better
      "no-undef": "off", // so does this
      "vue/multi-word-component-names": "off",
      "vue/require-default-prop": "off", // optional means undefined here
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/attributes-order": "off",
      "vue/first-attribute-linebreak": "off",
      // Hovering shows more of what is there anyway; nothing is done by it alone.
      "vuejs-accessibility/mouse-events-have-key-events": "off",
      // On a page that is one form, the first field is where the work begins.
      "vuejs-accessibility/no-autofocus": "off",
      // A label around its control is enough; asking for `for` as well adds ids without use.
      "vuejs-accessibility/label-has-for": ["error", { required: { some: ["nesting", "id"] } }],
    },
  },
);
