// node-semver as npm brings it, as Debian packages it, or as the working directory has it.
const { createRequire } = require("module");
const places = [
  process.cwd() + "/",
  "/usr/lib/node_modules/npm/",
  "/usr/local/lib/node_modules/npm/",
  "/usr/share/nodejs/npm/",
  "/usr/share/nodejs/",
];
let semver;
for (const place of places) {
  try {
    semver = createRequire(place)("semver");
    break;
  } catch {}
}
if (!semver) process.exit(1);

const answers = {
  versions(first, second) {
    [first, second] = [first, second].map((text) => semver.parse(text));
    return first && second ? semver.compare(first, second) : "!";
  },
  // 1 where the version is in the range, 0 where it is not.
  ranges(range, version) {
    if (!semver.valid(version)) return "!";
    return semver.satisfies(version, range, { loose: true }) ? 1 : 0;
  },
};
const answer = answers[process.argv[2]];
const lines = require("fs").readFileSync(0, "utf8").split("\n").slice(0, -1);
process.stdout.write(lines.map((line) => answer(...line.split("\t")) + "\n").join(""));
