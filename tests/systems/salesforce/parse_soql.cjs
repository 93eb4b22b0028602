// Reads a JSON list of queries from stdin; writes, for each, its conditions or why it is no SOQL.
const { parseQuery } = require(process.argv[2]);

function conditions(where) {
  if (!where) return [];
  const { field, operator, value } = where.left ?? {};
  const own = field ? [{ field, operator, values: [value].flat().map(String) }] : [];
  return [...own, ...conditions(where.right)];
}

const queries = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = queries.map((query) => {
  try {
    const tree = parseQuery(query);
    return { object: tree.sObject, fields: tree.fields.length, conditions: conditions(tree.where) };
  } catch (error) {
    return { error: String(error.message) };
  }
});
process.stdout.write(JSON.stringify(answers));
